import asyncio
from typing import Any

import pytest

from application.identity.external.admit_person import AdmitPerson
from application.identity.external.ports import ExternalIdentity
from application.identity.external.vouched_people import VouchedPeople
from application.shared.actor import Actor
from application.shared.auditing import Auditor
from domain.identity.errors import (
    CredentialsInvalidError,
    NoTeamError,
    PersonUnknownError,
    TeamNotFoundError,
)
from domain.identity.joining.registration import RegistrationRole
from domain.identity.permissions import PERMISSIONS_OF, Permission, Role
from domain.identity.user import User
from domain.operations.audit import ActorKind
from domain.operations.runtime_settings import OIDC_CREATE_USERS, OIDC_ROLE
from domain.shared.ids import UserId
from tests.builders import OTHER_TEAM_ID, TEAM_ID, USER_ID, a_membership, a_team, a_user
from tests.fakes.clock import START, FrozenClock
from tests.fakes.external_people import (
    InMemoryExternalPeople,
    InMemoryPersonActivity,
    PlainIdentityTokens,
)
from tests.fakes.identity import InMemoryIdentityUnitOfWork
from tests.fakes.identity_state import InMemoryIdentity
from tests.fakes.ids import SequentialIds, uuid7_at
from tests.fakes.runtime_settings import InMemoryRuntimeSettings

ISSUER = "https://id.example.com"
PERSON_ID = UserId(uuid7_at(START, 50))


class Desk:
    """A team with an owner who has an e-mail address, and two teams in all."""

    def __init__(self) -> None:
        self.database = InMemoryIdentity()
        self.tokens = PlainIdentityTokens()
        self.settings = InMemoryRuntimeSettings()
        self.activity = InMemoryPersonActivity()
        clock, ids = FrozenClock(), SequentialIds(START)
        self.state = self.database.committed
        for team in (a_team(), a_team(id=OTHER_TEAM_ID)):
            self.state.teams[team.id] = team
        self.knows(a_user(email="ada@example.com"), Role.OWNER)
        self.people = VouchedPeople(
            tokens=self.tokens,
            people=InMemoryExternalPeople(self.database),
            settings=self.settings,
            admit=AdmitPerson(
                uow=InMemoryIdentityUnitOfWork(self.database),
                auditor=Auditor(clock=clock, ids=ids),
                clock=clock,
                ids=ids,
            ),
            activity=self.activity,
            clock=clock,
        )

    def knows(self, user: User, role: Role | None = None) -> None:
        self.state.users[user.id] = user
        if role is not None:
            self.state.memberships[TEAM_ID, user.id] = a_membership(user_id=user.id, role=role)

    def knows_person(self, role: Role | None = Role.MEMBER, **fields: Any) -> None:
        fields = {"external_issuer": ISSUER, "external_subject": "s-1"} | fields
        self.knows(a_user(id=PERSON_ID, **fields), role)

    async def comes(self, subject: str = "s-1", **fields: Any) -> Actor:
        token = f"token of {subject}"
        self.tokens.identities[token] = ExternalIdentity(issuer=ISSUER, subject=subject, **fields)
        return await self.people.actor_of(token)

    @property
    def newest(self) -> User:
        return self.state.users[max(self.state.users, key=lambda i: self.state.users[i].created_at)]


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_known_person_acts_with_the_role_in_the_oldest_team(desk: Desk) -> None:
    desk.knows_person(Role.VIEWER)
    later = a_membership(team_id=OTHER_TEAM_ID, user_id=PERSON_ID, role=Role.OWNER)
    desk.state.memberships[OTHER_TEAM_ID, PERSON_ID] = later

    actor = await desk.comes()

    assert (actor.team_id, actor.user_id) == (TEAM_ID, PERSON_ID)
    assert actor.permissions == PERMISSIONS_OF[Role.VIEWER]
    assert (actor.kind, actor.key_id, actor.session_id) == (ActorKind.USER, None, None)


async def test_coming_with_a_token_is_a_login(desk: Desk) -> None:
    desk.knows_person()

    await desk.comes()

    assert desk.activity.touched == {PERSON_ID: START}


async def test_who_is_refused_has_not_logged_in(desk: Desk) -> None:
    desk.knows_person(is_active=False)

    with pytest.raises(CredentialsInvalidError):
        await desk.comes()

    assert not desk.activity.touched


async def test_an_operator_stays_one(desk: Desk) -> None:
    desk.knows_person(is_operator=True)

    assert (await desk.comes()).may(Permission.MANAGE_SERVER)


