from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Finding:
    """A part of a text that a rule objects to."""

    start: int
    end: int
    rule: str

    @property
    def placeholder(self) -> str:
        """What it is replaced with."""
        return f"[{self.rule.rpartition(':')[2].upper()}]"


class Finder(Protocol):
    """Looks for one thing. It takes time in proportion to the text, whatever that says, and looks
    at most one character to the left of what it finds and ``REACH`` to the right."""

    def first(self, text: str, start: int) -> Finding | None:
        """The first that begins at ``start`` or later."""
        ...


# No finder looks further ahead than this to know where something ends.
REACH = 64
