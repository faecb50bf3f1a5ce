from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from adapters.postgres.partitions import month_of
from domain.operations.technical_error import ErrorOccurrence
from domain.shared.ids import ErrorId

MOST_KNOWN = 200


@dataclass(frozen=True, slots=True)
class _Stack:
    text: str
    month: datetime
    holder: ErrorId


class StoredStacks:
    """Who of a fault's occurrences holds its stack. A fault that happens a thousand times a minute
    has the same one every time, and it is the biggest part of a row.

    The holder is of the same month, so that retention never takes it away from the others.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Stack] = OrderedDict()

    def holders(self, batch: Iterable[ErrorOccurrence]) -> dict[ErrorId, ErrorId]:
        """Whose stack stands for that of which occurrence; the others hold their own."""
        known = dict(self._known)
        found: dict[ErrorId, ErrorId] = {}
        for occurrence in batch:
            stack = known.get(occurrence.fingerprint)
            if stack is not None and _is_like(occurrence, stack):
                found[occurrence.id] = stack.holder
            else:
                known[occurrence.fingerprint] = _stack_of(occurrence)
        return found

    def stored(self, batch: Iterable[ErrorOccurrence], holders: dict[ErrorId, ErrorId]) -> None:
        """The batch is durable: from now on later ones may point at it."""
        for occurrence in batch:
            if occurrence.id not in holders:
                self._known[occurrence.fingerprint] = _stack_of(occurrence)
            if occurrence.fingerprint in self._known:
                self._known.move_to_end(occurrence.fingerprint)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)


def _stack_of(occurrence: ErrorOccurrence) -> _Stack:
    return _Stack(occurrence.stack, month_of(occurrence.at), occurrence.id)


def _is_like(occurrence: ErrorOccurrence, stack: _Stack) -> bool:
    own = (occurrence.stack, month_of(occurrence.at))
    return own == (stack.text, stack.month) and occurrence.id != stack.holder
