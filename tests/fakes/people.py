from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

from application.identity.ports import Memberships, Users
from application.shared.pagination import Page, PageRequest
from domain.identity.errors import (
    AlreadyMemberError,
    EmailTakenError,
    ExternalIdentityTakenError,
    MemberNotFoundError,
    TeamNotFoundError,
    UserNotFoundError,
)
from domain.identity.membership import Member, Membership
from domain.identity.permissions import Role
from domain.identity.user import User
from domain.shared.ids import TeamId, UserId
from tests.fakes.identity_state import Transaction


class InMemoryUsers(Users):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, user: User) -> None:
        await self._store(user)

    async def get(self, user_id: UserId) -> User:
        await self._transaction.lock("user", user_id)
        user = self._transaction.users().get(user_id)
        if user is None:
            raise UserNotFoundError
        return deepcopy(user)

    async def find_by_email(self, email: str) -> User | None:
        return self._find(lambda user: user.email == email)

    async def find_by_external(self, issuer: str, subject: str) -> User | None:
        return self._find(
            lambda user: (user.external_issuer, user.external_subject) == (issuer, subject)
        )

    async def save(self, user: User) -> None:
        await self.get(user.id)
        await self._store(user)

    async def owner_of(self, team_id: TeamId) -> User:
        owners = [
            membership.user_id
            for membership in self._transaction.memberships().values()
            if (membership.team_id, membership.role) == (team_id, Role.OWNER)
        ]
        if not owners:
            raise TeamNotFoundError
        return deepcopy(self._transaction.users()[min(owners)])

    async def _store(self, user: User) -> None:
        if user.email is not None:
            await self._transaction.lock("email", user.email)
            holder = await self.find_by_email(user.email)
            if holder is not None and holder.id != user.id:
                raise EmailTakenError
        if user.external_issuer is not None and user.external_subject is not None:
            identity = (user.external_issuer, user.external_subject)
            await self._transaction.lock("external", *identity)
            holder = await self.find_by_external(*identity)
            if holder is not None and holder.id != user.id:
                raise ExternalIdentityTakenError
        self._transaction.written.users[user.id] = deepcopy(user)

    def _find(self, is_meant: Callable[[User], bool]) -> User | None:
        users = self._transaction.users().values()
        return deepcopy(next((user for user in users if is_meant(user)), None))


class InMemoryMemberships(Memberships):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, membership: Membership) -> None:
        await self._transaction.lock("member", membership.team_id, membership.user_id)
        place = (membership.team_id, membership.user_id)
        if place in self._transaction.memberships():
            raise AlreadyMemberError
        self._transaction.put(membership)

    async def get(self, team_id: TeamId, user_id: UserId) -> Membership:
        await self._transaction.lock("member", team_id, user_id)
        membership = self._transaction.memberships().get((team_id, user_id))
        if membership is None:
            raise MemberNotFoundError
        return membership

    async def save(self, membership: Membership) -> None:
        await self.get(membership.team_id, membership.user_id)
        self._transaction.put(membership)

    async def remove(self, membership: Membership) -> None:
        await self.get(membership.team_id, membership.user_id)
        self._transaction.remove(membership)
        for key in self._transaction.keys().values():
            if (key.team_id, key.user_id) == (membership.team_id, membership.user_id):
                self._transaction.written.keys[key.id] = replace(key, user_id=None)

    async def find_member(self, team_id: TeamId, user_id: UserId) -> Member:
        membership = self._transaction.memberships().get((team_id, user_id))
        if membership is None:
            raise MemberNotFoundError
        return self._member(membership)

    async def list(self, team_id: TeamId, page: PageRequest) -> Page[Member]:
        of_team = [
            membership
            for membership in self._transaction.memberships().values()
            if membership.team_id == team_id
        ]
        oldest_first = sorted(of_team, key=lambda membership: membership.user_id)
        chosen = oldest_first[page.offset : page.offset + page.page_size]
        return Page(
            items=tuple(map(self._member, chosen)),
            total=len(of_team),
            page=page.page,
            page_size=page.page_size,
        )

    async def of_user(self, user_id: UserId) -> tuple[Membership, ...]:
        of_user = (
            membership
            for membership in self._transaction.memberships().values()
            if membership.user_id == user_id
        )
        return tuple(sorted(of_user, key=lambda membership: membership.team_id))

    async def count_active_owners(self, team_id: TeamId) -> int:
        await self._transaction.lock("team", team_id)
        users = self._transaction.users()
        return sum(
            (membership.team_id, membership.role) == (team_id, Role.OWNER)
            and users[membership.user_id].is_active
            and users[membership.user_id].is_person
            for membership in self._transaction.memberships().values()
        )

    def _member(self, membership: Membership) -> Member:
        user = deepcopy(self._transaction.users()[membership.user_id])
        return Member(user=user, role=membership.role)
