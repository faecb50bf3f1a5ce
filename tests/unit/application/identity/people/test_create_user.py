from datetime import timedelta
from decimal import Decimal

import pytest

from application.identity.allowance_change import AllowanceChange
from application.identity.people.create_user import CreateUserCommand
from domain.identity.allowance import BudgetPeriod, BudgetTerms, Limits
from domain.identity.api_key import hash_secret
from domain.identity.errors import EmailTakenError
from domain.identity.joining.errors import RoleExceededError
from domain.identity.permissions import Role
from domain.shared.errors import ForbiddenError, InvalidError
from tests.fakes.clock import START
from tests.unit.application.identity.people.staff import ADMIN, MEMBER, OWNER, Staff

PASSWORD = "correct horse battery"


async def test_an_account_is_made_in_the_team_of_its_maker(staff: Staff) -> None:
    made = await staff.create_user(
        CreateUserCommand(
            actor=staff.actor(ADMIN),
            email=" New@Acme.Example ",
            display_name=" Newton ",
            role=Role.EDITOR,
            password=PASSWORD,
            locale="de-AT",
            avatar_colour="#ABCDEF",
        )
    )

    user = made.account.user
    assert staff.user(user.id) == user
    assert staff.role_of(user.id) is made.account.role is Role.EDITOR
    assert (user.email, user.display_name, user.locale, user.avatar_colour) == (
        "new@acme.example",
        "Newton",
        "de-AT",
        "#abcdef",
    )
    assert (user.is_active, user.is_operator, user.created_at) == (True, False, START)
    assert user.password_hash == f"hash:{PASSWORD}"
    assert made.reset is None
    assert staff.actions == ["user.created"]
    assert PASSWORD not in repr(staff.database.committed.audit)


async def test_without_a_password_there_is_a_link_to_set_one(staff: Staff) -> None:
    made = await staff.create_user(
        CreateUserCommand(actor=staff.actor(ADMIN), email="new@acme.example", display_name="N")
    )

    (reset,) = staff.database.committed.password_resets.values()
    assert made.reset is not None
    assert made.account.user.password_hash is None
    assert reset.secret_hash == hash_secret(made.reset.token)
    assert reset.user_id == made.account.user.id
    assert made.reset.expires_at == reset.expires_at == START + timedelta(minutes=30)
    assert made.reset.link == f"https://stoa.example/reset-password#token={made.reset.token}"
    assert made.reset.token not in repr(staff.database.committed.audit)


async def test_limits_and_a_budget_hold_from_the_start(staff: Staff) -> None:
    limits = Limits(rpm=5)
    budget = BudgetTerms(amount=Decimal(3), period=BudgetPeriod.DAY)

    made = await staff.create_user(
        CreateUserCommand(
            actor=staff.actor(ADMIN),
            email="new@acme.example",
            display_name="N",
            allowance=AllowanceChange(limits=limits, budget=budget),
        )
    )

    assert (made.account.allowance.limits, made.account.allowance.budget) == (limits, budget)


async def test_an_address_has_one_account(staff: Staff) -> None:
    with pytest.raises(EmailTakenError):
        await staff.create_user(
            CreateUserCommand(actor=staff.actor(ADMIN), email="S@others.example", display_name="S")
        )


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"email": "nobody"}, "email"),
        ({"display_name": " "}, "display_name"),
        ({"locale": "?"}, "locale"),
        ({"avatar_colour": "red"}, "avatar_colour"),
        ({"password": "short"}, "password"),
        ({"password": "password123"}, "password"),
        ({"password": ""}, "password"),
    ],
)
async def test_wrong_input_makes_no_account(
    staff: Staff, members: dict[str, str], param: str
) -> None:
    known = set(staff.database.committed.users)
    fields = {"email": "new@acme.example", "display_name": "N"} | members

    with pytest.raises(InvalidError) as refused:
        await staff.create_user(CreateUserCommand(actor=staff.actor(ADMIN), **fields))  # type: ignore[arg-type]  # All of these are texts.

    assert refused.value.param == param
    assert set(staff.database.committed.users) == known


async def test_members_make_no_accounts(staff: Staff) -> None:
    with pytest.raises(ForbiddenError):
        await staff.create_user(
            CreateUserCommand(actor=staff.actor(MEMBER), email="n@acme.example", display_name="N")
        )


async def test_admins_make_no_owners(staff: Staff) -> None:
    with pytest.raises(RoleExceededError):
        await staff.create_user(
            CreateUserCommand(
                actor=staff.actor(ADMIN), email="n@a.example", display_name="N", role=Role.OWNER
            )
        )


async def test_only_operators_make_operators(staff: Staff) -> None:
    with pytest.raises(ForbiddenError):
        await staff.create_user(
            CreateUserCommand(
                actor=staff.actor(OWNER), email="n@a.example", display_name="N", is_operator=True
            )
        )

    made = await staff.create_user(
        CreateUserCommand(
            actor=staff.actor(OWNER, operator=True),
            email="n@a.example",
            display_name="N",
            is_operator=True,
        )
    )
    assert made.account.user.is_operator
