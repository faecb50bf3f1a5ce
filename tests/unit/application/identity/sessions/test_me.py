from dataclasses import replace

import pytest

from application.identity.sessions.me import OwnTeam
from application.identity.sessions.update_me import UpdateMeCommand
from application.shared.actor import Actor
from domain.identity.permissions import PERMISSIONS_OF, Role
from domain.shared.errors import InvalidError
from tests.builders import OTHER_TEAM_ID, TEAM_ID, USER_ID, a_membership, a_team
from tests.unit.application.identity.sessions.front_desk import FrontDesk


@pytest.fixture
async def actor(desk: FrontDesk) -> Actor:
    return desk.actor(await desk.opened())


async def test_shows_a_person_with_the_teams(desk: FrontDesk, actor: Actor) -> None:
    state = desk.database.committed
    state.teams[OTHER_TEAM_ID] = a_team(id=OTHER_TEAM_ID, name="Other")
    place = a_membership(team_id=OTHER_TEAM_ID, role=Role.VIEWER)
    state.memberships[OTHER_TEAM_ID, USER_ID] = place

    me = await desk.get_me(actor)

    assert me.user == desk.user
    assert (me.team_id, me.role, me.permissions) == (
        TEAM_ID,
        Role.OWNER,
        PERMISSIONS_OF[Role.OWNER],
    )
    assert me.teams == (
        OwnTeam(id=TEAM_ID, name="Acme", role=Role.OWNER),
        OwnTeam(id=OTHER_TEAM_ID, name="Other", role=Role.VIEWER),
    )


async def test_changes_what_is_given(desk: FrontDesk, actor: Actor) -> None:
    before = replace(desk.user)

    me = await desk.update_me(
        UpdateMeCommand(actor=actor, display_name="  Ada L. ", avatar_colour="#ABCDEF")
    )
    await desk.update_me(UpdateMeCommand(actor=actor, locale="de-AT"))

    assert me.user == replace(before, display_name="Ada L.", avatar_colour="#abcdef")
    assert desk.user == replace(me.user, locale="de-AT")
    entry = desk.audit[-1]
    assert (entry.action, entry.before, entry.after) == (
        "user.updated",
        {"locale": "en"},
        {"locale": "de-AT"},
    )


async def test_what_changes_nothing_is_not_on_record(desk: FrontDesk, actor: Actor) -> None:
    await desk.update_me(UpdateMeCommand(actor=actor, locale="en"))

    assert desk.actions == ["session.created"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("display_name", " "),
        ("display_name", "a" * 101),
        ("display_name", "a\0"),
        ("avatar_colour", "red"),
        ("avatar_colour", "#12345"),
        ("locale", ""),
        ("locale", "german, please"),
        ("locale", "a" * 50),
    ],
)
async def test_names_what_is_wrong(desk: FrontDesk, actor: Actor, field: str, value: str) -> None:
    before = replace(desk.user)

    with pytest.raises(InvalidError) as refused:
        await desk.update_me(UpdateMeCommand(actor=actor, **{field: value}))

    assert refused.value.param == field
    assert desk.user == before
