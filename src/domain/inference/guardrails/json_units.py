"""The characters and escapes of a text that is JSON."""

import re

# Two escapes are one character where they are a pair of surrogates.
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}"
    r"|\\(?:u[0-9A-Fa-f]{4}|[^u])|[^\\]",
    re.DOTALL,
)
_HIGH_SURROGATE = re.compile(r"\\u[dD][89abAB]..")
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_ONE_ESCAPE, _PAIR = 6, 12


def units_of(text: str) -> tuple[list[str], str]:
    """Each of which means one character, and the beginning of one that is not complete."""
    units: list[str] = []
    place = 0
    while place < len(text):
        match = _ESCAPE.match(text, place)
        left = len(text) - place
        if match is None:
            if left < _ONE_ESCAPE:
                return units, text[place:]
            # It is no JSON anyway.
            units.append(text[place])
            place += 1
        elif left < _PAIR and _may_be_half(match[0], text[match.end() :]):
            return units, text[place:]
        else:
            units.append(match[0])
            place = match.end()
    return units, ""


def meaning(unit: str) -> str:
    if len(unit) == 1:
        return unit
    if len(unit) == _PAIR:
        return _code_units(unit).decode("utf-16-be")
    if len(unit) == _ONE_ESCAPE:
        return chr(int(f"0x{unit[2:]}", 0))
    return _LETTERS.get(unit[1], unit[1])


def _code_units(pair: str) -> bytes:
    return bytes.fromhex(pair[2:_ONE_ESCAPE] + pair[_ONE_ESCAPE + 2 :])


def _may_be_half(unit: str, rest: str) -> bool:
    """Whether the other half of the pair may be on its way."""
    return _HIGH_SURROGATE.match(unit) is not None and r"\u"[: len(rest)] == rest[:2]
