"""Options that say what a team or a key may use."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

import click

from adapters.http.allowances import BudgetTermsView, LimitsView
from application.identity.allowance_change import AllowanceChange
from application.shared.unset import UNSET, UnsetType
from domain.identity.allowance import BudgetPeriod, BudgetTerms, Limits

Command = TypeVar("Command", bound=Callable[..., Any])

NONE = "none"
_BUDGET = re.compile(r"\$?(\d{1,10}(?:\.\d{1,6})?)/(day|week|month|total)(:soft)?")


@dataclass(frozen=True, slots=True)
class Given:
    """A value that an option was given; ``None`` takes away what is set."""

    value: Any


class BudgetType(click.ParamType[Given]):
    """``5/month``, ``0.50/day:soft``, or ``none``."""

    name = "budget"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Given:
        text = str(value).strip()
        if text == NONE:
            return Given(None)
        found = _BUDGET.fullmatch(text)
        if found is None:
            self.fail(f"'{text}' is no budget: write 5/month, 0.50/day:soft or none.")
        terms = BudgetTerms(
            amount=Decimal(found[1]), period=BudgetPeriod(found[2]), hard=found[3] is None
        )
        return Given(terms)


class RateType(click.ParamType[Given]):
    """A number, or ``none``."""

    name = "rate"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Given:
        text = str(value).strip()
        if text == NONE:
            return Given(None)
        if not text.isdecimal():
            self.fail(f"'{text}' is no number; write one, or none.")
        return Given(int(text))


_OPTIONS = (
    click.option(
        "--budget",
        type=BudgetType(),
        metavar="AMOUNT/PERIOD",
        help="US dollars per day, week, month or in total: 5/month. It refuses calls that do not"
        " fit; 5/month:soft only tells of its thresholds. 'none' takes it away.",
    ),
    click.option("--rpm", type=RateType(), metavar="N", help="Requests per minute, or 'none'."),
    click.option("--tpm", type=RateType(), metavar="N", help="Tokens per minute, or 'none'."),
    click.option(
        "--concurrency", type=RateType(), metavar="N", help="Calls at the same time, or 'none'."
    ),
)


def allowance_options(command: Command) -> Command:
    """Adds the options, whose values ``change_of`` reads."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def change_of(
    present: Limits | None,
    *,
    budget: Given | None,
    rpm: Given | None,
    tpm: Given | None,
    concurrency: Given | None,
) -> AllowanceChange:
    """What the options ask for; a limit that is not given stays as it is at ``present``."""
    wanted = {"rpm": rpm, "tpm": tpm, "concurrency": concurrency}
    limits: Limits | UnsetType | None = UNSET
    if any(wanted.values()):
        kept = present or Limits()
        limits = Limits(
            **{
                name: getattr(kept, name) if given is None else given.value
                for name, given in wanted.items()
            }
        )
        if limits == Limits():
            limits = None
    return AllowanceChange(limits=limits, budget=UNSET if budget is None else budget.value)


def allowance_members(
    limits: LimitsView | None, budget: BudgetTermsView | None
) -> tuple[tuple[str, object], ...]:
    """The lines that show them; a budget is shown as the option takes it."""
    shown = None
    if budget is not None:
        shown = f"{budget.amount}/{budget.period}{'' if budget.hard else ':soft'}"
    return (
        ("budget $", shown),
        ("rpm", limits and limits.rpm),
        ("tpm", limits and limits.tpm),
        ("concurrency", limits and limits.concurrency),
    )
