"""What it costs to know somebody again."""

import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import pytest
from sqlalchemy import event

from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.identity.activity import PostgresPersonActivity
from adapters.postgres.identity.changes import IdentityChanges
from adapters.postgres.identity.external_people import CachedExternalPeople
from adapters.postgres.partitions import ensure_partitions, months_from
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from application.identity.external.admit_person import AdmitPerson
from application.identity.external.vouched_people import VouchedPeople
from application.shared.auditing import Auditor
from domain.operations.runtime_settings import OIDC_CREATE_USERS
from tests.builders import TEAM_ID, a_team
from tests.fakes.clock import START
from tests.fakes.identity_provider import IdentityProvider
from tests.fakes.ids import SequentialIds
from tests.fakes.oidc_reader import OidcReader
from tests.fixtures.patience import until_told


class Door:
    def __init__(self, people: VouchedPeople, reader: OidcReader) -> None:
        self.people = people
        self.reader = reader
        self.statements: list[str] = []

    def remember(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.statements.append(statement)


@pytest.fixture
async def door(database_url: str, provider: IdentityProvider) -> AsyncIterator[Door]:
    async with AsyncExitStack() as stack:
        engine = make_engine(database_url)
        stack.push_async_callback(engine.dispose)
        sessions = make_sessions(engine)
        changes = IdentityChanges(database_url)
        people = CachedExternalPeople(sessions, changes)
        await changes.start()
        stack.push_async_callback(changes.stop)
        reader = OidcReader(provider)
        reader.settings.set(OIDC_CREATE_USERS, True)
        await _make_partitions(database_url)
        ids = SequentialIds()
        uow = PostgresUnitOfWork(sessions)
        async with uow as tx:
            await tx.teams.add(a_team())
            await tx.commit()
        auditor = Auditor(clock=reader.clock, ids=ids)
        admit = AdmitPerson(uow=uow, auditor=auditor, clock=reader.clock, ids=ids)
        door = Door(
            VouchedPeople(
                tokens=reader.tokens,
                people=people,
                settings=reader.settings,
                admit=admit,
                activity=PostgresPersonActivity(engine),
                clock=reader.clock,
            ),
            reader,
        )
        event.listen(engine.sync_engine, "before_cursor_execute", door.remember)
        yield door


async def _make_partitions(url: str) -> None:
    connection = await asyncpg.connect(url)
    await ensure_partitions(connection, months_from(START))
    await connection.close()


async def test_knowing_somebody_again_costs_neither_a_query_nor_a_fetch(door: Door) -> None:
    await door.people.actor_of(door.reader.token())
    # That the account was made is news, which makes everybody look again once.
    rounds = itertools.count()

    async def costs_nothing() -> bool:
        asked = sum(door.reader.provider.asked.values())
        door.statements.clear()
        for number in range(20):
            actor = await door.people.actor_of(door.reader.token(jti=f"{next(rounds)}-{number}"))
            assert actor.team_id == TEAM_ID
        return not door.statements and sum(door.reader.provider.asked.values()) == asked

    await until_told(costs_nothing)
