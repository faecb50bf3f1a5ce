from datetime import timedelta

import pytest
from dishka import Provider, Scope, make_async_container

from application.operations.ports import OldRecords, OperationsUnitOfWork, RuntimeSettings
from application.operations.run_retention import RunRetention
from application.shared.auditing import Auditor
from application.shared.ports import Clock, IdGenerator
from domain.operations.retention import RecordKind
from entrypoints.retention import run_retention
from tests.builders import TEAM_ID
from tests.fakes.clock import START, FrozenClock
from tests.fakes.ids import SequentialIds
from tests.fakes.retention import InMemoryOldRecords
from tests.fakes.settings import InMemorySettings, InMemorySettingsUnitOfWork


@pytest.mark.parametrize(("is_busy", "left", "told"), [(False, 0, 1), (True, 1, 0)])
async def test_old_records_go_unless_another_process_is_at_it(
    is_busy: bool, left: int, told: int
) -> None:
    clock, ids = FrozenClock(), SequentialIds()
    database, records = InMemorySettings(), InMemoryOldRecords(is_busy=is_busy)
    database.operators.of_teams = [TEAM_ID]
    records.times[RecordKind.EVENTS] = [START - timedelta(days=1000)]
    provider = Provider(scope=Scope.APP)
    provider.provide(lambda: clock, provides=Clock)
    provider.provide(lambda: ids, provides=IdGenerator)
    provider.provide(Auditor)
    provider.provide(lambda: database.runtime, provides=RuntimeSettings)
    provider.provide(lambda: records, provides=OldRecords)
    provider.provide(
        lambda: InMemorySettingsUnitOfWork(database),
        provides=OperationsUnitOfWork,
        scope=Scope.REQUEST,
    )
    provider.provide(RunRetention, scope=Scope.REQUEST)
    container = make_async_container(provider)

    await run_retention(container)
    await container.close()

    assert len(records.times[RecordKind.EVENTS]) == left
    assert len(database.events) == told
