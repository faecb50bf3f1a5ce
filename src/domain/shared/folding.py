"""Texts as they are looked at: what cannot be seen is left out, and characters that mean the same
are the same."""

import re
from collections.abc import Sequence
from unicodedata import category, decimal, normalize

# What is invisible and not of the category of such characters, by first and last: fillers, what
# joins or varies the character before it, and what nobody has assigned yet.
_INVISIBLE = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0xE0000, 0xE0FFF),
)
_BLANKS = frozenset("\t\n\r\v\f\x1c\x1d\x1e\x1f\x85")
# Prefixes to numbers in some scripts, which are seen.
_SEEN = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2")
_DASHES = frozenset("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63")
# Between letters of scripts that are written without blanks it stands for one (Thai, Lao, Burmese,
# Khmer, Chinese, Japanese).
_DIVIDED = re.compile(
    "(?<=[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff])\u200b"
)
_ZERO_WIDTH_SPACE = "\u200b"
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")


class _Table(dict[int, str]):
    """What characters are looked at as, filled as they come."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _folded(chr(code))
        return folded


def _folded(character: str) -> str:
    if is_invisible(character):
        return ""
    if character in _DASHES:
        return "-"
    digit = decimal(character, None)
    return normalize("NFKC", character) if digit is None else str(digit)


def is_seen(text: str) -> bool:
    """Whether there is anything in it but blanks and what nobody sees."""
    return bool(fold(text)[0].strip())


def is_invisible(character: str) -> bool:
    code = ord(character)
    kind = category(character)
    if kind in ("Cf", "Cc"):
        return character not in _SEEN and character not in _BLANKS
    return any(first <= code <= last for first, last in _INVISIBLE)


_table = _Table()


def fold(text: str, before: str = "") -> tuple[str, Sequence[int] | None]:
    """The text as it is looked at, and how many characters of that each of its own has become;
    ``None`` if that is one each. ``before`` is the character before it, if any."""
    if text.isascii() and (text.isprintable() or _CONTROL.search(text) is None):
        return text, None
    if _ZERO_WIDTH_SPACE in text:
        text = _DIVIDED.sub(" ", before + text)[len(before) :]
    folded = text.translate(_table)
    if folded == text:
        return text, None
    return folded, [len(_table[ord(one)]) for one in text]
