from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal

_STEP = Decimal("0.01")
_WHOLE = Decimal(100)


def percentages(amounts: Sequence[Decimal]) -> list[Decimal] | None:
    """The share of each in all of them, to two places and so that they sum up to exactly 100;
    ``None`` where there is nothing to share. The largest remainders are rounded up."""
    total = sum(amounts, Decimal(0))
    if total <= 0:
        return None
    exact = [amount * _WHOLE / total for amount in amounts]
    shares = [share.quantize(_STEP, rounding=ROUND_FLOOR) for share in exact]
    missing = int((_WHOLE - sum(shares, Decimal(0))) / _STEP)
    by_remainder = sorted(range(len(exact)), key=lambda n: (shares[n] - exact[n], n))
    for place in by_remainder[:missing]:
        shares[place] += _STEP
    return shares
