import asyncio

import pytest

from application.identity.people.remove_member import RemoveMemberCommand
from application.shared.actor import Actor
from domain.identity.errors import LastOwnerError, MemberNotFoundError
from domain.identity.permissions import Role
from domain.shared.errors import ForbiddenError
from domain.shared.ids import KeyId, UserId
from tests.builders import KEY_ID, OTHER_TEAM_ID, TEAM_ID, a_key, a_user
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
SECOND_KEY = KeyId(uuid7_at(START, 201))


async def test_an_admin_takes_a_member_out(staff: Staff) -> None:
    key, other = staff.key_of(MEMBER), staff.key_of(ADMIN)

    await staff.remove_member(RemoveMemberCommand(actor=staff.actor(ADMIN), user_id=MEMBER))

    assert staff.role_of(MEMBER) is None
    assert staff.user(MEMBER).is_active
    assert staff.key(key.id).revoked_at == START
    assert staff.key(other.id) == other
    assert staff.actions == ["key.revoked", "member.removed"]


async def test_keys_may_go_on_as_the_teams(staff: Staff) -> None:
    key = staff.key_of(MEMBER)

    await staff.remove_member(
        RemoveMemberCommand(actor=staff.actor(ADMIN), user_id=MEMBER, keep_keys=True)
    )

    assert staff.key(key.id).revoked_at is None
    assert staff.key(key.id).user_id is None


async def test_keys_in_other_teams_are_left_alone(staff: Staff) -> None:
    staff.hire(staff.user(MEMBER), Role.MEMBER, OTHER_TEAM_ID)
    elsewhere = staff.key_of(MEMBER, OTHER_TEAM_ID)

    await staff.remove_member(RemoveMemberCommand(actor=staff.actor(ADMIN), user_id=MEMBER))

    assert staff.key(elsewhere.id) == elsewhere
    assert staff.role_of(MEMBER, OTHER_TEAM_ID) is Role.MEMBER


async def test_everybody_may_leave(staff: Staff) -> None:
    await staff.remove_member(RemoveMemberCommand(actor=staff.actor(VIEWER), user_id=VIEWER))

    assert staff.role_of(VIEWER) is None
    assert staff.actions == ["member.left"]


async def test_the_key_of_a_member_does_not_leave_for_him(staff: Staff) -> None:
    key = Actor(team_id=TEAM_ID, user_id=VIEWER, key_id=KEY_ID, permissions=frozenset())

    with pytest.raises(ForbiddenError):
        await staff.remove_member(RemoveMemberCommand(actor=key, user_id=VIEWER))


async def test_taking_others_out_needs_the_permission(staff: Staff) -> None:
    with pytest.raises(ForbiddenError):
        await staff.remove_member(RemoveMemberCommand(actor=staff.actor(MEMBER), user_id=VIEWER))

    assert staff.role_of(VIEWER) is Role.VIEWER


async def test_an_admin_does_not_take_an_owner_out(staff: Staff) -> None:
    staff.hire(a_user(id=SECOND, email="second@acme.example"), Role.OWNER)

    with pytest.raises(ForbiddenError):
        await staff.remove_member(RemoveMemberCommand(actor=staff.actor(ADMIN), user_id=SECOND))


async def test_the_last_owner_stays(staff: Staff) -> None:
    with pytest.raises(LastOwnerError):
        await staff.remove_member(RemoveMemberCommand(actor=staff.actor(OWNER), user_id=OWNER))

    assert staff.role_of(OWNER) is Role.OWNER


async def test_of_two_owners_who_leave_at_once_one_stays(staff: Staff) -> None:
    staff.hire(a_user(id=SECOND, email="second@acme.example"), Role.OWNER)

    results = await asyncio.gather(
        *(
            staff.remove_member(RemoveMemberCommand(actor=staff.actor(user), user_id=user))
            for user in (OWNER, SECOND)
        ),
        return_exceptions=True,
    )

    assert [type(result).__name__ for result in results] == ["NoneType", "LastOwnerError"]


async def test_the_owner_of_the_first_start_goes_once_a_person_owns_the_team(staff: Staff) -> None:
    staff.hire(a_user(id=SECOND), Role.OWNER)

    await staff.remove_member(RemoveMemberCommand(actor=staff.actor(OWNER), user_id=SECOND))

    assert staff.role_of(SECOND) is None


async def test_nobody_outside_of_the_team_is_taken_out(staff: Staff) -> None:
    for user_id in (STRANGER, SECOND):
        with pytest.raises(MemberNotFoundError):
            await staff.remove_member(
                RemoveMemberCommand(actor=staff.actor(OWNER), user_id=user_id)
            )

    assert staff.role_of(STRANGER, OTHER_TEAM_ID) is Role.OWNER


async def test_who_leaves_keeps_no_keys_unless_they_are_his_to_manage(staff: Staff) -> None:
    key, managed = staff.key_of(MEMBER), staff.has(a_key(id=SECOND_KEY, user_id=ADMIN))

    with pytest.raises(ForbiddenError):
        await staff.remove_member(
            RemoveMemberCommand(actor=staff.actor(MEMBER), user_id=MEMBER, keep_keys=True)
        )
    await staff.remove_member(
        RemoveMemberCommand(actor=staff.actor(ADMIN), user_id=ADMIN, keep_keys=True)
    )

    assert staff.key(key.id) == key
    assert staff.role_of(MEMBER) is Role.MEMBER
    assert staff.key(managed.id).revoked_at is None
