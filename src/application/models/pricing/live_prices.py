from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from application.models.pricing.ports import KnownPrices, PriceBook, PriceQuestion, ServedPrices
from application.models.registry.layered_catalog import ModelPrices
from application.shared.ports import Clock
from domain.models.price_schedule import (
    DatedPrices,
    PriceInForce,
    PriceSource,
    in_force,
    next_change,
)
from domain.models.prices import FREE, Prices
from domain.models.served_model import ServedModel
from domain.shared.errors import UnavailableError
from domain.shared.ids import TeamId

log = structlog.get_logger()

# When a price book that could not be read is opened again.
RETRY = timedelta(minutes=1)
Schedule = tuple[DatedPrices, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the models of a provider are. ``is_local`` says that they run in the server itself."""

    provider_type: str
    base_url: str | None = None
    is_local: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamPrices:
    """What a team's registry says: where its providers are, by name, and what the team has set for
    its own models, by name, and for deployments of the configuration."""

    places: Mapping[str, Place] = field(default_factory=dict)
    models: Mapping[str, Schedule] = field(default_factory=dict)
    deployments: Mapping[str, Schedule] = field(default_factory=dict)


NOTHING = TeamPrices()


class LivePrices(ServedPrices, ModelPrices):
    """Prices in this order: what the team has set, what the configuration says, what the provider
    publishes, nothing for what runs on the machine; what is left has none."""

    def __init__(
        self,
        book: PriceBook,
        clock: Clock,
        *,
        places: Mapping[str, Place],
        models: Collection[ServedModel] = (),
    ) -> None:
        """``places`` are those of the configuration's providers, ``models`` its models."""
        self._book = book
        self._clock = clock
        self._places = places
        self._configured = {model.name: model for model in models}
        self._teams: dict[TeamId, TeamPrices] = {}
        self._known: dict[PriceQuestion, KnownPrices | None] = {}
        self._wanted: set[PriceQuestion] = set()
        self._next_try: datetime | None = None

    async def follow(
        self, teams: Mapping[TeamId, TeamPrices], models: Iterable[ServedModel]
    ) -> None:
        """Serve what these teams have set instead of what they had; ``models`` are theirs. Returns
        when the published prices are known. Never raises: without the book its prices are missing
        until it can be read."""
        merged = self._teams | dict(teams)
        self._teams = {team: one for team, one in merged.items() if one != NOTHING}
        asked = (self._question(model) for model in (*self._configured.values(), *models))
        self._wanted.update(one for one in asked if one is not None and one not in self._known)
        await self.learn()

    async def learn(self) -> None:
        """Ask the book for what is still wanted."""
        wanted, self._next_try = tuple(self._wanted), None
        if not wanted:
            return
        try:
            found = await self._book.look_up(wanted)
        except UnavailableError as error:
            self._next_try = self._clock.now() + RETRY
            log.warning("price_book.unavailable", reason=error.message, models=len(wanted))
            return
        self._known |= {question: found.get(question) for question in wanted}
        self._wanted.difference_update(wanted)

    def of(self, model: ServedModel, team_id: TeamId) -> PriceInForce:
        now = self._clock.now()
        overrides = self._overrides(model, team_id)
        changes_at = next_change(overrides, now)
        override = in_force(overrides, now)
        if override is not None:
            return PriceInForce(
                source=PriceSource.OVERRIDE,
                prices=override.prices,
                since=override.since,
                changes_at=changes_at,
            )
        place, said = self._place(model), self._said(model)
        is_free = place is not None and place.is_local and said in (None, FREE)
        if is_free or said is not None:
            source = PriceSource.LOCAL if is_free else PriceSource.CONFIGURATION
            prices = FREE if is_free else said
            return PriceInForce(source=source, prices=prices, changes_at=changes_at)
        return self._published(model, now, changes_at)

    def priced(self, model: ServedModel, team_id: TeamId) -> ServedModel:
        prices = self.of(model, team_id).prices
        return model if prices == model.prices else replace(model, prices=prices)

    def has_own(self, team_id: TeamId) -> bool:
        return bool(self._teams.get(team_id, NOTHING).deployments)

    def seconds_to_change(self) -> float | None:
        """How long everything stays as it is; ``None`` as far as is known for ever."""
        now = self._clock.now()
        teams = self._teams.values()
        schedules = [
            *(one for team in teams for one in (*team.models.values(), *team.deployments.values())),
            *(known.schedule for known in self._known.values() if known is not None),
        ]
        changes = [next_change(one, now) for one in schedules]
        moments = [moment for moment in (*changes, self._next_try) if moment is not None]
        return max(0.0, (min(moments) - now).total_seconds()) if moments else None

    def _published(
        self, model: ServedModel, now: datetime, changes_at: datetime | None
    ) -> PriceInForce:
        question = self._question(model)
        known = None if question is None else self._known.get(question)
        if known is None:
            return PriceInForce(source=PriceSource.UNPRICED, changes_at=changes_at)
        published = in_force(known.schedule, now)
        changes = (changes_at, next_change(known.schedule, now))
        return PriceInForce(
            source=PriceSource.UNPRICED if published is None else PriceSource.BOOK,
            prices=None if published is None else published.prices,
            since=None if published is None else published.since,
            changes_at=min((at for at in changes if at is not None), default=None),
            entry=known.entry,
            not_expressed=known.not_expressed,
        )

    def _overrides(self, model: ServedModel, team_id: TeamId) -> Schedule:
        """A model of a registry costs what its owner says, whoever uses it."""
        if model.owner is not None:
            return self._teams.get(model.owner, NOTHING).models.get(model.name, ())
        return self._teams.get(team_id, NOTHING).deployments.get(model.deployment, ())

    def _question(self, model: ServedModel) -> PriceQuestion | None:
        place = self._place(model)
        if place is None or place.is_local or self._said(model) is not None:
            return None
        return PriceQuestion(
            provider_type=place.provider_type,
            base_url=place.base_url,
            upstream_name=model.upstream_name,
            kind=model.kind,
        )

    def _said(self, model: ServedModel) -> Prices | None:
        """What the configuration says, whatever the model costs by now."""
        return self._configured.get(model.name, model).prices if model.owner is None else None

    def _place(self, model: ServedModel) -> Place | None:
        if model.owner is None:
            return self._places.get(model.provider)
        return self._teams.get(model.owner, NOTHING).places.get(model.provider)
