import asyncio

import pytest

from application.identity.issue_key import IssuedKey
from domain.identity.api_key import ApiKey, hash_secret
from domain.identity.membership import Membership
from domain.identity.permissions import Permission, Role
from domain.identity.team import Team
from domain.identity.user import User
from domain.operations.audit import ActorKind
from tests.fakes.clock import START
from tests.fakes.identity_state import InMemoryIdentity
from tests.unit.application.identity.desk import Desk


def unseen(_: IssuedKey) -> None:
    """Whoever asks gets it returned."""


async def test_makes_a_team_an_owner_and_a_key_on_a_fresh_database(desk: Desk) -> None:
    desk.database = InMemoryIdentity()

    issued = await desk.found(unseen)

    assert issued is not None
    team_id, user_id = issued.key.team_id, issued.key.user_id
    assert user_id is not None
    made = desk.database.committed
    assert made.teams == {team_id: Team(id=team_id, name="My team", created_at=START)}
    assert made.users == {
        user_id: User(id=user_id, display_name="Owner", created_at=START, is_operator=True)
    }
    assert list(made.memberships.values()) == [
        Membership(team_id=team_id, user_id=user_id, role=Role.OWNER)
    ]
    assert list(made.keys.values()) == [
        ApiKey(
            id=issued.key.id,
            team_id=team_id,
            user_id=user_id,
            name="first key",
            secret_hash=hash_secret(issued.secret),
            hint=issued.secret[-4:],
            allowed_models=("*",),
            scopes=tuple(Permission),
            created_at=START,
        )
    ]


async def test_the_first_key_is_on_record_without_its_secret(desk: Desk) -> None:
    desk.database = InMemoryIdentity()

    issued = await desk.found(unseen)

    assert issued is not None
    assert desk.actions == ["team.created", "key.issued"]
    assert {entry.actor_kind for entry in desk.database.committed.audit} == {ActorKind.SYSTEM}
    assert issued.secret not in repr(desk.database.committed.audit)


async def test_does_nothing_when_there_is_a_team_already(desk: Desk) -> None:
    desk.database = InMemoryIdentity()
    await desk.found(unseen)

    assert await desk.found(unseen) is None
    assert len(desk.database.committed.teams) == 1
    assert len(desk.database.committed.keys) == 1


async def test_two_servers_that_start_at_once_make_one_team(desk: Desk) -> None:
    desk.database = InMemoryIdentity()

    issued = await asyncio.gather(desk.found(unseen), desk.found(unseen))

    assert [key is None for key in issued] == [False, True]
    assert len(desk.database.committed.teams) == 1


async def test_the_key_is_shown_before_it_is_kept(desk: Desk) -> None:
    desk.database = InMemoryIdentity()
    kept_when_shown: list[int] = []

    issued = await desk.found(lambda _: kept_when_shown.append(len(desk.database.committed.keys)))

    assert issued is not None
    assert kept_when_shown == [0]
    assert len(desk.database.committed.keys) == 1


async def test_a_key_that_cannot_be_shown_is_not_made(desk: Desk) -> None:
    desk.database = InMemoryIdentity()
    shown: list[str] = []

    def broken(issued: IssuedKey) -> None:
        shown.append(issued.secret)
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        await desk.found(broken)
    again = await desk.found(unseen)

    assert again is not None
    assert again.secret not in shown
    assert len(desk.database.committed.keys) == 1
