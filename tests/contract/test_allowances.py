from decimal import Decimal

from application.identity.ports import IdentityUnitOfWork
from domain.identity.allowance import (
    Allowance,
    BudgetPeriod,
    BudgetTerms,
    Limits,
    Subject,
    SubjectKind,
)
from tests.builders import KEY_ID, OTHER_TEAM_ID, TEAM_ID, USER_ID
from tests.fakes.clock import START

TEAM = Subject(SubjectKind.TEAM, TEAM_ID)
USER = Subject(SubjectKind.USER, USER_ID)
KEY = Subject(SubjectKind.KEY, KEY_ID)
LIMITS = Limits(rpm=60, tpm=None, concurrency=2)
TERMS = BudgetTerms(amount=Decimal("12.500001"), period=BudgetPeriod.WEEK, hard=False)


async def test_nothing_is_set_on_anybody_at_first(uow: IdentityUnitOfWork) -> None:
    async with uow as tx:
        assert await tx.allowances.get(TEAM_ID, KEY) == Allowance(subject=KEY)
        assert await tx.allowances.bounding(TEAM_ID, USER_ID, KEY_ID) == ()


async def test_limits_and_a_budget_come_back_as_they_were_set(uow: IdentityUnitOfWork) -> None:
    async with uow as tx:
        await tx.allowances.set_limits(TEAM_ID, KEY, LIMITS)
        await tx.allowances.set_budget(TEAM_ID, KEY, TERMS, at=START)
        await tx.commit()

    async with uow as tx:
        found = await tx.allowances.get(TEAM_ID, KEY)
    assert found == Allowance(subject=KEY, limits=LIMITS, budget=TERMS)


async def test_what_is_set_again_replaces_what_was(uow: IdentityUnitOfWork) -> None:
    async with uow as tx:
        await tx.allowances.set_limits(TEAM_ID, KEY, LIMITS)
        await tx.allowances.set_budget(TEAM_ID, KEY, TERMS, at=START)
        await tx.commit()
    newer = BudgetTerms(amount=Decimal(1), period=BudgetPeriod.TOTAL)

    async with uow as tx:
        await tx.allowances.set_limits(TEAM_ID, KEY, Limits(tpm=7))
        await tx.allowances.set_budget(TEAM_ID, KEY, newer, at=START)
        await tx.commit()

    async with uow as tx:
        found = await tx.allowances.get(TEAM_ID, KEY)
    assert found == Allowance(subject=KEY, limits=Limits(tpm=7), budget=newer)


async def test_what_is_taken_away_bounds_nobody(uow: IdentityUnitOfWork) -> None:
    async with uow as tx:
        await tx.allowances.set_limits(TEAM_ID, TEAM, LIMITS)
        await tx.allowances.set_budget(TEAM_ID, TEAM, TERMS, at=START)
        await tx.commit()

    async with uow as tx:
        await tx.allowances.set_limits(TEAM_ID, TEAM, None)
        await tx.allowances.set_budget(TEAM_ID, TEAM, None, at=START)
        await tx.commit()

    async with uow as tx:
        assert await tx.allowances.bounding(TEAM_ID, USER_ID, KEY_ID) == ()


async def test_what_is_not_committed_is_gone(uow: IdentityUnitOfWork) -> None:
    async with uow as tx:
        await tx.allowances.set_limits(TEAM_ID, TEAM, LIMITS)

    async with uow as tx:
        assert await tx.allowances.get(TEAM_ID, TEAM) == Allowance(subject=TEAM)


async def test_a_caller_is_bounded_by_the_team_the_user_and_the_key(
    uow: IdentityUnitOfWork,
) -> None:
    async with uow as tx:
        await tx.allowances.set_limits(TEAM_ID, KEY, LIMITS)
        await tx.allowances.set_budget(TEAM_ID, USER, TERMS, at=START)
        await tx.allowances.set_limits(TEAM_ID, TEAM, Limits(rpm=1))
        await tx.allowances.set_budget(TEAM_ID, TEAM, TERMS, at=START)
        await tx.commit()

    async with uow as tx:
        of_all = await tx.allowances.bounding(TEAM_ID, USER_ID, KEY_ID)
        of_nobody = await tx.allowances.bounding(TEAM_ID, None, None)
    assert of_all == (
        Allowance(subject=TEAM, limits=Limits(rpm=1), budget=TERMS),
        Allowance(subject=USER, budget=TERMS),
        Allowance(subject=KEY, limits=LIMITS),
    )
    assert of_nobody == of_all[:1]


async def test_each_of_several_subjects_has_an_allowance(uow: IdentityUnitOfWork) -> None:
    other_key = Subject(SubjectKind.KEY, USER_ID)
    async with uow as tx:
        await tx.allowances.set_budget(TEAM_ID, KEY, TERMS, at=START)
        await tx.commit()

    async with uow as tx:
        found = await tx.allowances.of(TEAM_ID, SubjectKind.KEY, [KEY.id, other_key.id])
        of_none = await tx.allowances.of(TEAM_ID, SubjectKind.KEY, [])
    assert found == {
        KEY.id: Allowance(subject=KEY, budget=TERMS),
        other_key.id: Allowance(subject=other_key),
    }
    assert of_none == {}


async def test_another_team_does_not_see_them(uow: IdentityUnitOfWork) -> None:
    async with uow as tx:
        await tx.allowances.set_budget(TEAM_ID, USER, TERMS, at=START)
        await tx.commit()

    async with uow as tx:
        assert await tx.allowances.get(OTHER_TEAM_ID, USER) == Allowance(subject=USER)
        assert await tx.allowances.bounding(OTHER_TEAM_ID, USER_ID, None) == ()
