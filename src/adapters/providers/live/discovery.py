"""Asking a provider which models it has."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Protocol, runtime_checkable

import msgspec

from adapters.providers.definition import ProviderDefinition
from adapters.providers.failures.openai import openai_failure
from adapters.providers.http_client import ProviderClient
from adapters.providers.http_configuration import HttpConfiguration
from adapters.providers.json_reading import NOT_JSON
from adapters.providers.live.listings import Listing, key_of, listing_of
from adapters.providers.transport.endpoint import Timeouts
from adapters.providers.types import PROVIDER_TYPES
from application.models.registry.ports import Offer
from application.shared.correlation import correlation_id
from application.shared.ports import Clock
from domain.models.registry.errors import OffersUnknownError
from domain.models.registry.names import is_upstream_name

MOST_BYTES, MOST_OFFERS = 8 * 1024 * 1024, 20_000
# Somebody waits for the answer, which is short.
_PATIENCE = Timeouts(connect=5.0, first_byte=15.0, between_bytes=10.0, total=30.0)


@runtime_checkable
class SaysWhatItOffers(Protocol):
    """A definition that has a way of its own to ask."""

    async def offers(self, patience: Timeouts, clock: Clock) -> Sequence[Offer]: ...


@runtime_checkable
class ReachedOverHttp(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def http(self) -> HttpConfiguration: ...


async def discover(definition: ProviderDefinition, type_name: str, clock: Clock) -> Sequence[Offer]:
    """What the provider says that it has, by name. Raises what calls of it raise, and
    ``OffersUnknownError``."""
    if PROVIDER_TYPES[type_name].runs_here:
        return ()
    listing = listing_of(type_name)
    if isinstance(definition, SaysWhatItOffers):
        offers = await definition.offers(_PATIENCE, clock)
    elif listing is None or not isinstance(definition, ReachedOverHttp):
        raise OffersUnknownError(type_name)
    else:
        offers = await _ask(definition.name, definition.http, listing)
    sound = {offer.name: offer for offer in offers if is_upstream_name(offer.name)}
    return sorted(sound.values(), key=lambda offer: offer.name)


async def _ask(name: str, http: HttpConfiguration, listing: Listing) -> Sequence[Offer]:
    key = key_of(http)
    client = ProviderClient(
        name=name,
        transport=http.open_transport(),
        parse=openai_failure,
        credentials=listing.credentials(key) if key else {},
        secrets=[key] if key else (),
        headers=http.headers,
        timeouts=replace(_PATIENCE, connect=http.timeouts.connect or _PATIENCE.connect),
    )
    try:
        endpoint = client.endpoint(listing.url(http.base_url), method="GET", content_type=None)
        response = await client.send(endpoint, b"", correlation_id.get())
        body = await response.read(MOST_BYTES)
        try:
            offers = listing.offers(msgspec.json.decode(body))
        except NOT_JSON:
            offers = None
        if offers is None:
            raise client.errors.no_answer("did not answer with a list of its models")
        # Whoever serves more has no list that anybody could choose from.
        return tuple(islice(offers, MOST_OFFERS))
    finally:
        await client.aclose()
