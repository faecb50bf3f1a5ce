from collections.abc import Iterator
from functools import lru_cache

from domain.inference.guardrails.deny_list import DenyList
from domain.inference.guardrails.finding import REACH, Finder, Finding
from domain.inference.guardrails.personal_data import FINDERS, decided


class Screen:
    """All that is looked for in a text. What begins first is found first, the longest of what
    begins at the same place; findings do not overlap."""

    def __init__(self, pii: tuple[str, ...], denied: tuple[str, ...]) -> None:
        deny_list = DenyList(denied)
        personal = [finder for kind, some in FINDERS.items() if kind in pii for finder in some]
        self._finders: tuple[Finder, ...] = (*([deny_list] if denied else []), *personal)
        self._is_personal = bool(personal)
        self._longest_denied = deny_list.longest

    def findings(self, text: str, start: int = 0) -> Iterator[Finding]:
        nexts: list[Finding | None] = [finder.first(text, start) for finder in self._finders]
        while any(nexts):
            found = min(filter(None, nexts), key=lambda one: (one.start, -one.end))
            yield found
            nexts = [
                finder.first(text, found.end) if one is not None and one.start < found.end else one
                for finder, one in zip(self._finders, nexts, strict=True)
            ]

    def decided(self, text: str, start: int, fresh: int) -> int:
        """Up to where, from ``start``, more text could not change what is found to begin there, if
        no finding reaches into the last ``REACH`` characters. Only what is behind ``fresh`` is
        new."""
        size = len(text)
        upto = decided(text, start, fresh) if self._is_personal else size
        if self._longest_denied:
            upto = min(upto, size - self._longest_denied - 1)
        return max(start, upto)


@lru_cache(maxsize=256)
def screen_of(pii: tuple[str, ...], denied: tuple[str, ...]) -> Screen:
    """The same for the same rules, since patterns and lists take time to build."""
    return Screen(pii, denied)


def reaches_end(finding: Finding, text: str) -> bool:
    """Whether more text may change where the finding ends, or that it is one."""
    return finding.end > len(text) - REACH
