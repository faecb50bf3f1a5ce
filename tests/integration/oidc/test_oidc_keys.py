"""How the keys of a provider come, go and stay."""

import asyncio
from typing import Any

import pytest

from adapters.oidc.documents import HttpDocuments
from domain.identity.errors import CredentialsInvalidError
from domain.shared.errors import UnavailableError
from tests.fakes.identity_provider import DISCOVERY, IdentityProvider, jwk_of, rsa_key
from tests.fakes.oidc_reader import OidcReader
from tests.fixtures.patience import PATIENCE_S

PAUSE_S = 10.0
FRESH_S = 3600.0
USABLE_S = 24 * 3600.0


@pytest.fixture
def reader(provider: IdentityProvider) -> OidcReader:
    return OidcReader(provider)


async def outcome(reader: OidcReader, token: str) -> str:
    try:
        await reader.tokens.verify(token)
    except CredentialsInvalidError:
        return "refused"
    except UnavailableError as error:
        return "unavailable" if error.retry_after == PAUSE_S else "unavailable for ever"
    return "taken"


async def test_a_new_key_is_found_when_the_first_token_names_it(reader: OidcReader) -> None:
    old = reader.token()
    before = await outcome(reader, old)
    reader.provider.rotate("two")

    at_once = await outcome(reader, reader.token())
    reader.clock.advance(PAUSE_S)
    after_the_pause = await outcome(reader, reader.token())

    assert (before, at_once, after_the_pause) == ("taken", "refused", "taken")
    assert await outcome(reader, old) == "refused"


async def test_tokens_with_unknown_keys_do_not_flood_the_provider(reader: OidcReader) -> None:
    await outcome(reader, reader.token())
    asked = reader.provider.asked["/keys"]
    reader.clock.advance(PAUSE_S)

    outcomes = {
        await outcome(reader, reader.token(header={"kid": f"unknown {number}"}))
        for number in range(50)
    }

    assert outcomes == {"refused"}
    assert reader.provider.asked["/keys"] == asked + 1


async def test_simultaneous_requests_share_one_fetch(reader: OidcReader) -> None:
    waiting = [asyncio.create_task(outcome(reader, reader.token())) for _ in range(20)]
    await asyncio.sleep(0)
    waiting[0].cancel()

    outcomes = await asyncio.gather(*waiting, return_exceptions=True)

    assert set(outcomes[1:]) == {"taken"}
    assert reader.provider.asked == {DISCOVERY: 1, "/keys": 1}


async def test_old_keys_are_renewed_behind_the_requests(reader: OidcReader) -> None:
    await outcome(reader, reader.token())
    reader.clock.advance(FRESH_S)

    meanwhile = await outcome(reader, reader.token())
    async with asyncio.timeout(PATIENCE_S):
        while reader.provider.asked["/keys"] < 2:
            await asyncio.sleep(0.01)

    assert meanwhile == "taken"
    await reader.tokens.stop()


async def test_known_keys_serve_while_the_provider_is_away(reader: OidcReader) -> None:
    await outcome(reader, reader.token())
    await reader.provider.go_away()

    outcomes = []
    for _ in range(3):
        reader.clock.advance(FRESH_S)
        outcomes.append(await outcome(reader, reader.token()))
        await asyncio.sleep(0.05)

    assert outcomes == ["taken"] * 3


async def test_no_keys_serve_for_ever(reader: OidcReader) -> None:
    await outcome(reader, reader.token())
    reader.provider.broken = 500
    reader.clock.advance(USABLE_S)

    assert await outcome(reader, reader.token()) == "unavailable"


async def test_a_provider_that_is_away_from_the_start_is_no_fault_of_the_client(
    reader: OidcReader,
) -> None:
    token = reader.token()
    reader.provider.broken = 503

    first = await outcome(reader, token)
    at_once = [await outcome(reader, token) for _ in range(20)]
    asked = sum(reader.provider.asked.values())
    reader.provider.broken = None
    reader.clock.advance(PAUSE_S)

    assert [first, *at_once] == ["unavailable"] * 21
    assert asked == 1
    assert await outcome(reader, token) == "taken"


async def test_an_unknown_key_may_be_a_new_one_while_the_provider_is_away(
    reader: OidcReader,
) -> None:
    known = reader.token()
    await outcome(reader, known)
    reader.provider.rotate("two")
    new = reader.token()
    reader.provider.broken = 500
    reader.clock.advance(PAUSE_S)

    assert await outcome(reader, new) == "unavailable"
    assert await outcome(reader, known) == "taken"


async def test_a_closed_port_is_a_provider_that_is_away(reader: OidcReader) -> None:
    token = reader.token()
    await reader.provider.go_away()

    assert await outcome(reader, token) == "unavailable"


@pytest.mark.parametrize(
    "body",
    [
        *(b"<html>", b"[]", b"{" * 10, b"", b'{"keys": []}', b'{"keys": 7}', b'{"keys": [7, {}]}'),
        *(b'{"keys": "\xff"}', b'{"keys": ' + b"[" * 9_000),
    ],
    ids=str,
)
async def test_an_answer_without_keys_is_none(reader: OidcReader, body: bytes) -> None:
    reader.provider.body = body

    assert await outcome(reader, reader.token()) == "unavailable"


async def test_a_redirect_leads_nowhere(reader: OidcReader) -> None:
    reader.provider.broken = 302

    assert await outcome(reader, reader.token()) == "unavailable"
    assert reader.provider.asked == {DISCOVERY: 1}


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://elsewhere.example.com"},
        {"issuer": None},
        {"jwks_uri": None},
        {"jwks_uri": "http://192.0.2.1/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "https://"},
        {"jwks_uri": "https://[oops/keys"},
    ],
    ids=str,
)
async def test_a_discovery_that_is_not_right_gives_no_keys(
    reader: OidcReader, discovery: dict[str, Any]
) -> None:
    reader.provider.discovery |= discovery

    assert await outcome(reader, reader.token()) == "unavailable"
    assert reader.provider.asked == {DISCOVERY: 1}


async def test_a_document_without_end_is_not_read_to_it(provider: IdentityProvider) -> None:
    reader = OidcReader(provider, HttpDocuments(max_bytes=10_000))
    provider.published += [jwk_of(f"{n}", rsa_key()) | {"x5c": ["a" * 9_000]} for n in range(3)]

    assert await outcome(reader, reader.token()) == "unavailable"


async def test_a_provider_that_says_nothing_is_given_up(provider: IdentityProvider) -> None:
    reader = OidcReader(provider, HttpDocuments(timeout_s=0.2))
    provider.silence_s = 4.0

    async with asyncio.timeout(PATIENCE_S):
        found = await outcome(reader, reader.token())

    assert found == "unavailable"
