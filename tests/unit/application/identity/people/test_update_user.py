import asyncio
from decimal import Decimal

import pytest

from application.identity.allowance_change import AllowanceChange
from application.identity.people.change_role import ChangeRoleCommand
from application.identity.people.issue_password_reset import IssuePasswordResetCommand
from application.identity.people.update_user import UpdateUserCommand, UserChange
from application.shared.actor import Actor
from domain.identity.allowance import BudgetPeriod, BudgetTerms, Limits
from domain.identity.errors import (
    EmailTakenError,
    LastOwnerError,
    UserElsewhereError,
    UserNotFoundError,
)
from domain.identity.permissions import Permission, Role
from domain.shared.errors import ForbiddenError, InvalidError
from domain.shared.ids import UserId
from tests.builders import OTHER_TEAM_ID, TEAM_ID, a_key, a_user
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
CLOSED = UserChange(is_active=False)
OPERATOR = Actor(team_id=TEAM_ID, user_id=OWNER)


async def test_an_admin_changes_what_is_given(staff: Staff) -> None:
    change = UserChange(email="Eve@Acme.example", display_name="Eve", locale="fr")

    account = await staff.update_user(
        UpdateUserCommand(actor=staff.actor(ADMIN), user_id=MEMBER, change=change)
    )

    user = staff.user(MEMBER)
    assert account.user == user
    assert (user.email, user.display_name, user.locale) == ("eve@acme.example", "Eve", "fr")
    assert user.avatar_colour == a_user().avatar_colour
    (entry,) = staff.database.committed.audit
    assert entry.action == "user.updated"
    assert entry.before == {
        "email": "member@acme.example",
        "display_name": "Ada",
        "locale": "en",
    }


async def test_links_sent_to_the_former_address_are_worth_nothing(staff: Staff) -> None:
    for user_id in (MEMBER, VIEWER):
        await staff.issue_password_reset(
            IssuePasswordResetCommand(actor=staff.actor(ADMIN), user_id=user_id)
        )

    for user_id, change in (
        (MEMBER, UserChange(email="eve@acme.example")),
        (VIEWER, UserChange(locale="fr")),
    ):
        await staff.update_user(
            UpdateUserCommand(actor=staff.actor(ADMIN), user_id=user_id, change=change)
        )

    (left,) = staff.database.committed.password_resets.values()
    assert left.user_id == VIEWER


async def test_a_colour_can_be_changed(staff: Staff) -> None:
    change = UserChange(avatar_colour="#000000")

    await staff.update_user(
        UpdateUserCommand(actor=staff.actor(ADMIN), user_id=MEMBER, change=change)
    )

    assert staff.user(MEMBER).avatar_colour == "#000000"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (UserChange(email="nobody"), InvalidError),
        (UserChange(display_name=" "), InvalidError),
        (UserChange(email="viewer@acme.example"), EmailTakenError),
    ],
)
async def test_a_wrong_change_changes_nothing(
    staff: Staff, change: UserChange, error: type[Exception]
) -> None:
    before = staff.user(MEMBER)

    with pytest.raises(error):
        await staff.update_user(
            UpdateUserCommand(actor=staff.actor(ADMIN), user_id=MEMBER, change=change)
        )

    assert staff.user(MEMBER) == before


async def test_deactivating_ends_sessions_and_revokes_keys(staff: Staff) -> None:
    key, session = staff.key_of(MEMBER), staff.session_of(MEMBER)
    other = staff.session_of(VIEWER)

    account = await staff.update_user(
        UpdateUserCommand(actor=staff.actor(ADMIN), user_id=MEMBER, change=CLOSED)
    )

    assert not account.user.is_active
    assert not staff.user(MEMBER).is_active
    assert staff.key(key.id).revoked_at == START
    assert staff.database.committed.sessions[session.id].revoked_at == START
    assert staff.database.committed.sessions[other.id].revoked_at is None
    assert staff.actions == ["key.revoked", "user.deactivated"]


async def test_keys_may_outlive_the_account(staff: Staff) -> None:
    key = staff.key_of(MEMBER)

    await staff.update_user(
        UpdateUserCommand(
            actor=staff.actor(ADMIN),
            user_id=MEMBER,
            change=UserChange(is_active=False, keep_keys=True),
        )
    )

    assert staff.key(key.id) == key


async def test_deactivating_again_changes_nothing(staff: Staff) -> None:
    staff.shut_out(MEMBER)
    key = staff.key_of(MEMBER)

    await staff.update_user(
        UpdateUserCommand(actor=staff.actor(ADMIN), user_id=MEMBER, change=CLOSED)
    )

    assert staff.key(key.id) == key
    assert staff.actions == ["user.updated"]


async def test_an_account_can_be_opened_again(staff: Staff) -> None:
    staff.shut_out(MEMBER)

    await staff.update_user(
        UpdateUserCommand(
            actor=staff.actor(ADMIN), user_id=MEMBER, change=UserChange(is_active=True)
        )
    )

    assert staff.user(MEMBER).is_active
    assert staff.actions == ["user.activated"]


async def test_the_last_owner_stays_active(staff: Staff) -> None:
    with pytest.raises(LastOwnerError):
        await staff.update_user(
            UpdateUserCommand(actor=staff.actor(OWNER), user_id=OWNER, change=CLOSED)
        )

    assert staff.user(OWNER).is_active


