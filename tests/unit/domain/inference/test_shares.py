from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain.inference.shares import percentages

amounts = st.lists(st.decimals(min_value=0, max_value=10**9, places=9), min_size=1, max_size=60)


def test_thirds_sum_up_to_a_hundred() -> None:
    shares = percentages([Decimal(1)] * 3)

    assert shares == [Decimal("33.34"), Decimal("33.33"), Decimal("33.33")]


def test_of_nothing_nobody_has_a_share() -> None:
    assert percentages([Decimal(0), Decimal(0)]) is None
    assert percentages([]) is None


@given(amounts)
def test_shares_sum_up_to_exactly_a_hundred(dollars: list[Decimal]) -> None:
    shares = percentages(dollars)

    if any(dollars):
        assert shares is not None
        assert sum(shares) == 100
        assert all(share >= 0 for share in shares)
        exact = [amount * 100 / sum(dollars) for amount in dollars]
        assert all(abs(a - b) <= Decimal("0.01") for a, b in zip(shares, exact, strict=True))
    else:
        assert shares is None
