from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.errors import translated
from adapters.postgres.operations.error_groups import PostgresErrorGroups
from adapters.postgres.operations.error_mapping import group_of, group_values, occurrence_values
from adapters.postgres.operations.error_rows import error_groups, error_logs
from adapters.postgres.operations.error_stacks import StoredStacks
from adapters.postgres.operations.event_log import PostgresEventLog
from adapters.postgres.operations.operators import teams_of_operators
from adapters.postgres.partitions import lowest_id
from application.shared.ports import IdGenerator
from domain.identity.permissions import Permission
from domain.operations.event import Event
from domain.operations.technical_error import ErrorGroup, ErrorOccurrence
from domain.shared.ids import ErrorGroupId, ErrorId, EventId

SPIKE_WINDOW = timedelta(minutes=5)
SPIKE_SILENCE = timedelta(hours=1)
SPIKED = "error.spiked"
REGRESSED = "error.regressed"

# The type of an event, its time and its data.
Told = tuple[str, datetime, Mapping[str, object]]

_FINGERPRINT = attrgetter("fingerprint")


class PostgresErrorWriter:
    """Writes batches of occurrences with what follows from them, each in one transaction. Writing
    a batch again changes nothing, so it may be repeated when nobody knows what became of it."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        ids: IdGenerator,
        spike_threshold: Callable[[], int],
    ) -> None:
        """``spike_threshold`` is asked at every batch; 0 means that no spikes are told."""
        self._sessions = sessions
        self._ids = ids
        self._spike_threshold = spike_threshold
        self._stacks = StoredStacks()

    async def write(self, batch: Sequence[ErrorOccurrence]) -> None:
        """Raises ``UnavailableError`` while the database is away."""
        holders = self._stacks.holders(batch)
        with translated():
            async with self._sessions() as session:
                groups = await self._locked_groups(session, batch)
                fresh = await _insert(session, groups, batch, holders)
                events = [
                    event
                    for fingerprint, occurrences in _by_fingerprint(fresh)
                    for event in await self._count(session, groups[fingerprint], occurrences)
                ]
                await self._tell(session, events)
                await session.commit()
        self._stacks.stored(batch, holders)

    async def _locked_groups(
        self, session: AsyncSession, batch: Sequence[ErrorOccurrence]
    ) -> dict[str, ErrorGroup]:
        """The groups of the batch, locked in an order that all processes keep."""
        firsts = [
            ErrorGroup.of(min(same, key=attrgetter("at")), ErrorGroupId(self._ids.new()))
            for _, same in _by_fingerprint(batch)
        ]
        new = insert(error_groups).values([group_values(group) for group in firsts])
        await session.execute(new.on_conflict_do_nothing(index_elements=["fingerprint"]))
        query = (
            select(error_groups)
            .where(error_groups.c.fingerprint.in_([group.fingerprint for group in firsts]))
            .order_by(error_groups.c.fingerprint)
            .with_for_update()
        )
        rows = (await session.execute(query)).mappings().all()
        return {row["fingerprint"]: group_of(row) for row in rows}

    async def _count(
        self, session: AsyncSession, group: ErrorGroup, occurrences: Sequence[ErrorOccurrence]
    ) -> list[Told]:
        """Count the occurrences in their group; returns what is worth telling."""
        regressed = [group.happened(occurrence) for occurrence in occurrences]
        at = occurrences[-1].at
        told = {"group_id": str(group.id), "code": group.code, "route": group.route}
        events: list[Told] = []
        if any(regressed):
            events.append((REGRESSED, at, told | {"count": group.count}))
        recent, threshold = await _recent(session, group, at), self._spike_threshold()
        if group.spikes(recent, threshold, at=at, silence=SPIKE_SILENCE):
            events.append((SPIKED, at, told | {"count": recent}))
        await PostgresErrorGroups(session).save(group)
        return events

    async def _tell(
        self,
        session: AsyncSession,
        events: Iterable[Told],
    ) -> None:
        """Add each event for those who may read errors: in every team that has an operator."""
        log, teams = PostgresEventLog(session), None
        for kind, at, data in events:
            teams = teams or await teams_of_operators(session)
            for team_id in teams:
                await log.add(
                    Event(
                        id=EventId(self._ids.new()),
                        team_id=team_id,
                        at=at,
                        type=kind,
                        data=data,
                        permission=Permission.READ_ERRORS,
                    )
                )


def _by_fingerprint(
    batch: Iterable[ErrorOccurrence],
) -> list[tuple[str, list[ErrorOccurrence]]]:
    """In the order of the fingerprints; of each, the earliest occurrence first."""
    ordered = sorted(batch, key=attrgetter("fingerprint", "at"))
    return [(fingerprint, list(same)) for fingerprint, same in groupby(ordered, key=_FINGERPRINT)]


async def _insert(
    session: AsyncSession,
    groups: Mapping[str, ErrorGroup],
    batch: Sequence[ErrorOccurrence],
    holders: Mapping[ErrorId, ErrorId],
) -> list[ErrorOccurrence]:
    """Store the occurrences and return those that were not there yet."""
    rows = [
        occurrence_values(occurrence, holders.get(occurrence.id))
        | {"group_id": groups[occurrence.fingerprint].id}
        for occurrence in batch
    ]
    new = insert(error_logs).values(rows).on_conflict_do_nothing().returning(error_logs.c.id)
    stored = set((await session.scalars(new)).all())
    return [occurrence for occurrence in batch if occurrence.id in stored]


async def _recent(session: AsyncSession, group: ErrorGroup, at: datetime) -> int:
    since = at - SPIKE_WINDOW
    query = (
        select(func.count())
        .select_from(error_logs)
        .where(
            error_logs.c.group_id == group.id,
            error_logs.c.at > since,
            # Of the id too, to look at one month and not at all. An id may be older than its time.
            error_logs.c.id >= lowest_id(since - SPIKE_WINDOW),
        )
    )
    return (await session.scalar(query)) or 0
