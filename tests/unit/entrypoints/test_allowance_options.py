from decimal import Decimal

import click
import pytest

from application.identity.allowance_change import AllowanceChange
from application.shared.unset import UNSET
from domain.identity.allowance import BudgetPeriod, BudgetTerms, Limits
from entrypoints.cli.allowances import BudgetType, Given, RateType, change_of

NOTHING_GIVEN = {"budget": None, "rpm": None, "tpm": None, "concurrency": None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5/month", BudgetTerms(amount=Decimal(5), period=BudgetPeriod.MONTH)),
        ("$0.50/day", BudgetTerms(amount=Decimal("0.5"), period=BudgetPeriod.DAY)),
        (
            "1/total:soft",
            BudgetTerms(amount=Decimal(1), period=BudgetPeriod.TOTAL, hard=False),
        ),
        ("none", None),
    ],
)
def test_a_budget_is_read(text: str, expected: BudgetTerms | None) -> None:
    assert BudgetType().convert(text, None, None) == Given(expected)


@pytest.mark.parametrize("text", ["5", "5/year", "-1/day", "1e3/day", "5/month:hard", ""])
def test_what_is_no_budget_is_said_to_be_none(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no budget"):
        BudgetType().convert(text, None, None)


def test_a_rate_is_read() -> None:
    assert RateType().convert("60", None, None) == Given(60)
    assert RateType().convert("none", None, None) == Given(None)
    with pytest.raises(click.BadParameter):
        RateType().convert("many", None, None)


def test_what_is_not_given_stays() -> None:
    assert change_of(Limits(rpm=1), **NOTHING_GIVEN) == AllowanceChange()


def test_one_limit_changes_beside_the_others() -> None:
    given = NOTHING_GIVEN | {"tpm": Given(9)}

    assert change_of(Limits(rpm=1), **given).limits == Limits(rpm=1, tpm=9)


def test_the_last_limit_takes_all_away_with_it() -> None:
    given = NOTHING_GIVEN | {"rpm": Given(None), "budget": Given(None)}

    change = change_of(Limits(rpm=1), **given)

    assert (change.limits, change.budget) == (None, None)
    assert change_of(None, **NOTHING_GIVEN).budget is UNSET
