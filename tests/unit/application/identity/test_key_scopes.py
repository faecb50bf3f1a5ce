from dataclasses import replace
from typing import Any

import pytest

from application.identity.find_key import FindKeyQuery
from application.identity.get_key import GetKeyQuery
from application.identity.issue_key import IssueKeyCommand
from application.identity.list_keys import ListKeysQuery
from application.identity.revoke_key import RevokeKeyCommand
from application.identity.update_key import UpdateKeyCommand
from application.identity.update_team import UpdateTeamCommand
from application.shared.actor import Actor
from application.shared.pagination import PageRequest
from domain.identity.errors import KeyNotFoundError, ScopesExceededError
from domain.identity.permissions import PERMISSIONS_OF, Permission, Role
from domain.operations.audit import ActorKind
from domain.shared.errors import ForbiddenError, InvalidError
from domain.shared.ids import SessionId, UserId
from tests.builders import TEAM_ID, USER_ID, a_key, a_membership, an_actor
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at
from tests.unit.application.identity.desk import Desk

SOMEBODY = UserId(uuid7_at(START, 77))
SESSION = SessionId(uuid7_at(START, 78))
CALLING = (Permission.INVOKE_MODELS, Permission.READ_CALLS)


def a_member(role: Role = Role.MEMBER) -> Actor:
    return an_actor(key_id=None, permissions=PERMISSIONS_OF[role])


async def test_a_key_gets_what_its_maker_may_do(desk: Desk) -> None:
    issued = await desk.issue(IssueKeyCommand(actor=a_member(), name="mine"))

    assert issued.key.permissions == PERMISSIONS_OF[Role.MEMBER]


async def test_a_key_gets_the_scopes_that_are_asked_for(desk: Desk) -> None:
    command = IssueKeyCommand(actor=a_member(), name="mine", scopes=(Permission.READ_CALLS,))

    issued = await desk.issue(command)

    assert desk.key(issued.key.id).scopes == (Permission.READ_CALLS,)


async def test_a_key_may_do_nothing(desk: Desk) -> None:
    issued = await desk.issue(IssueKeyCommand(actor=a_member(), name="mine", scopes=()))

    assert issued.key.scopes == ()


async def test_nobody_makes_a_key_that_may_do_more_than_he(desk: Desk) -> None:
    command = IssueKeyCommand(actor=a_member(), name="mine", scopes=(Permission.MANAGE_KEYS,))

    with pytest.raises(ScopesExceededError):
        await desk.issue(command)

    assert desk.database.committed.keys == {}
    assert desk.actions == []


async def test_an_allow_list_and_scopes_over_keys_do_not_go_together(desk: Desk) -> None:
    command = IssueKeyCommand(
        actor=an_actor(), name="app", allowed_models=("gpt-*",), scopes=(Permission.MANAGE_KEYS,)
    )

    with pytest.raises(InvalidError) as refused:
        await desk.issue(command)

    assert refused.value.param == "scopes"


async def test_scopes_can_be_changed(desk: Desk) -> None:
    key = desk.has(a_key())

    await desk.update(
        UpdateKeyCommand(actor=an_actor(key_id=key.id), key_id=key.id, scopes=CALLING)
    )

    assert desk.key(key.id).scopes == CALLING


async def test_nobody_adds_a_scope_that_he_does_not_have(desk: Desk) -> None:
    key = desk.has(a_key(scopes=CALLING))
    command = UpdateKeyCommand(
        actor=a_member(), key_id=key.id, scopes=(*CALLING, Permission.READ_AUDIT)
    )

    with pytest.raises(ScopesExceededError):
        await desk.update(command)

    assert desk.key(key.id).scopes == CALLING


async def test_a_scope_that_is_there_may_stay(desk: Desk) -> None:
    key = desk.has(a_key(scopes=(*CALLING, Permission.MANAGE_OWNERS)))
    command = UpdateKeyCommand(
        actor=a_member(Role.ADMIN), key_id=key.id, scopes=(Permission.MANAGE_OWNERS,)
    )

    await desk.update(command)

    assert desk.key(key.id).scopes == (Permission.MANAGE_OWNERS,)


async def test_a_member_sees_and_changes_his_own_keys(desk: Desk) -> None:
    mine = desk.has(a_key(name="mine", user_id=USER_ID))
    actor = a_member()

    listed = await desk.list(ListKeysQuery(actor=actor, page=PageRequest()))
    shown = await desk.get(GetKeyQuery(actor=actor, key_id=mine.id))
    found = await desk.find(FindKeyQuery(actor=actor, reference="mine"))
    await desk.update(UpdateKeyCommand(actor=actor, key_id=mine.id, name="renamed"))
    await desk.revoke(RevokeKeyCommand(actor=actor, key_id=mine.id))

    assert listed.items == (mine,)
    assert shown == found == mine
    assert desk.key(mine.id).revoked_at == START


