import re
from collections.abc import Iterable
from dataclasses import dataclass
from unicodedata import normalize

from domain.inference.guardrails.finding import Finder, Finding
from domain.shared.folding import fold

RULE = "denied"
# How many blanks may stand between two words of a phrase.
MOST_BLANKS = 8

# With the accents that stand behind their letters in texts that are decomposed.
_MARKS = (
    r"\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u3099\u309a\ufe20-\ufe2f"
)
_LETTER = rf"[\w{_MARKS}]"
_TOKEN = re.compile(rf"{_LETTER}+|[^\w\s]")
_WORD = re.compile(_LETTER)
_REST = re.compile(f"{_LETTER}*")
_BLANKS = re.compile(rf"\s{{1,{MOST_BLANKS}}}")


@dataclass(frozen=True, slots=True)
class _Phrase:
    """Its words and signs, each with whether a blank stands before it."""

    tokens: tuple[tuple[str, bool], ...]

    @property
    def width(self) -> int:
        return sum(
            len(normalize("NFKD", token)) + MOST_BLANKS * after_blank
            for token, after_blank in self.tokens
        )


class DenyList(Finder):
    """Finds words and phrases in texts that are folded, whatever their case and by whatever
    characters they are written that mean the same letters, and only where they are whole words."""

    def __init__(self, entries: Iterable[str]) -> None:
        phrases = [phrase for entry in entries if (phrase := _phrase(entry)).tokens]
        self._by_first: dict[str, list[_Phrase]] = {}
        for phrase in sorted(phrases, key=lambda one: -one.width):
            self._by_first.setdefault(phrase.tokens[0][0], []).append(phrase)
        self.longest = max((phrase.width for phrase in phrases), default=0)

    def first(self, text: str, start: int) -> Finding | None:
        if start and _WORD.match(text, start - 1):
            # That word has begun before.
            start = _end_of(_REST, text, start)
        for token in _TOKEN.finditer(text, start):
            for phrase in self._by_first.get(_folded(token[0]), ()):
                end = _end_of_phrase(text, token.end(), phrase)
                if end:
                    return Finding(token.start(), end, RULE)
        return None


def _phrase(entry: str) -> _Phrase:
    found = list(_TOKEN.finditer(fold(entry)[0].strip()))
    ends = [0, *(token.end() for token in found)]
    return _Phrase(
        tuple(
            (_folded(token[0]), token.start() > end)
            for token, end in zip(found, ends, strict=False)
        )
    )


def _end_of_phrase(text: str, end: int, phrase: _Phrase) -> int:
    """Where the phrase ends whose first token ends there; 0 if others follow."""
    for wanted, after_blank in phrase.tokens[1:]:
        if after_blank:
            blanks = _BLANKS.match(text, end)
            if blanks is None:
                return 0
            end = blanks.end()
        token = _TOKEN.match(text, end)
        if token is None or _folded(token[0]) != wanted:
            return 0
        end = token.end()
    return end


def _end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    return start if match is None else match.end()


def _folded(token: str) -> str:
    return token.casefold() if token.isascii() else normalize("NFKC", token).casefold()
