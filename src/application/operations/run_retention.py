from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from application.operations.ports import OldRecords, OperationsUnitOfWork, RuntimeSettings
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock, IdGenerator
from domain.identity.permissions import Permission
from domain.operations.errors import RetentionRunningError
from domain.operations.event import Event
from domain.operations.retention import RecordKind, Removed, cutoffs
from domain.shared.ids import EventId

log = structlog.get_logger()

JOB = "retention"
Report = Mapping[RecordKind, Removed]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRetentionCommand:
    """``actor`` is ``None`` where nobody asked for it; ``dry_run`` only counts."""

    actor: Actor | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRetention:
    """Removes the records that are older than the settings `retention_…_days` say. Those that are
    stored by month go when the whole month is old enough.

    It runs once at a time, whatever the number of nodes. Operators are told of what it removed.
    """

    records: OldRecords
    runtime: RuntimeSettings
    uow: OperationsUnitOfWork
    auditor: Auditor
    clock: Clock
    ids: IdGenerator

    async def __call__(self, command: RunRetentionCommand) -> Report:
        if command.actor is not None:
            command.actor.require(Permission.MANAGE_SERVER)
        async with self.records.alone() as is_alone:
            if not is_alone:
                raise RetentionRunningError
            report = {
                kind: await self.records.remove(kind, before, dry_run=command.dry_run)
                for kind, before in cutoffs(self.runtime.get, self.clock.now()).items()
            }
        if not command.dry_run:
            await self._tell(command.actor, report)
        return report

    async def _tell(self, actor: Actor | None, report: Report) -> None:
        removed = {str(kind): what.records for kind, what in report.items() if what != Removed()}
        if not removed and actor is None:
            return
        months = sorted(month for what in report.values() for month in what.months)
        log.info("retention.finished", removed=removed, months=months)
        async with self.uow as tx:
            teams = await tx.operators.teams() if removed else ()
            if actor is not None:
                await self.auditor.record(
                    tx, actor, "retention.run", Target("server", JOB), after={"removed": removed}
                )
            for team_id in teams:
                await tx.events.add(
                    Event(
                        id=EventId(self.ids.new()),
                        team_id=team_id,
                        at=self.clock.now(),
                        type="job.finished",
                        data={"job": JOB, "status": "succeeded", "removed": removed},
                        permission=Permission.MANAGE_SERVER,
                    )
                )
            await tx.commit()
