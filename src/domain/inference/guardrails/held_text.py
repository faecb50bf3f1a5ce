from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

# A text by its characters, or one by its escapes.
Units = TypeVar("Units", str, list[str])

# Of a longer run of characters that nobody sees, the rest is left out, so that not more is held
# back of a text than what may be found there is long.
MOST_INVISIBLE = 64


class HeldText(Generic[Units]):
    """What is not shown yet, in units of which each stands for so many characters of the text that
    is looked at, possibly none."""

    def __init__(self, made_of: Callable[[Iterable[str]], Units]) -> None:
        self._made_of: Callable[[Iterable[str]], Units] = made_of
        self._units: Units = made_of(())
        # None while each unit stands for one character.
        self._widths: list[int] | None = None
        # How many characters were taken whose unit was not, or the other way round.
        self._behind = 0
        self._invisible = 0

    def add(self, units: Units, widths: Sequence[int] | None) -> None:
        if widths is None:
            self._invisible = 0 if units else self._invisible
            if self._widths is not None:
                self._widths += [1] * len(units)
            self._units = self._units + units
            return
        if self._widths is None:
            self._widths = [1] * len(self._units)
        kept: list[str] = []
        for unit, width in zip(units, widths, strict=True):
            self._invisible = 0 if width else self._invisible + 1
            if self._invisible <= MOST_INVISIBLE:
                kept.append(unit)
                self._widths.append(width)
        self._units = self._units + self._made_of(kept)

    def take(self, length: int, *, as_found: bool) -> Units:
        """The units of the next so many characters. Those ``as_found`` begin and end with one that
        is seen, and a unit belongs to them that has only some of its characters in there."""
        wanted = length + self._behind
        if self._widths is None:
            count = max(0, min(wanted, len(self._units)))
            self._behind = wanted - count
            return self._without(count)
        count = taken = 0
        for width in self._widths:
            if (taken >= wanted) if as_found else (taken + width > wanted):
                break
            taken += width
            count += 1
        self._behind = wanted - taken
        return self._without(count)

    def rest(self) -> Units:
        return self._without(len(self._units))

    def _without(self, count: int) -> Units:
        taken = self._units[:count]
        self._units = self._units[count:]
        if self._widths is not None:
            del self._widths[:count]
            if self._widths.count(1) == len(self._widths):
                self._widths = None
        return taken