async def test_a_token_that_is_not_believed_is_nobody(desk: Desk) -> None:
    with pytest.raises(CredentialsInvalidError):
        await desk.people.actor_of("a token")


async def test_strangers_stay_out_unless_the_settings_let_them_in(desk: Desk) -> None:
    with pytest.raises(PersonUnknownError):
        await desk.comes()

    assert set(desk.state.users) == {USER_ID}


async def test_a_newcomer_gets_an_account_in_the_first_team(desk: Desk) -> None:
    desk.settings.set(OIDC_CREATE_USERS, True)

    actor = await desk.comes(name="Grace\n Hopper")
    again = await desk.comes()

    assert actor.user_id is not None
    user = desk.state.users[actor.user_id]
    assert (user.external_issuer, user.external_subject) == (ISSUER, "s-1")
    assert (user.display_name, user.last_login_at) == ("Grace Hopper", START)
    assert not user.is_operator
    assert actor == again
    assert actor.team_id == TEAM_ID
    assert actor.permissions == PERMISSIONS_OF[Role.MEMBER]


async def test_newcomers_get_the_role_of_the_settings(desk: Desk) -> None:
    desk.settings.set(OIDC_CREATE_USERS, True)
    desk.settings.set(OIDC_ROLE, RegistrationRole.VIEWER)

    assert (await desk.comes()).permissions == PERMISSIONS_OF[Role.VIEWER]


async def test_a_new_account_is_on_record(desk: Desk) -> None:
    desk.settings.set(OIDC_CREATE_USERS, True)

    actor = await desk.comes(name="Grace")

    entry = desk.state.audit[-1]
    assert (entry.action, entry.target_id) == ("user.created", str(actor.user_id))
    assert (entry.actor_kind, entry.user_id) == (ActorKind.USER, actor.user_id)
    assert entry.after == {
        "display_name": "Grace",
        "external_issuer": ISSUER,
        "external_subject": "s-1",
        "role": "member",
    }


async def test_an_address_takes_over_no_account(desk: Desk) -> None:
    desk.settings.set(OIDC_CREATE_USERS, True)

    actor = await desk.comes(email="ada@example.com", email_verified=True)

    assert actor.user_id != USER_ID
    assert actor.user_id is not None
    assert desk.state.users[actor.user_id].email is None
    assert desk.state.users[USER_ID].external_subject is None


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({}, "s-1"),
        ({"email": "grace@example.com"}, "grace@example.com"),
        ({"name": "\n\t"}, "User"),
        ({"name": "G" * 300}, "G" * 100),
    ],
    ids=["the subject", "the address", "nothing of use", "too long"],
)
async def test_a_newcomer_is_called_something(
    desk: Desk, fields: dict[str, Any], name: str
) -> None:
    desk.settings.set(OIDC_CREATE_USERS, True)

    actor = await desk.comes(**fields)

    assert actor.user_id is not None
    assert desk.state.users[actor.user_id].display_name == name


async def test_somebody_who_comes_many_times_at_once_gets_one_account(desk: Desk) -> None:
    desk.settings.set(OIDC_CREATE_USERS, True)

    actors = await asyncio.gather(*(desk.comes() for _ in range(10)), desk.comes("s-2"))

    assert len({actor.user_id for actor in actors}) == 2
    assert len(desk.state.users) == 3


@pytest.mark.parametrize("role", [Role.VIEWER, None], ids=["a member", "in no team"])
async def test_who_was_admitted_by_another_node_meanwhile_is_who_that_was(
    desk: Desk, role: Role | None
) -> None:
    desk.knows_person(role)
    identity = ExternalIdentity(issuer=ISSUER, subject="s-1")

    person = await desk.people.admit(identity, Role.MEMBER)

    assert (person.user_id, person.role) == (PERSON_ID, role)
    assert len(desk.state.users) == 2


async def test_who_was_deactivated_stays_out(desk: Desk) -> None:
    desk.settings.set(OIDC_CREATE_USERS, True)
    desk.knows_person(is_active=False)

    with pytest.raises(CredentialsInvalidError):
        await desk.comes()


async def test_who_was_removed_from_the_team_does_not_come_back(desk: Desk) -> None:
    desk.settings.set(OIDC_CREATE_USERS, True)
    desk.knows_person(role=None)

    with pytest.raises(NoTeamError):
        await desk.comes()


async def test_nobody_is_admitted_to_a_server_without_a_team(desk: Desk) -> None:
    desk.settings.set(OIDC_CREATE_USERS, True)
    desk.state.teams.clear()

    with pytest.raises(TeamNotFoundError):
        await desk.comes()
