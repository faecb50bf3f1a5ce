from dataclasses import replace

import pytest

from application.identity.people.find_user import FindUserQuery
from application.identity.people.get_user import GetUserQuery
from application.identity.people.issue_password_reset import IssuePasswordResetCommand
from application.identity.people.list_members import ListMembersQuery
from application.identity.people.list_users import ListUsersQuery
from application.identity.people.set_password import SetPasswordCommand
from application.identity.people.update_user import UpdateUserCommand, UserChange
from application.shared.actor import Actor
from application.shared.pagination import PageRequest
from domain.identity.api_key import hash_secret
from domain.identity.errors import UserNotFoundError
from domain.identity.permissions import Permission, Role
from domain.shared.errors import ForbiddenError, InvalidError
from tests.builders import TEAM_ID
from tests.fakes.clock import START
from tests.unit.application.identity.people.staff import (
    ADMIN,
    MEMBER,
    OWNER,
    ROLES,
    STRANGER,
    VIEWER,
    Staff,
)

PAGE = PageRequest()
OPERATOR = Actor(team_id=TEAM_ID, user_id=OWNER)
NOBODY = Actor(team_id=TEAM_ID, user_id=VIEWER, permissions=frozenset())
PASSWORD = "correct horse battery"


async def test_a_viewer_sees_who_is_in_the_team(staff: Staff) -> None:
    members = await staff.list_members(ListMembersQuery(actor=staff.actor(VIEWER), page=PAGE))
    users = await staff.list_users(ListUsersQuery(actor=staff.actor(VIEWER), page=PAGE))

    expected = list(ROLES.items())
    assert [(member.user.id, member.role) for member in members.items] == expected
    assert [(account.user.id, account.role) for account in users.items] == expected
    assert all(account.allowance.limits is None for account in users.items)
    assert (users.total, users.page, users.page_size) == (4, 1, 20)


async def test_an_account_is_shown_to_the_team(staff: Staff) -> None:
    account = await staff.get_user(GetUserQuery(actor=staff.actor(VIEWER), user_id=ADMIN))

    assert (account.user, account.role) == (staff.user(ADMIN), Role.ADMIN)


async def test_accounts_of_others_are_shown_to_operators_only(staff: Staff) -> None:
    with pytest.raises(UserNotFoundError):
        await staff.get_user(GetUserQuery(actor=staff.actor(OWNER), user_id=STRANGER))

    account = await staff.get_user(GetUserQuery(actor=OPERATOR, user_id=STRANGER))

    assert (account.user.id, account.role) == (STRANGER, None)


async def test_seeing_people_needs_the_permission(staff: Staff) -> None:
    for refused in (
        staff.list_members(ListMembersQuery(actor=NOBODY, page=PAGE)),
        staff.list_users(ListUsersQuery(actor=NOBODY, page=PAGE)),
        staff.get_user(GetUserQuery(actor=NOBODY, user_id=VIEWER)),
        staff.find_user(FindUserQuery(actor=NOBODY, reference="viewer@acme.example")),
    ):
        with pytest.raises(ForbiddenError):
            await refused


@pytest.mark.parametrize("reference", [" Admin@ACME.example", str(ADMIN)], ids=["email", "id"])
async def test_an_account_is_found(staff: Staff, reference: str) -> None:
    found = await staff.find_user(FindUserQuery(actor=staff.actor(OWNER), reference=reference))

    assert found.user.id == ADMIN


@pytest.mark.parametrize("reference", ["s@others.example", str(STRANGER), "x@acme.example", "x"])
async def test_what_is_not_in_the_team_is_not_found(staff: Staff, reference: str) -> None:
    with pytest.raises(UserNotFoundError):
        await staff.find_user(FindUserQuery(actor=staff.actor(OWNER), reference=reference))


async def test_an_admin_makes_a_link_to_set_a_password(staff: Staff) -> None:
    reset = await staff.issue_password_reset(
        IssuePasswordResetCommand(actor=staff.actor(ADMIN), user_id=MEMBER)
    )

    (stored,) = staff.database.committed.password_resets.values()
    assert (stored.user_id, stored.secret_hash) == (MEMBER, hash_secret(reset.token))
    assert staff.actions == ["user.password_reset_issued"]


async def test_setting_a_password_ends_all_sessions_and_links(staff: Staff) -> None:
    session = staff.session_of(MEMBER)
    await staff.issue_password_reset(
        IssuePasswordResetCommand(actor=staff.actor(ADMIN), user_id=MEMBER)
    )

    await staff.set_password(
        SetPasswordCommand(actor=staff.actor(ADMIN), user_id=MEMBER, password=PASSWORD)
    )

    assert staff.user(MEMBER).password_hash == f"hash:{PASSWORD}"
    assert staff.database.committed.sessions[session.id].revoked_at == START
    assert staff.database.committed.password_resets == {}
    assert staff.actions == ["user.password_reset_issued", "user.password_set"]
    assert PASSWORD not in repr(staff.database.committed.audit)


async def test_a_bad_password_is_not_set(staff: Staff) -> None:
    with pytest.raises(InvalidError):
        await staff.set_password(
            SetPasswordCommand(actor=staff.actor(ADMIN), user_id=MEMBER, password="short")
        )

    assert staff.user(MEMBER).password_hash is None


async def test_nobody_gets_into_the_account_of_an_owner_or_of_others(staff: Staff) -> None:
    for actor, user_id, error in (
        (staff.actor(ADMIN), OWNER, ForbiddenError),
        (staff.actor(MEMBER), VIEWER, ForbiddenError),
        (staff.actor(OWNER), STRANGER, UserNotFoundError),
    ):
        with pytest.raises(error):
            await staff.issue_password_reset(
                IssuePasswordResetCommand(actor=actor, user_id=user_id)
            )
        with pytest.raises(error):
            await staff.set_password(
                SetPasswordCommand(actor=actor, user_id=user_id, password=PASSWORD)
            )

    assert staff.database.committed.password_resets == {}


async def test_nobody_gets_into_an_account_that_may_do_more(staff: Staff) -> None:
    key = replace(staff.actor(ADMIN), permissions=frozenset({Permission.MANAGE_MEMBERS}))

    for refused in (
        staff.issue_password_reset(IssuePasswordResetCommand(actor=key, user_id=ADMIN)),
        staff.set_password(SetPasswordCommand(actor=key, user_id=ADMIN, password=PASSWORD)),
        staff.update_user(
            UpdateUserCommand(actor=key, user_id=ADMIN, change=UserChange(email="e@acme.example"))
        ),
    ):
        with pytest.raises(ForbiddenError):
            await refused

    assert staff.actions == []
