"""A company on fakes: two teams, and people of every role."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from application.identity.joining.links import Links
from application.identity.people.change_role import ChangeRole
from application.identity.people.create_user import CreateUser
from application.identity.people.deactivation import Deactivation
from application.identity.people.find_user import FindUser
from application.identity.people.get_user import GetUser
from application.identity.people.issue_password_reset import IssuePasswordReset
from application.identity.people.list_members import ListMembers
from application.identity.people.list_users import ListUsers
from application.identity.people.member_keys import MemberKeys
from application.identity.people.remove_member import RemoveMember
from application.identity.people.reset_links import ResetLinks
from application.identity.people.set_password import SetPassword
from application.identity.people.update_user import UpdateUser
from application.shared.actor import Actor
from application.shared.auditing import Auditor
from domain.identity.api_key import ApiKey
from domain.identity.permissions import Role, permissions_of
from domain.identity.session import Session
from domain.identity.user import User
from domain.shared.ids import KeyId, SessionId, TeamId, UserId
from tests.builders import OTHER_TEAM_ID, TEAM_ID, a_key, a_membership, a_session, a_team, a_user
from tests.fakes.clock import START, FrozenClock
from tests.fakes.identity_state import InMemoryIdentity
from tests.fakes.ids import SequentialIds, uuid7_at
from tests.fakes.joining import InMemoryJoiningUnitOfWork
from tests.fakes.passwords import some_passwords
from tests.fakes.secrets import SequentialSecrets

OWNER = UserId(uuid7_at(START, 101))
ADMIN = UserId(uuid7_at(START, 102))
MEMBER = UserId(uuid7_at(START, 103))
VIEWER = UserId(uuid7_at(START, 104))
STRANGER = UserId(uuid7_at(START, 105))
SESSION = SessionId(uuid7_at(START, 106))
ROLES = {OWNER: Role.OWNER, ADMIN: Role.ADMIN, MEMBER: Role.MEMBER, VIEWER: Role.VIEWER}


@dataclass
class Staff:
    """``STRANGER`` owns the other team."""

    database: InMemoryIdentity = field(default_factory=InMemoryIdentity)
    clock: FrozenClock = field(default_factory=FrozenClock)
    # Later than those of the builders, which would otherwise be the same.
    ids: SequentialIds = field(default_factory=lambda: SequentialIds(START + timedelta(hours=1)))
    secrets: SequentialSecrets = field(default_factory=SequentialSecrets)

    def __post_init__(self) -> None:
        for team in (a_team(), a_team(id=OTHER_TEAM_ID, name="Others")):
            self.database.committed.teams[team.id] = team
        for user_id, role in ROLES.items():
            self.hire(a_user(id=user_id, email=f"{role}@acme.example"), role)
        self.hire(a_user(id=STRANGER, email="s@others.example"), Role.OWNER, OTHER_TEAM_ID)

    def hire(self, user: User, role: Role, team_id: TeamId = TEAM_ID) -> None:
        state = self.database.committed
        state.users[user.id] = user
        membership = a_membership(team_id=team_id, user_id=user.id, role=role)
        state.memberships[team_id, user.id] = membership

    def has(self, key: ApiKey) -> ApiKey:
        self.database.committed.keys[key.id] = key
        return key

    def key_of(self, user_id: UserId, team_id: TeamId = TEAM_ID) -> ApiKey:
        return self.has(a_key(user_id=user_id, team_id=team_id))

    def session_of(self, user_id: UserId) -> Session:
        session = a_session(user_id=user_id)
        self.database.committed.sessions[session.id] = session
        return session

    def actor(self, user_id: UserId, *, operator: bool = False) -> Actor:
        """That person, logged in."""
        (membership,) = (
            found
            for found in self.database.committed.memberships.values()
            if found.user_id == user_id
        )
        return Actor(
            team_id=membership.team_id,
            user_id=user_id,
            session_id=SESSION,
            permissions=permissions_of(membership.role, is_operator=operator),
        )

    def role_of(self, user_id: UserId, team_id: TeamId = TEAM_ID) -> Role | None:
        found = self.database.committed.memberships.get((team_id, user_id))
        return None if found is None else found.role

    def user(self, user_id: UserId) -> User:
        return self.database.committed.users[user_id]

    def key(self, key_id: KeyId) -> ApiKey:
        return self.database.committed.keys[key_id]

    def shut_out(self, user_id: UserId) -> None:
        state = self.database.committed
        state.users[user_id] = replace(state.users[user_id], is_active=False)

    @property
    def actions(self) -> list[str]:
        return [entry.action for entry in self.database.committed.audit]

    @property
    def uow(self) -> InMemoryJoiningUnitOfWork:
        return InMemoryJoiningUnitOfWork(self.database)

    @property
    def auditor(self) -> Auditor:
        return Auditor(clock=self.clock, ids=self.ids)

    @property
    def member_keys(self) -> MemberKeys:
        return MemberKeys(auditor=self.auditor, clock=self.clock)

    @property
    def resets(self) -> ResetLinks:
        links = Links("https://stoa.example")
        return ResetLinks(clock=self.clock, ids=self.ids, secrets=self.secrets, links=links)

    @property
    def change_role(self) -> ChangeRole:
        return ChangeRole(uow=self.uow, auditor=self.auditor, keys=self.member_keys)

    @property
    def remove_member(self) -> RemoveMember:
        return RemoveMember(uow=self.uow, auditor=self.auditor, keys=self.member_keys)

    @property
    def create_user(self) -> CreateUser:
        return CreateUser(
            uow=self.uow,
            auditor=self.auditor,
            clock=self.clock,
            ids=self.ids,
            passwords=some_passwords(),
            resets=self.resets,
        )

    @property
    def update_user(self) -> UpdateUser:
        return UpdateUser(
            uow=self.uow,
            auditor=self.auditor,
            clock=self.clock,
            keys=self.member_keys,
            deactivation=Deactivation(keys=self.member_keys, clock=self.clock),
        )

    @property
    def issue_password_reset(self) -> IssuePasswordReset:
        return IssuePasswordReset(uow=self.uow, auditor=self.auditor, resets=self.resets)

    @property
    def set_password(self) -> SetPassword:
        return SetPassword(
            uow=self.uow, auditor=self.auditor, clock=self.clock, passwords=some_passwords()
        )

    @property
    def find_user(self) -> FindUser:
        return FindUser(uow=self.uow)

    @property
    def get_user(self) -> GetUser:
        return GetUser(uow=self.uow)

    @property
    def list_users(self) -> ListUsers:
        return ListUsers(uow=self.uow)

    @property
    def list_members(self) -> ListMembers:
        return ListMembers(uow=self.uow)
