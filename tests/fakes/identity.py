"""The teams, users and keys in memory.

Like Postgres at READ COMMITTED, a unit of work sees what others have committed and what it has
written itself, locks wait, and a unique name is decided by whoever commits first.
"""

from copy import deepcopy
from types import TracebackType
from typing import Self

from application.identity.ports import ApiKeys, IdentityUnitOfWork, Teams
from application.shared.pagination import Page, PageRequest
from domain.identity.api_key import ApiKey
from domain.identity.errors import (
    KeyNameTakenError,
    KeyNotFoundError,
    MemberNotFoundError,
    TeamNotFoundError,
)
from domain.identity.team import Team
from domain.shared.ids import KeyId, TeamId, UserId
from tests.fakes.identity_allowances import InMemoryAllowances
from tests.fakes.identity_state import IdentityState, InMemoryIdentity, Transaction
from tests.fakes.people import InMemoryMemberships, InMemoryUsers
from tests.fakes.records import InMemoryAuditTrail, InMemoryEventLog
from tests.fakes.sessions import InMemorySessions
from tests.fakes.settings import InMemoryStoredSettings


class InMemoryApiKeys(ApiKeys):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, key: ApiKey) -> None:
        place = (key.team_id, key.user_id)
        if key.user_id is not None and place not in self._transaction.memberships():
            raise MemberNotFoundError
        await self._store(key)

    async def get(self, team_id: TeamId, key_id: KeyId) -> ApiKey:
        await self._transaction.lock("key", key_id)
        key = self._transaction.keys().get(key_id)
        if key is None or key.team_id != team_id:
            raise KeyNotFoundError
        return deepcopy(key)

    async def save(self, key: ApiKey) -> None:
        await self._transaction.lock("key", key.id)
        stored = self._transaction.keys().get(key.id)
        if stored is None or stored.team_id != key.team_id:
            raise KeyNotFoundError
        await self._store(key)

    async def find_by_name(self, team_id: TeamId, name: str) -> ApiKey | None:
        return deepcopy(self._live_key_named(team_id, name))

    async def list(
        self, team_id: TeamId, page: PageRequest, *, user_id: UserId | None = None
    ) -> Page[ApiKey]:
        of_team = [
            key
            for key in self._transaction.keys().values()
            if key.team_id == team_id and user_id in (None, key.user_id)
        ]
        newest_first = sorted(of_team, key=lambda key: key.id, reverse=True)
        chosen = newest_first[page.offset : page.offset + page.page_size]
        return Page(
            items=tuple(deepcopy(chosen)),
            total=len(of_team),
            page=page.page,
            page_size=page.page_size,
        )

    async def live_of(self, team_id: TeamId, user_id: UserId) -> tuple[ApiKey, ...]:
        wanted = (team_id, user_id, None)
        found = [
            key.id
            for key in self._transaction.keys().values()
            if (key.team_id, key.user_id, key.revoked_at) == wanted
        ]
        return tuple([await self.get(team_id, key_id) for key_id in sorted(found)])

    async def _store(self, key: ApiKey) -> None:
        if key.revoked_at is None:
            await self._transaction.lock("key name", key.team_id, key.name)
            holder = self._live_key_named(key.team_id, key.name)
            if holder is not None and holder.id != key.id:
                raise KeyNameTakenError(key.name)
        self._transaction.written.keys[key.id] = deepcopy(key)

    def _live_key_named(self, team_id: TeamId, name: str) -> ApiKey | None:
        return next(
            (
                key
                for key in self._transaction.keys().values()
                if (key.team_id, key.name, key.revoked_at) == (team_id, name, None)
            ),
            None,
        )


class InMemoryTeams(Teams):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, team: Team) -> None:
        self._transaction.written.teams[team.id] = deepcopy(team)

    async def get(self, team_id: TeamId) -> Team:
        await self._transaction.lock("team", team_id)
        team = self._transaction.teams().get(team_id)
        if team is None:
            raise TeamNotFoundError
        return deepcopy(team)

    async def save(self, team: Team) -> None:
        await self.get(team.id)
        await self.add(team)

    async def first(self) -> Team | None:
        await self._transaction.lock("first team")
        teams = self._transaction.teams()
        return deepcopy(teams[min(teams)]) if teams else None

    async def named(self, name: str) -> tuple[Team, ...]:
        return tuple(team for team in self._oldest_first() if team.name == name)

    async def list(self, page: PageRequest, *, user_id: UserId | None = None) -> Page[Team]:
        memberships = self._transaction.memberships()
        found = [
            team
            for team in self._oldest_first()
            if user_id is None or (team.id, user_id) in memberships
        ]
        return Page(
            items=tuple(found[page.offset : page.offset + page.page_size]),
            total=len(found),
            page=page.page,
            page_size=page.page_size,
        )

    def _oldest_first(self) -> tuple[Team, ...]:
        teams = self._transaction.teams()
        return tuple(deepcopy(teams[team_id]) for team_id in sorted(teams))


class InMemoryIdentityUnitOfWork(IdentityUnitOfWork):
    """Several units of work on one ``database`` see each other's commits and wait for each
    other's locks."""

    def __init__(self, database: InMemoryIdentity | None = None) -> None:
        self.database = database or InMemoryIdentity()
        self._transaction: Transaction | None = None

    @property
    def committed(self) -> IdentityState:
        return self.database.committed

    @property
    def is_open(self) -> bool:
        return self._transaction is not None

    async def __aenter__(self) -> Self:
        if self._transaction is not None:
            raise RuntimeError("This unit of work is open already.")
        self._transaction = Transaction(self.database)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open_transaction.end()
        self._transaction = None

    async def commit(self) -> None:
        self._open_transaction.commit()

    @property
    def audit(self) -> InMemoryAuditTrail:
        return InMemoryAuditTrail(self._open_transaction.written.audit)

    @property
    def events(self) -> InMemoryEventLog:
        return InMemoryEventLog(self._open_transaction.written.events)

    @property
    def api_keys(self) -> InMemoryApiKeys:
        return InMemoryApiKeys(self._open_transaction)

    @property
    def teams(self) -> InMemoryTeams:
        return InMemoryTeams(self._open_transaction)

    @property
    def users(self) -> InMemoryUsers:
        return InMemoryUsers(self._open_transaction)

    @property
    def memberships(self) -> InMemoryMemberships:
        return InMemoryMemberships(self._open_transaction)

    @property
    def sessions(self) -> InMemorySessions:
        return InMemorySessions(self._open_transaction)

    @property
    def settings(self) -> InMemoryStoredSettings:
        return self._open_transaction.settings

    @property
    def allowances(self) -> InMemoryAllowances:
        return InMemoryAllowances(self._open_transaction)

    @property
    def _open_transaction(self) -> Transaction:
        if self._transaction is None:
            raise RuntimeError("This unit of work is not open.")
        return self._transaction
