"""Texts that come in pieces: what is found in them does not depend on where they are divided."""

from collections.abc import Callable
from typing import NamedTuple

from domain.inference.guardrails.finding import REACH, Finding
from domain.inference.guardrails.held_text import HeldText
from domain.inference.guardrails.json_units import meaning, units_of
from domain.inference.guardrails.screen import Screen, reaches_end
from domain.shared.folding import fold

# Hears of what is found and says whether it is to be replaced; what it raises ends the text.
Judge = Callable[[Finding], bool]

_NUMBER = "0"


class _Piece(NamedTuple):
    """So many characters as they are, or a placeholder instead of them."""

    length: int
    placeholder: str | None


class _Course:
    """Decides, character by character, as early as that is possible."""

    def __init__(self, screen: Screen, judge: Judge) -> None:
        self._screen = screen
        self._judge = judge
        # With one character before the place, where there is one.
        self._text = ""
        self._place = 0
        self._wanted = 0

    def feed(self, text: str) -> list[_Piece]:
        fresh = len(self._text)
        self._text += text
        if len(self._text) < self._wanted:
            return []
        return self._pieces(self._screen.decided(self._text, self._place, fresh), is_end=False)

    def end(self) -> list[_Piece]:
        return self._pieces(len(self._text), is_end=True)

    def _pieces(self, upto: int, *, is_end: bool) -> list[_Piece]:
        if upto <= self._place:
            return []
        text, pieces = self._text, []
        self._wanted = 0
        for found in self._screen.findings(text, self._place):
            if found.start >= upto:
                break
            if not is_end and reaches_end(found, text):
                upto = found.start
                self._wanted = found.end + REACH
                break
            pieces.append(_Piece(found.start - self._place, None))
            length = found.end - found.start
            pieces.append(_Piece(length, found.placeholder if self._judge(found) else None))
            self._place = found.end
        if upto > self._place:
            pieces.append(_Piece(upto - self._place, None))
            self._place = upto
        self._forget()
        return pieces

    def _forget(self) -> None:
        gone = max(0, self._place - 1)
        self._text = self._text[gone:]
        self._place -= gone
        self._wanted = max(0, self._wanted - gone)


class TextChannel:
    """A plain text."""

    def __init__(self, screen: Screen, judge: Judge) -> None:
        self._course = _Course(screen, judge)
        self._held = HeldText("".join)
        self._last = ""

    def feed(self, text: str) -> str:
        """What may be shown by now."""
        folded, widths = fold(text, self._last)
        self._last = text[-1:] or self._last
        self._held.add(text, widths)
        return self._shown(self._course.feed(folded))

    def end(self) -> str:
        """The rest."""
        return self._shown(self._course.end()) + self._held.rest()

    def _shown(self, pieces: list[_Piece]) -> str:
        shown = []
        for length, placeholder in pieces:
            kept = self._held.take(length, as_found=placeholder is not None)
            shown.append(kept if placeholder is None else placeholder)
        return "".join(shown)


class JsonChannel:
    """A text that is JSON: escapes in it are looked at as what they mean, and a number that is
    replaced becomes another one, so that it stays JSON."""

    def __init__(self, screen: Screen, judge: Judge) -> None:
        self._course = _Course(screen, judge)
        self._escape = ""
        self._held: HeldText[list[str]] = HeldText(list)
        self._last = ""
        self._is_inside = False

    def feed(self, text: str) -> str:
        units, self._escape = units_of(self._escape + text)
        said = "".join(map(meaning, units))
        folded, widths = fold(said, self._last)
        self._last = said[-1:] or self._last
        self._held.add(units, widths)
        return self._shown(self._course.feed(folded))

    def end(self) -> str:
        rest = self._shown(self._course.end()) + "".join(self._held.rest()) + self._escape
        self._escape = ""
        return rest

    def _shown(self, pieces: list[_Piece]) -> str:
        shown = []
        for length, placeholder in pieces:
            units = self._held.take(length, as_found=placeholder is not None)
            if placeholder is None:
                shown += units
            else:
                shown.append(placeholder if self._is_inside else _NUMBER)
            if units.count('"') % 2:
                self._is_inside = not self._is_inside
        return "".join(shown)
