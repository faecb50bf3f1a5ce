"""In-memory neighbours of the HTTP adapter: as much of each port as its controllers need."""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from application.identity.ports import (
    ApiKeys,
    Credential,
    Credentials,
    IdentityUnitOfWork,
    KeyActivity,
    Memberships,
    Teams,
    Users,
)
from application.inference.ports import CallFilter, CallReader, UsageGrouping, UsageRow
from application.shared.pagination import Page, PageRequest, Slice
from application.shared.ports import AuditTrail, Clock, EventLog, IdGenerator, SecretGenerator
from domain.identity.api_key import ApiKey
from domain.identity.errors import KeyNameTakenError, KeyNotFoundError
from domain.identity.team import Team
from domain.inference.call import Call, CallStatus
from domain.inference.errors import CallNotFoundError
from domain.shared.ids import CallId, KeyId, TeamId
from tests.fakes.identity_state import InMemoryIdentity, Transaction
from tests.fakes.people import InMemoryMemberships, InMemoryUsers
from tests.fakes.records import InMemoryAuditTrail, InMemoryEventLog

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass
class HandClock(Clock):
    at: datetime = NOON

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def advance(self, **span: float) -> None:
        self.at += timedelta(**span)


@dataclass
class CountingIds(IdGenerator):
    last: int = 0

    def new(self) -> UUID:
        self.last += 1
        return UUID(f"01900000-0000-7000-8000-{self.last:012d}")


class CountingSecrets(SecretGenerator):
    def __init__(self) -> None:
        self.last = 0

    def token(self) -> str:
        self.last += 1
        return f"secret-{self.last:040d}"


@dataclass
class Memory:
    """What is committed."""

    keys: dict[KeyId, ApiKey] = field(default_factory=dict)
    teams: dict[TeamId, Team] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)


class MemoryKeys(ApiKeys):
    def __init__(self, keys: dict[KeyId, ApiKey]) -> None:
        self._keys = keys

    async def add(self, key: ApiKey) -> None:
        if await self.find_by_name(key.team_id, key.name) is not None:
            raise KeyNameTakenError(key.name)
        self._keys[key.id] = key

    async def get(self, team_id: TeamId, key_id: KeyId) -> ApiKey:
        key = self._keys.get(key_id)
        if key is None or key.team_id != team_id:
            raise KeyNotFoundError
        return key

    async def save(self, key: ApiKey) -> None:
        self._keys[key.id] = key

    async def find_by_name(self, team_id: TeamId, name: str) -> ApiKey | None:
        live = (k for k in self._keys.values() if k.team_id == team_id and k.revoked_at is None)
        return next((key for key in live if key.name == name), None)

    async def list(self, team_id: TeamId, page: PageRequest) -> Page[ApiKey]:
        found = sorted(
            (key for key in self._keys.values() if key.team_id == team_id),
            key=lambda key: key.id,
            reverse=True,
        )
        items = tuple(found[page.offset : page.offset + page.page_size])
        return Page(items=items, total=len(found), page=page.page, page_size=page.page_size)


class MemoryTeams(Teams):
    def __init__(self, teams: dict[TeamId, Team]) -> None:
        self._teams = teams

    async def add(self, team: Team) -> None:
        self._teams[team.id] = team

    async def get(self, team_id: TeamId) -> Team:
        return self._teams[team_id]

    async def save(self, team: Team) -> None:
        self._teams[team.id] = team

    async def first(self) -> Team | None:
        return next(iter(self._teams.values()), None)


class MemoryUnitOfWork(IdentityUnitOfWork):
    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._draft = deepcopy(memory)
        self._people = Transaction(InMemoryIdentity())

    async def __aenter__(self) -> Self:
        self._draft = deepcopy(self._memory)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None

    async def commit(self) -> None:
        self._memory.keys = self._draft.keys
        self._memory.teams = self._draft.teams

    @property
    def audit(self) -> AuditTrail:
        return InMemoryAuditTrail([])

    @property
    def events(self) -> EventLog:
        return InMemoryEventLog([])

    @property
    def api_keys(self) -> ApiKeys:
        return MemoryKeys(self._draft.keys)

    @property
    def teams(self) -> Teams:
        return MemoryTeams(self._draft.teams)

    @property
    def users(self) -> Users:
        return InMemoryUsers(self._people)

    @property
    def memberships(self) -> Memberships:
        return InMemoryMemberships(self._people)


@dataclass
class MemoryCredentials(Credentials):
    memory: Memory

    async def find(self, secret_hash: bytes) -> Credential | None:
        for key in self.memory.keys.values():
            if key.secret_hash == secret_hash:
                team = self.memory.teams[key.team_id]
                return Credential(key=key, capture_content=team.capture_content)
        return None


class NoActivity(KeyActivity):
    def touch(self, key: ApiKey, at: datetime) -> None:
        return None

    async def flush(self) -> None:
        return None


@dataclass
class MemoryCalls(CallReader):
    memory: Memory
    asked: list[CallFilter] = field(default_factory=list)
    rows: tuple[UsageRow, ...] = ()
    groupings: list[UsageGrouping] = field(default_factory=list)

    async def list(
        self, team_id: TeamId, where: CallFilter, *, cursor: str | None, limit: int
    ) -> Slice[Call]:
        self.asked.append(where)
        start = int(cursor or 0)
        mine = [call for call in self.memory.calls if call.team_id == team_id]
        more = str(start + limit) if start + limit < len(mine) else None
        return Slice(items=tuple(mine[start : start + limit]), next_cursor=more)

    async def get(self, team_id: TeamId, call_id: CallId) -> Call:
        for call in self.memory.calls:
            if call.team_id == team_id and call.id == call_id:
                return call
        raise CallNotFoundError

    async def usage(
        self, team_id: TeamId, grouping: UsageGrouping, where: CallFilter
    ) -> tuple[UsageRow, ...]:
        self.asked.append(where)
        self.groupings.append(grouping)
        return self.rows


def a_usage_row(group: str, cost: str, **counts: int) -> UsageRow:
    zeros = dict.fromkeys(
        (
            "calls",
            *CallStatus,
            "prompt_tokens",
            "cached_tokens",
            "completion_tokens",
            "reasoning_tokens",
            "unpriced",
        ),
        0,
    )
    return UsageRow(group=group, label=group, cost=Decimal(cost), **(zeros | counts))


def a_call(team_id: TeamId, number: int = 1, **members: Any) -> Call:
    settled: dict[str, Any] = {
        "id": CallId(UUID(int=number)),
        "team_id": team_id,
        "key_id": None,
        "user_id": None,
        "correlation_id": "c-1",
        "endpoint": "/v1/chat/completions",
        "model": "large",
        "stream": False,
        "created_at": NOON,
    }
    return Call(**(settled | members))
