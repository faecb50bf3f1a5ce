"""How a server process comes up and goes down.

The HTTP side serves from the first moment; everything else is brought up behind it, and
``Readiness`` says how far it is. What cannot come up ends the process with one clear line.
The container starts each part when it is first asked for, and stops them in the opposite order.
"""

import asyncio
import gc
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from dishka import AsyncContainer

from adapters.http.data_plane.door import InferenceDoor
from adapters.http.data_plane.gate import Gate
from adapters.http.data_plane.idempotency import Idempotency
from adapters.postgres.operations.error_writer import PostgresErrorWriter
from adapters.providers.registry import ConfiguredProviders
from adapters.system.large_pages import use_large_pages
from application.identity.external.ports import PersonActivity
from application.identity.found_first_team import ShowKey
from application.identity.ports import Credentials, KeyActivity
from application.identity.session_ports import SessionActivity, SessionDirectory
from application.identity.sessions.forget_ended_sessions import ForgetEndedSessions
from application.identity.sessions.login_failures import LoginFailures
from application.inference.interrupt_orphaned_calls import InterruptOrphanedCalls
from application.inference.keep_holds import KeepHolds
from application.inference.keeping.tidy_answers import TidyAnswers
from application.inference.routing.probe_deployments import ProbeDeployments
from application.operations.events.notify_of_events import NotifyOfEvents
from application.operations.events.ports import EventFeed
from application.operations.idempotency.answer_once import AnswerOnce
from application.operations.ports import DatabaseServer, RuntimeSettings
from application.operations.readiness import Readiness
from application.operations.records.error_reporter import ErrorReporter
from entrypoints.chores import Chore, do_later, repeat, repeat_when_rung
from entrypoints.database import DatabaseUrl, keep_partitions, prepare_database
from entrypoints.di.allowances import StoreOfLimits
from entrypoints.di.events import EventBell
from entrypoints.first_run import first_run
from entrypoints.retention import run_retention
from entrypoints.settings import Settings
from entrypoints.welcome import Welcome

ACTIVITY_EVERY_S = 5.0
# Calls leave no cycles behind, so that Python's usual 700 new objects would have it look through
# the calls in flight some fifty times a second, for milliseconds each, and find nothing.
GC_THRESHOLDS = (20_000, 10, 5)
# Moving memory takes half a second where a machine is slow, for which no start is to wait.
AT_REST_AFTER_S = 10.0
ENDED_SESSIONS_EVERY_S = 3600.0
RENEWALS_PER_HOLD = 6
ORPHANS_EVERY_S = 30.0
TIDY_ANSWERS_EVERY_S = 300.0
# Between two rounds; the longer one for what a node had taken on that then died.
NOTIFY_PAUSE_S = (1.0, 30.0)
PROBE_EVERY_S = 1.0
LIMIT_STORE_EVERY_S = 10.0
PARTITIONS_EVERY_S = 6 * 3600.0
RETENTION_EVERY_S = 3600.0