@pytest.mark.parametrize("user_id", [SOMEBODY, None], ids=["somebody", "nobody"])
async def test_a_member_finds_no_key_of_others(desk: Desk, user_id: UserId | None) -> None:
    theirs = desk.has(a_key(name="theirs", user_id=user_id))
    actor = a_member()

    listed = await desk.list(ListKeysQuery(actor=actor, page=PageRequest()))
    for refused in (
        desk.get(GetKeyQuery(actor=actor, key_id=theirs.id)),
        desk.find(FindKeyQuery(actor=actor, reference="theirs")),
        desk.find(FindKeyQuery(actor=actor, reference=str(theirs.id))),
        desk.update(UpdateKeyCommand(actor=actor, key_id=theirs.id, name="mine")),
        desk.revoke(RevokeKeyCommand(actor=actor, key_id=theirs.id)),
    ):
        with pytest.raises(KeyNotFoundError):
            await refused

    assert (listed.items, listed.total) == ((), 0)
    assert desk.key(theirs.id) == theirs


async def test_an_admin_sees_the_keys_of_all(desk: Desk) -> None:
    mine = desk.has(a_key(user_id=USER_ID))
    theirs = desk.has(a_key(user_id=SOMEBODY))

    page = await desk.list(ListKeysQuery(actor=a_member(Role.ADMIN), page=PageRequest()))

    assert page.items == (theirs, mine)


async def test_a_viewer_has_no_keys(desk: Desk) -> None:
    with pytest.raises(ForbiddenError):
        await desk.list(ListKeysQuery(actor=a_member(Role.VIEWER), page=PageRequest()))
    with pytest.raises(ForbiddenError):
        await desk.issue(IssueKeyCommand(actor=a_member(Role.VIEWER), name="mine"))


async def test_a_key_of_nobody_has_no_keys_of_its_own(desk: Desk) -> None:
    actor = an_actor(user_id=None, permissions=PERMISSIONS_OF[Role.MEMBER])

    with pytest.raises(ForbiddenError):
        await desk.list(ListKeysQuery(actor=actor, page=PageRequest()))


async def test_the_life_of_a_key_is_on_record(desk: Desk) -> None:
    actor = a_member(Role.OWNER)
    issued = await desk.issue(IssueKeyCommand(actor=an_actor(key_id=None), name="ci"))
    key_id = issued.key.id

    await desk.update(UpdateKeyCommand(actor=actor, key_id=key_id, name="build"))
    await desk.revoke(RevokeKeyCommand(actor=actor, key_id=key_id))
    await desk.revoke(RevokeKeyCommand(actor=actor, key_id=key_id))

    made, renamed, closed = desk.database.committed.audit
    assert desk.actions == ["key.issued", "key.updated", "key.revoked"]
    assert (made.team_id, made.user_id, made.actor_kind) == (TEAM_ID, USER_ID, ActorKind.OPERATOR)
    assert {(e.target_type, e.target_id) for e in (made, renamed, closed)} == {("key", str(key_id))}
    assert made.before is None
    assert made.after is not None
    assert made.after["name"] == "ci"
    assert (renamed.before, renamed.after) == ({"name": "ci"}, {"name": "build"})
    assert closed.before == {"revoked_at": None}
    assert issued.secret not in repr(desk.database.committed.audit)


async def test_a_change_of_the_team_is_on_record(desk: Desk) -> None:
    await desk.update_team(UpdateTeamCommand(actor=an_actor(), name="Research"))

    (entry,) = desk.database.committed.audit
    assert (entry.action, entry.target_id) == ("team.updated", str(TEAM_ID))
    assert (entry.before, entry.after) == ({"name": "Acme"}, {"name": "Research"})


async def test_a_person_gives_only_what_he_still_may(desk: Desk) -> None:
    key = desk.has(a_key(scopes=()))
    person = replace(a_member(), session_id=SESSION)
    desk.database.committed.memberships[TEAM_ID, USER_ID] = a_membership(role=Role.VIEWER)

    for refused in (
        desk.issue(IssueKeyCommand(actor=person, name="mine")),
        desk.update(UpdateKeyCommand(actor=person, key_id=key.id, scopes=CALLING)),
    ):
        with pytest.raises(ScopesExceededError):
            await refused

    assert desk.database.committed.keys == {key.id: key}


async def test_a_person_who_was_shut_out_gives_nothing(desk: Desk) -> None:
    users = desk.database.committed.users
    users[USER_ID] = replace(users[USER_ID], is_active=False)

    with pytest.raises(ScopesExceededError):
        await desk.issue(
            IssueKeyCommand(actor=replace(a_member(), session_id=SESSION), name="mine")
        )


@pytest.mark.parametrize("fields", [{"revoked_at": START}, {"scopes": CALLING}])
async def test_a_key_gives_only_what_it_still_may(desk: Desk, fields: dict[str, Any]) -> None:
    key = desk.has(a_key(**fields))

    with pytest.raises(ScopesExceededError):
        await desk.issue(IssueKeyCommand(actor=an_actor(key_id=key.id), name="mine"))