async def test_an_owner_who_steps_down_and_one_who_is_shut_out_do_not_meet(staff: Staff) -> None:
    staff.hire(a_user(id=SECOND, email="second@acme.example"), Role.OWNER)
    actor = staff.actor(OWNER)

    results = await asyncio.gather(
        staff.update_user(UpdateUserCommand(actor=actor, user_id=SECOND, change=CLOSED)),
        staff.change_role(ChangeRoleCommand(actor=actor, user_id=OWNER, role=Role.ADMIN)),
        return_exceptions=True,
    )

    assert [type(result).__name__ for result in results] == ["Account", "LastOwnerError"]


async def test_an_admin_changes_no_owner(staff: Staff) -> None:
    for change in (CLOSED, UserChange(email="admin2@acme.example")):
        with pytest.raises(ForbiddenError):
            await staff.update_user(
                UpdateUserCommand(actor=staff.actor(ADMIN), user_id=OWNER, change=change)
            )


async def test_members_change_nobody(staff: Staff) -> None:
    for change in (UserChange(display_name="x"), UserChange()):
        with pytest.raises(ForbiddenError):
            await staff.update_user(
                UpdateUserCommand(actor=staff.actor(MEMBER), user_id=VIEWER, change=change)
            )


async def test_a_user_of_several_teams_is_changed_by_operators_only(staff: Staff) -> None:
    staff.hire(staff.user(MEMBER), Role.MEMBER, OTHER_TEAM_ID)
    keys = staff.key_of(MEMBER), staff.key_of(MEMBER, OTHER_TEAM_ID)

    with pytest.raises(UserElsewhereError):
        await staff.update_user(
            UpdateUserCommand(actor=staff.actor(OWNER), user_id=MEMBER, change=CLOSED)
        )
    await staff.update_user(UpdateUserCommand(actor=OPERATOR, user_id=MEMBER, change=CLOSED))

    assert not staff.user(MEMBER).is_active
    assert [staff.key(key.id).revoked_at for key in keys] == [START, START]
    assert [entry.team_id for entry in staff.database.committed.audit] == [
        TEAM_ID,
        OTHER_TEAM_ID,
        TEAM_ID,
    ]


async def test_an_operators_account_is_changed_by_operators_only(staff: Staff) -> None:
    staff.hire(a_user(id=SECOND, email="second@acme.example", is_operator=True), Role.VIEWER)

    with pytest.raises(UserElsewhereError):
        await staff.update_user(
            UpdateUserCommand(
                actor=staff.actor(OWNER), user_id=SECOND, change=UserChange(display_name="x")
            )
        )


async def test_an_operator_changes_users_of_other_teams(staff: Staff) -> None:
    account = await staff.update_user(
        UpdateUserCommand(actor=OPERATOR, user_id=STRANGER, change=UserChange(display_name="Camus"))
    )

    assert (account.user.display_name, account.role) == ("Camus", None)


async def test_an_operator_sets_no_limits_in_a_team_for_somebody_of_another(staff: Staff) -> None:
    with pytest.raises(UserNotFoundError):
        await staff.update_user(
            UpdateUserCommand(
                actor=OPERATOR, user_id=STRANGER, allowance=AllowanceChange(limits=Limits(rpm=1))
            )
        )


async def test_somebody_of_another_team_is_not_found(staff: Staff) -> None:
    for user_id in (STRANGER, SECOND):
        with pytest.raises(UserNotFoundError):
            await staff.update_user(
                UpdateUserCommand(actor=staff.actor(OWNER), user_id=user_id, change=CLOSED)
            )

    assert staff.user(STRANGER).is_active


async def test_only_operators_make_operators_and_unmake_them(staff: Staff) -> None:
    change = UserChange(is_operator=True)
    with pytest.raises(ForbiddenError):
        await staff.update_user(
            UpdateUserCommand(actor=staff.actor(OWNER), user_id=MEMBER, change=change)
        )

    await staff.update_user(UpdateUserCommand(actor=OPERATOR, user_id=MEMBER, change=change))
    scopes = (Permission.INVOKE_MODELS, Permission.MANAGE_SERVER)
    key = staff.has(a_key(user_id=MEMBER, scopes=scopes))
    was_operator = staff.user(MEMBER).is_operator
    await staff.update_user(
        UpdateUserCommand(actor=OPERATOR, user_id=MEMBER, change=UserChange(is_operator=False))
    )

    assert was_operator
    assert not staff.user(MEMBER).is_operator
    assert staff.key(key.id).scopes == (Permission.INVOKE_MODELS,)


async def test_limits_and_a_budget_are_set_and_taken_away(staff: Staff) -> None:
    limits = Limits(rpm=5)
    budget = BudgetTerms(amount=Decimal(3), period=BudgetPeriod.DAY)

    def command(change: AllowanceChange) -> UpdateUserCommand:
        return UpdateUserCommand(actor=staff.actor(ADMIN), user_id=OWNER, allowance=change)

    both = await staff.update_user(command(AllowanceChange(limits=limits, budget=budget)))
    one = await staff.update_user(command(AllowanceChange(limits=None)))

    assert (both.allowance.limits, both.allowance.budget) == (limits, budget)
    assert (one.allowance.limits, one.allowance.budget) == (None, budget)
    assert staff.actions == ["user.allowance_changed"] * 2


async def test_limits_need_their_permission(staff: Staff) -> None:
    with pytest.raises(ForbiddenError):
        await staff.update_user(
            UpdateUserCommand(
                actor=staff.actor(MEMBER),
                user_id=MEMBER,
                allowance=AllowanceChange(limits=Limits(rpm=1)),
            )
        )
