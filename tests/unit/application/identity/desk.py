from application.identity.find_key import FindKey
from application.identity.found_first_team import FoundFirstTeam
from application.identity.get_key import GetKey
from application.identity.issue_key import IssueKey
from application.identity.list_keys import ListKeys
from application.identity.revoke_key import RevokeKey
from application.identity.update_key import UpdateKey
from application.identity.update_team import UpdateTeam
from application.shared.auditing import Auditor
from domain.identity.api_key import ApiKey
from domain.shared.ids import KeyId
from tests.builders import a_membership, a_team, a_user
from tests.fakes.clock import FrozenClock
from tests.fakes.identity import InMemoryIdentityUnitOfWork
from tests.fakes.identity_state import InMemoryIdentity
from tests.fakes.ids import SequentialIds
from tests.fakes.secrets import SequentialSecrets


class Desk:
    """The use cases of keys on fakes, with a team and its owner. Each use case has a unit of work
    of its own, as each request has."""

    def __init__(self) -> None:
        self.database = InMemoryIdentity()
        self.clock = FrozenClock()
        self.ids = SequentialIds()
        self.secrets = SequentialSecrets()
        team, user, membership = a_team(), a_user(), a_membership()
        self.database.committed.teams[team.id] = team
        self.database.committed.users[user.id] = user
        self.database.committed.memberships[team.id, user.id] = membership

    def has(self, key: ApiKey) -> ApiKey:
        self.database.committed.keys[key.id] = key
        return key

    def key(self, key_id: KeyId) -> ApiKey:
        return self.database.committed.keys[key_id]

    @property
    def uow(self) -> InMemoryIdentityUnitOfWork:
        return InMemoryIdentityUnitOfWork(self.database)

    @property
    def auditor(self) -> Auditor:
        return Auditor(clock=self.clock, ids=self.ids)

    @property
    def actions(self) -> list[str]:
        """What the audit trail has, oldest first."""
        return [entry.action for entry in self.database.committed.audit]

    @property
    def update_team(self) -> UpdateTeam:
        return UpdateTeam(
            uow=self.uow,
            runtime=self.database.settings.runtime,
            auditor=self.auditor,
            clock=self.clock,
        )

    @property
    def issue(self) -> IssueKey:
        return IssueKey(
            uow=self.uow, clock=self.clock, ids=self.ids, secrets=self.secrets, auditor=self.auditor
        )

    @property
    def update(self) -> UpdateKey:
        return UpdateKey(uow=self.uow, clock=self.clock, auditor=self.auditor)

    @property
    def revoke(self) -> RevokeKey:
        return RevokeKey(uow=self.uow, clock=self.clock, auditor=self.auditor)

    @property
    def get(self) -> GetKey:
        return GetKey(uow=self.uow)

    @property
    def find(self) -> FindKey:
        return FindKey(uow=self.uow)

    @property
    def list(self) -> ListKeys:
        return ListKeys(uow=self.uow)

    @property
    def found(self) -> FoundFirstTeam:
        return FoundFirstTeam(
            uow=self.uow,
            clock=self.clock,
            ids=self.ids,
            secrets=self.secrets,
            auditor=self.auditor,
        )
