"""Whatever owners do to each other at once, one who can log in is left, and nobody waits in a
circle."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from random import Random
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.partitions import ensure_partitions, months_from
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from application.identity.issue_key import IssueKey, IssueKeyCommand
from application.identity.people.change_role import ChangeRole, ChangeRoleCommand
from application.identity.people.deactivation import Deactivation
from application.identity.people.member_keys import MemberKeys
from application.identity.people.remove_member import RemoveMember, RemoveMemberCommand
from application.identity.people.update_user import UpdateUser, UpdateUserCommand, UserChange
from application.shared.actor import Actor
from application.shared.auditing import Auditor
from domain.identity.permissions import Role
from domain.shared.errors import FunctionalError
from domain.shared.ids import UserId
from tests.builders import TEAM_ID, a_membership, a_team, a_user
from tests.fakes.clock import START, FrozenClock
from tests.fakes.ids import SequentialIds, uuid7_at
from tests.fakes.secrets import SequentialSecrets

OWNERS = [UserId(uuid7_at(START, 500 + number)) for number in range(6)]
SEEDS = range(4)
ACTS = 40


class Turmoil:
    def __init__(self, engine: AsyncEngine, seed: int) -> None:
        self._sessions = make_sessions(engine)
        self._random = Random(seed)  # noqa: S311 - not for secrets
        self._clock = FrozenClock()
        self._ids = SequentialIds()
        self._secrets = SequentialSecrets()
        self._auditor = Auditor(clock=self._clock, ids=self._ids)
        self._keys = MemberKeys(auditor=self._auditor, clock=self._clock)

    @property
    def uow(self) -> PostgresUnitOfWork:
        return PostgresUnitOfWork(self._sessions)

    async def settle_in(self) -> None:
        async with self.uow as tx:
            await tx.teams.add(a_team())
            for number, user_id in enumerate(OWNERS):
                await tx.users.add(a_user(id=user_id, email=f"{number}@acme.example"))
                await tx.memberships.add(a_membership(user_id=user_id, role=Role.OWNER))
            await tx.commit()

    def something(self) -> Coroutine[Any, Any, object]:
        actor, user_id = self._actor(), self._random.choice(OWNERS)
        acts: list[Callable[[], Coroutine[Any, Any, object]]] = [
            lambda: self._change_role(actor, user_id),
            lambda: self._remove(actor, user_id),
            lambda: self._activity(actor, user_id),
            lambda: self._issue(actor),
        ]
        return self._random.choice(acts)()

    def _actor(self) -> Actor:
        return Actor(team_id=TEAM_ID, user_id=self._random.choice(OWNERS))

    async def _change_role(self, actor: Actor, user_id: UserId) -> None:
        role = self._random.choice([Role.OWNER, Role.ADMIN])
        change = ChangeRole(uow=self.uow, auditor=self._auditor, keys=self._keys)
        await change(ChangeRoleCommand(actor=actor, user_id=user_id, role=role))

    async def _remove(self, actor: Actor, user_id: UserId) -> None:
        remove = RemoveMember(uow=self.uow, auditor=self._auditor, keys=self._keys)
        await remove(RemoveMemberCommand(actor=actor, user_id=user_id))

    async def _activity(self, actor: Actor, user_id: UserId) -> None:
        update = UpdateUser(
            uow=self.uow,
            auditor=self._auditor,
            clock=self._clock,
            keys=self._keys,
            deactivation=Deactivation(keys=self._keys, clock=self._clock),
        )
        change = UserChange(is_active=self._random.random() < 0.3)
        await update(UpdateUserCommand(actor=actor, user_id=user_id, change=change))

    async def _issue(self, actor: Actor) -> None:
        issue = IssueKey(
            uow=self.uow,
            clock=self._clock,
            ids=self._ids,
            secrets=self._secrets,
            auditor=self._auditor,
        )
        await issue(IssueKeyCommand(actor=actor, name=str(self._ids.new())))


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database_url, pool_size=8, max_overflow=0)
    async with engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await ensure_partitions(driver, months_from(START))
    yield engine
    await engine.dispose()


@pytest.mark.parametrize("seed", SEEDS)
async def test_an_owner_is_always_left(engine: AsyncEngine, seed: int) -> None:
    turmoil = Turmoil(engine, seed)
    await turmoil.settle_in()

    results = await asyncio.gather(
        *(turmoil.something() for _ in range(ACTS)), return_exceptions=True
    )

    async with turmoil.uow as tx:
        assert await tx.memberships.count_active_owners(TEAM_ID) >= 1
    surprises = [r for r in results if isinstance(r, Exception)]
    assert [r for r in surprises if not isinstance(r, FunctionalError)] == []
    assert len(surprises) < len(results)
