import asyncio
from dataclasses import replace

import pytest

from application.identity.people.change_role import ChangeRoleCommand
from domain.identity.errors import LastOwnerError, MemberNotFoundError
from domain.identity.joining.errors import RoleExceededError
from domain.identity.permissions import PERMISSIONS_OF, Permission, Role
from domain.shared.errors import ForbiddenError
from domain.shared.ids import UserId
from tests.builders import a_key, a_user
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at
from tests.unit.application.identity.people.staff import (
    ADMIN,
    MEMBER,
    OWNER,
    STRANGER,
    VIEWER,
    Staff,
)

SECOND = UserId(uuid7_at(START, 200))


async def test_an_admin_gives_a_member_another_role(staff: Staff) -> None:
    command = ChangeRoleCommand(actor=staff.actor(ADMIN), user_id=MEMBER, role=Role.EDITOR)

    changed = await staff.change_role(command)

    assert (changed.user.id, changed.role) == (MEMBER, Role.EDITOR)
    assert staff.role_of(MEMBER) is Role.EDITOR
    (entry,) = staff.database.committed.audit
    assert (entry.action, entry.target_id) == ("member.role_changed", str(MEMBER))
    assert (entry.before, entry.after) == ({"role": "member"}, {"role": "editor"})


@pytest.mark.parametrize("user_id", [MEMBER, VIEWER], ids=["member", "viewer"])
async def test_changing_roles_needs_the_permission(staff: Staff, user_id: UserId) -> None:
    command = ChangeRoleCommand(actor=staff.actor(user_id), user_id=user_id, role=Role.OWNER)

    with pytest.raises(ForbiddenError):
        await staff.change_role(command)

    assert staff.role_of(user_id) is not Role.OWNER


async def test_an_admin_makes_no_owner(staff: Staff) -> None:
    for user_id in (MEMBER, ADMIN):
        with pytest.raises(RoleExceededError):
            await staff.change_role(
                ChangeRoleCommand(actor=staff.actor(ADMIN), user_id=user_id, role=Role.OWNER)
            )

    assert staff.role_of(ADMIN) is Role.ADMIN


async def test_an_admin_does_not_demote_an_owner(staff: Staff) -> None:
    staff.hire(a_user(id=SECOND, email="second@acme.example"), Role.OWNER)

    with pytest.raises(ForbiddenError):
        await staff.change_role(
            ChangeRoleCommand(actor=staff.actor(ADMIN), user_id=OWNER, role=Role.VIEWER)
        )

    assert staff.role_of(OWNER) is Role.OWNER


async def test_a_key_gives_no_role_that_may_do_more_than_the_key(staff: Staff) -> None:
    key = replace(
        staff.actor(OWNER),
        key_id=a_key().id,
        session_id=None,
        permissions=frozenset({Permission.MANAGE_MEMBERS}),
    )

    with pytest.raises(RoleExceededError):
        await staff.change_role(ChangeRoleCommand(actor=key, user_id=VIEWER, role=Role.ADMIN))


async def test_the_last_owner_is_not_demoted(staff: Staff) -> None:
    command = ChangeRoleCommand(actor=staff.actor(OWNER), user_id=OWNER, role=Role.ADMIN)

    with pytest.raises(LastOwnerError):
        await staff.change_role(command)

    assert staff.role_of(OWNER) is Role.OWNER


async def test_the_last_owner_may_be_made_owner_again(staff: Staff) -> None:
    command = ChangeRoleCommand(actor=staff.actor(OWNER), user_id=OWNER, role=Role.OWNER)

    assert (await staff.change_role(command)).role is Role.OWNER


async def test_an_owner_who_cannot_log_in_does_not_count(staff: Staff) -> None:
    staff.hire(a_user(id=SECOND, email="second@acme.example", is_active=False), Role.OWNER)
    command = ChangeRoleCommand(actor=staff.actor(OWNER), user_id=OWNER, role=Role.ADMIN)

    with pytest.raises(LastOwnerError):
        await staff.change_role(command)


async def test_of_two_owners_who_step_down_at_once_one_stays(staff: Staff) -> None:
    staff.hire(a_user(id=SECOND, email="second@acme.example"), Role.OWNER)

    results = await asyncio.gather(
        *(
            staff.change_role(
                ChangeRoleCommand(actor=staff.actor(user_id), user_id=user_id, role=Role.ADMIN)
            )
            for user_id in (OWNER, SECOND)
        ),
        return_exceptions=True,
    )

    assert [type(result).__name__ for result in results] == ["Member", "LastOwnerError"]
    assert {staff.role_of(OWNER), staff.role_of(SECOND)} == {Role.OWNER, Role.ADMIN}


async def test_keys_lose_what_the_new_role_may_not_do(staff: Staff) -> None:
    key = staff.has(a_key(user_id=ADMIN, scopes=(Permission.INVOKE_MODELS, Permission.MANAGE_KEYS)))
    narrow = staff.has(a_key(user_id=ADMIN, scopes=(Permission.READ_CALLS,)))
    other = staff.key_of(OWNER)

    await staff.change_role(
        ChangeRoleCommand(actor=staff.actor(OWNER), user_id=ADMIN, role=Role.MEMBER)
    )

    assert staff.key(key.id).scopes == (Permission.INVOKE_MODELS,)
    assert (staff.key(narrow.id), staff.key(other.id)) == (narrow, other)
    assert staff.actions == ["member.role_changed", "key.updated"]


async def test_keys_may_be_kept_as_they_are(staff: Staff) -> None:
    key = staff.key_of(ADMIN)

    await staff.change_role(
        ChangeRoleCommand(actor=staff.actor(OWNER), user_id=ADMIN, role=Role.VIEWER, keep_keys=True)
    )

    assert staff.key(key.id) == key


async def test_a_higher_role_gives_keys_nothing(staff: Staff) -> None:
    key = staff.has(a_key(user_id=MEMBER, scopes=(Permission.INVOKE_MODELS,)))

    await staff.change_role(
        ChangeRoleCommand(actor=staff.actor(OWNER), user_id=MEMBER, role=Role.ADMIN)
    )

    assert staff.key(key.id) == key
    assert PERMISSIONS_OF[Role.ADMIN] > staff.key(key.id).permissions


async def test_nobody_outside_of_the_team_is_a_member(staff: Staff) -> None:
    for user_id in (STRANGER, SECOND):
        with pytest.raises(MemberNotFoundError):
            await staff.change_role(
                ChangeRoleCommand(actor=staff.actor(OWNER), user_id=user_id, role=Role.VIEWER)
            )