@dataclass(slots=True, kw_only=True)
class Lifecycle:
    """``on_ready`` gets what this start has to show; ``on_failure`` what stands in the way.
    ``show_key`` shows the first key; a worker has none, whose parent has prepared the database."""

    container: AsyncContainer
    readiness: Readiness
    gate: Gate
    reporter: ErrorReporter
    on_ready: Callable[[Welcome], None]
    on_failure: Callable[[Exception], None]
    database_wait_s: float
    show_key: ShowKey | None = None
    _boot: asyncio.Task[None] | None = None
    _opening: asyncio.Task[None] | None = None
    _chores: list[asyncio.Task[None]] = field(default_factory=list)
    _stopped: bool = False

    def start(self) -> None:
        """Begin to come up in the background."""
        self._boot = asyncio.create_task(self._come_up())

    async def stop(self) -> None:
        """Go down, with every ledger row written that the database takes in time; idempotent."""
        if self._stopped:
            return
        self._stopped = True
        if self._opening is not None:
            # A key that was shown has to be kept.
            await asyncio.gather(self._opening, return_exceptions=True)
        self.readiness.wait_for("the server is stopping")
        for task in (self._boot, *self._chores):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await self.container.close()

    async def _come_up(self) -> None:
        try:
            await self._start_all()
            # What the start has made lives as long as the process; without this, every full
            # collection would look at all of it and stop all calls for tens of milliseconds.
            gc.collect()
            gc.freeze()
            gc.set_threshold(*GC_THRESHOLDS)
            self._opening = asyncio.create_task(self._open_up())
            await asyncio.shield(self._opening)
            self._once_at_rest(partial(asyncio.to_thread, use_large_pages))
        except Exception as error:  # noqa: BLE001 - told to whoever started the process
            self.on_failure(error)

    async def _open_up(self) -> None:
        welcome = Welcome()
        if self.show_key is not None:
            welcome = await first_run(self.container, self.show_key)
        self.readiness.open()
        self.on_ready(welcome)

    async def _start_all(self) -> None:
        get = self.container.get
        self.readiness.wait_for("the database is starting")
        await get(DatabaseServer)
        url = await get(DatabaseUrl)
        self.readiness.wait_for("the database is not there yet")
        await prepare_database(url, wait_s=self.database_wait_s, migrates=self.show_key is not None)
        self.readiness.wait_for("the server is starting")
        await get(RuntimeSettings)
        # What went wrong until now is written, and what goes wrong while the others stop.
        await get(PostgresErrorWriter)
        await get(Credentials)
        await get(EventFeed)
        await self._notify_of_events()
        activity = await get(KeyActivity)
        door = await get(InferenceDoor)
        await get(ConfiguredProviders)
        interrupt_orphans = await get(InterruptOrphanedCalls)
        await interrupt_orphans()
        self._every(ACTIVITY_EVERY_S, activity.flush)
        await self._know_people()
        self._every(ORPHANS_EVERY_S, interrupt_orphans)
        hold_s = (await get(Settings)).budget_hold_seconds
        self._every(hold_s / RENEWALS_PER_HOLD, await get(KeepHolds))
        self._every(TIDY_ANSWERS_EVERY_S, await get(TidyAnswers))
        self._every(PROBE_EVERY_S, await get(ProbeDeployments))
        self._every(PARTITIONS_EVERY_S, partial(keep_partitions, url))
        self._every(RETENTION_EVERY_S, partial(run_retention, self.container))
        self._every(TIDY_ANSWERS_EVERY_S, (await get(AnswerOnce)).purge)
        if (store := (await get(StoreOfLimits)).probe) is not None:
            self._every(LIMIT_STORE_EVERY_S, store.check)
        self.gate.open(door, await get(Idempotency))

    async def _notify_of_events(self) -> None:
        bell, chore = await self.container.get(EventBell), await self.container.get(NotifyOfEvents)
        notifying = repeat_when_rung(bell, NOTIFY_PAUSE_S, chore, self.reporter)
        self._chores.append(asyncio.create_task(notifying))

    async def _know_people(self) -> None:
        get = self.container.get
        await get(SessionDirectory)
        self._every(ACTIVITY_EVERY_S, (await get(SessionActivity)).flush)
        self._every(ACTIVITY_EVERY_S, (await get(PersonActivity)).flush)
        self._every(ACTIVITY_EVERY_S, (await get(LoginFailures)).flush)
        self._every(ENDED_SESSIONS_EVERY_S, await get(ForgetEndedSessions))

    def _once_at_rest(self, chore: Chore) -> None:
        self._chores.append(asyncio.create_task(do_later(AT_REST_AFTER_S, chore, self.reporter)))

    def _every(self, seconds: float, chore: Chore) -> None:
        self._chores.append(asyncio.create_task(repeat(seconds, chore, self.reporter)))
