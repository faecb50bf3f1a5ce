"""Whether the ledger has exactly what was sent, when all of it has come to its end."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.targets import EVERYTHING, STOA, Target

# Streams that nobody waits for any more have as long to end, and rows to be settled.
SETTLE_TIMEOUT_S = 60.0
LOOK_AGAIN_S = 0.5
_ENDS = ("succeeded", "failed", "refused", "cancelled", "interrupted")


@dataclass(kw_only=True)
class Sent:
    """What the loads sent to each target, and how much of it was answered to its end."""

    requests: dict[str, int] = field(default_factory=dict)
    answered: dict[str, int] = field(default_factory=dict)

    def add(self, target: Target, *, sent: int, answered: int) -> None:
        self.requests[target.name] = self.requests.get(target.name, 0) + sent
        self.answered[target.name] = self.answered.get(target.name, 0) + answered


def check_ledger(stoa: Target, mock: Target, sent: Sent, *, seeded: int) -> tuple[bool, str]:
    """Every request reached the mock once and has one row; those that were answered to their end
    succeeded, and only those that were not may have ended otherwise."""
    wanted = _through_stoa(sent.requests)
    answered = _through_stoa(sent.answered)
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    while True:
        reached = int(mock.get("/count")) - _beside_stoa(sent.requests)
        totals = json.loads(stoa.get("/api/v1/usage?group_by=model"))["totals"]
        rows, succeeded = totals["calls"] - seeded, totals["succeeded"] - seeded
        is_over = not totals["open"]
        exact = bool(is_over and rows == reached == wanted and answered <= succeeded)
        if exact or time.monotonic() > deadline:
            break
        time.sleep(LOOK_AGAIN_S)
    ends = {name: totals[name] - (seeded if name == "succeeded" else 0) for name in _ENDS}
    told = ", ".join(f"{count:,} {name}" for name, count in ends.items() if count)
    text = (
        f"{wanted:,} requests sent, {answered:,} answered to their end, {reached:,} reached the "
        f"mock, {rows:,} rows: {told}, {totals['open'] or 'none'} open"
    )
    return exact, text


def _through_stoa(counts: Mapping[str, int]) -> int:
    return counts.get(STOA, 0) + counts.get(EVERYTHING, 0)


def _beside_stoa(counts: Mapping[str, int]) -> int:
    return sum(counts.values()) - _through_stoa(counts)
