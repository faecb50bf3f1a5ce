"""Regular expressions of JSON schemas as llama.cpp's grammar takes them.

It sets a pattern between two quotes as it stands, so that it speaks of JSON's text, in which
quotes, backslashes and control characters are escaped. It wants anchors at both ends and knows no
shorthand classes; where it does not understand a pattern, it accepts any string.
"""

import re
from collections.abc import Iterator, Sequence

Range = tuple[int, int]

_LAST = 0x10FFFF
# What cannot stand in a JSON string without an escape.
_ESCAPED: tuple[Range, ...] = ((0x00, 0x1F), (0x22, 0x22), (0x5C, 0x5C))
_ANY = r'[^"\\\x00-\x1F]'
_DIGITS: tuple[Range, ...] = ((0x30, 0x39),)
_SHORTHANDS: dict[str, tuple[Range, ...]] = {
    "d": _DIGITS,
    "w": (*_DIGITS, (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)),
    "s": ((0x09, 0x0D), (0x20, 0x20)),
}
_CONTROLS = {"n": 0x0A, "r": 0x0D, "t": 0x09, "f": 0x0C, "v": 0x0B}
_HEX = {"x": re.compile("[0-9a-fA-F]{2}"), "u": re.compile("[0-9a-fA-F]{4}")}
_COUNTS = re.compile(r"\{\d+(,\d*)?\}")
_IN_JSON = {0x0A: r"\\n", 0x0D: r"\\r", 0x09: r"\\t", 0x22: r'\\"', 0x5C: r"\\\\"}


class _UnenforceableError(Exception):
    pass


def enforceable(pattern: str) -> str | None:
    """The same pattern, or one that is a little narrower; ``None`` for what cannot be enforced
    (look-around, back references, anchors inside)."""
    starts, ends = pattern.startswith("^"), _ends_anchored(pattern)
    try:
        inside = "".join(_units(pattern[starts : len(pattern) - ends]))
    except _UnenforceableError:
        return None
    if starts and ends:
        return f"^{inside}$"
    return f"^{'' if starts else _ANY + '*'}(?:{inside}){'' if ends else _ANY + '*'}$"


def _ends_anchored(pattern: str) -> bool:
    before = pattern.removesuffix("$")
    escapes = len(before) - len(before.rstrip("\\"))
    return before != pattern and escapes % 2 == 0


def _units(pattern: str) -> Iterator[str]:
    position = 0
    while position < len(pattern):
        unit, position = _unit(pattern, position)
        yield unit


def _unit(pattern: str, position: int) -> tuple[str, int]:
    character = pattern[position]
    if character == "\\":
        ranges, position = _member(pattern, position)
        return _one_of(ranges), position
    if character == "[":
        return _bracket(pattern, position + 1)
    if pattern.startswith("(?:", position):
        return "(?:", position + 3
    if character in "^$" or pattern.startswith("(?", position):
        raise _UnenforceableError
    if counts := _COUNTS.match(pattern, position):
        return counts.group(), counts.end()
    plain = {".": _ANY, **dict.fromkeys("()|*+?", character)}
    return plain.get(character) or _literal(ord(character)), position + 1


def _bracket(pattern: str, position: int) -> tuple[str, int]:
    negated = pattern.startswith("^", position)
    position += negated
    ranges: list[Range] = []
    while not pattern.startswith("]", position):
        members, position = _member(pattern, position)
        until = pattern[position + 1 : position + 2]
        if pattern.startswith("-", position) and until not in ("]", "") and _is_single(members):
            others, position = _member(pattern, position + 1)
            if not _is_single(others) or others[0] < members[0]:
                raise _UnenforceableError
            members = ((members[0][0], others[0][1]),)
        ranges += members
    written = _one_of(_complement(ranges)) if negated else _one_of(ranges)
    return written, position + 1


def _member(pattern: str, position: int) -> tuple[Sequence[Range], int]:
    """What one character or escape stands for, and where the next one begins."""
    character, letter = pattern[position : position + 1], pattern[position + 1 : position + 2]
    if not character:
        raise _UnenforceableError
    if character != "\\":
        return _single(ord(character)), position + 1
    if kind := _SHORTHANDS.get(letter.lower()):
        return kind if letter.islower() else _complement(kind), position + 2
    if letter in _CONTROLS:
        return _single(_CONTROLS[letter]), position + 2
    if letter in _HEX and (digits := _HEX[letter].match(pattern, position + 2)):
        return _single(int(digits.group(), 16)), digits.end()
    if not letter or letter.isalnum() or letter == "_":
        raise _UnenforceableError
    return _single(ord(letter)), position + 2


def _single(code: int) -> tuple[Range]:
    return ((code, code),)


def _is_single(ranges: Sequence[Range]) -> bool:
    return len(ranges) == 1 and ranges[0][0] == ranges[0][1]


def _complement(ranges: Sequence[Range]) -> list[Range]:
    out, begin = [], 0
    for low, high in sorted(ranges):
        if low > begin:
            out.append((begin, low - 1))
        begin = max(begin, high + 1)
    return [*out, (begin, _LAST)] if begin <= _LAST else out


def _one_of(ranges: Sequence[Range]) -> str:
    if _is_single(ranges):
        return _literal(ranges[0][0])
    allowed = _complement([*_complement(ranges), *_ESCAPED])
    if not allowed:
        raise _UnenforceableError
    return f"[{''.join(_written(low, high) for low, high in allowed)}]"


def _written(low: int, high: int) -> str:
    return _in_class(low) if low == high else f"{_in_class(low)}-{_in_class(high)}"


def _in_class(code: int) -> str:
    return f"\\{chr(code)}" if chr(code) in "[]^-" else chr(code)


def _literal(code: int) -> str:
    if code in _IN_JSON:
        return f"(?:{_IN_JSON[code]})"
    if code < 0x20:  # noqa: PLR2004 - a control character
        return rf"(?:\\u{code:04x})"
    return f"\\{chr(code)}" if chr(code) in ".^$*+?()[]{}|" else chr(code)
