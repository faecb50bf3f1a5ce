"""Finders of personal data and secrets: patterns that take linear time, and checksums.

Every repetition is bounded, none stands inside another that could share its characters, and no
match begins in the middle of a word, so that each character is looked at a bounded number of times.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from domain.inference.guardrails.checksums import (
    IBAN_LENGTHS,
    is_iban,
    is_ipv4,
    is_ipv6,
    is_luhn,
)
from domain.inference.guardrails.finding import REACH, Finder, Finding

# The longest match of all: a private key.
LONGEST = 8_400
# The longest one with blanks in it, apart from the inside of a private key.
LONGEST_WITH_BLANKS = 96
_STRIDE = 4_096
_LONGEST_BEFORE_SIGN = 64

_EMAIL = r"""
(?<![A-Za-z0-9._%+\-])[A-Za-z0-9._%+\-]{1,64}
@(?:[A-Za-z0-9][A-Za-z0-9\-]{0,62}\.){1,8}[A-Za-z]{2,24}
"""
_PHONE = r"(?<![A-Za-z0-9+])\+[1-9](?:[\ .\-/()]{0,2}[0-9]){6,14}(?![0-9])"
_CARD = r"""
(?<![0-9])(?:
    [0-9]{13,19}
    |[0-9]{4}[ \-][0-9]{4}[ \-][0-9]{4}(?:[ \-][0-9]{1,7}){1,2}
    |[0-9]{4}[ \-][0-9]{6}[ \-][0-9]{4,5}
)(?![0-9])
"""
_IBAN = r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?:\ ?[A-Z0-9]){11,30}"
# As people write it down: in groups it is written in capitals.
_COMPACT_IBAN = r"(?<![A-Za-z0-9])[a-z]{2}[0-9]{2}[A-Za-z0-9]{11,30}(?![A-Za-z0-9])"
_IPV4 = r"(?<![A-Za-z0-9.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![A-Za-z0-9]|\.[0-9])"
_IPV6 = r"(?<![A-Za-z0-9:.])[0-9A-Fa-f:.]{3,45}(?![A-Za-z0-9:])"
_SECRETS = r"""
(?<![A-Za-z0-9_.\-])eyJ[A-Za-z0-9_\-]{8,2000}\.[A-Za-z0-9_\-]{4,4000}\.[A-Za-z0-9_\-]{0,1000}
|(?<![A-Za-z0-9_\-])(?:
    sk-[A-Za-z0-9_\-]{20,512}
    |(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,255}
    |gh[pousr]_[A-Za-z0-9]{36,255}
    |github_pat_[A-Za-z0-9_]{22,255}
    |glpat-[A-Za-z0-9_\-]{20,255}
    |xox[abprs]-[A-Za-z0-9\-]{10,255}
    |A(?:KIA|SIA)[0-9A-Z]{16}
    |AIza[0-9A-Za-z_\-]{35}
    |(?:hf|npm)_[A-Za-z0-9]{30,64}
)
|-----BEGIN[ ](?:[A-Z]{1,16}[ ]){0,2}PRIVATE[ ]KEY-----
(?:[A-Za-z0-9+/=:,\\\s]|-(?!----)){0,8000}
(?:-----END[ ](?:[A-Z]{1,16}[ ]){0,2}PRIVATE[ ]KEY-----)?
"""
# What no match without blanks goes beyond; beyond a blank goes only what has digits, capitals or
# signs before it.
_BOUNDARY = re.compile(r"[^A-Za-z0-9._%+\-@:/=()\\]")
_BEFORE_BLANK_INSIDE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789()+.-/")

# The length of what is right at the beginning of a match, 0 for nothing.
Check = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class PatternFinder(Finder):
    """Each match has the ``sign`` in its first characters, if there is one: where that is not,
    nobody has to look closely."""

    rule: str
    pattern: re.Pattern[str]
    check: Check = len
    sign: str = ""

    def first(self, text: str, start: int) -> Finding | None:
        if self.sign:
            place = text.find(self.sign, start)
            if place < 0:
                return None
            start = max(start, place - _LONGEST_BEFORE_SIGN)
        match = self.pattern.search(text, start)
        while match is not None:
            length = self.check(match[0])
            if length:
                return Finding(match.start(), match.start() + length, self.rule)
            match = self.pattern.search(text, match.start() + 1)
        return None


def decided(text: str, start: int, fresh: int) -> int:
    """Up to where no more text could change what is found to begin there: a character that no match
    goes beyond. What is before ``fresh`` was looked at already. Matches that reach close to the end
    are not looked at here."""
    size = len(text)
    for place in range(size - 1, max(start, fresh - LONGEST_WITH_BLANKS), -1):
        if _BOUNDARY.match(text, place) is None:
            continue
        is_near = size - place <= LONGEST_WITH_BLANKS
        if is_near and text[place].isspace() and _is_inside(text[place - 1]):
            continue
        return place
    # That is looked at now and then, as it takes long.
    certain = size - LONGEST - REACH
    return certain if certain - start >= _STRIDE else start


def _is_inside(before: str) -> bool:
    """Whether a match may go on beyond a blank after this."""
    return before in _BEFORE_BLANK_INSIDE or before.isspace()


def _card(candidate: str) -> int:
    """Another number may stand behind it: it ends where the checksum is right."""
    for end in range(len(candidate), 12, -1):
        if end < len(candidate) and candidate[end].isdigit():
            continue
        digits = candidate[:end].replace(" ", "").replace("-", "")
        if candidate[end - 1].isdigit() and _is_card(digits):
            return end
    return 0


def _is_card(digits: str) -> bool:
    return 13 <= len(digits) <= 19 and digits.strip("0") != "" and is_luhn(digits)  # noqa: PLR2004


def _iban(candidate: str) -> int:
    wanted = IBAN_LENGTHS.get(candidate[:2], 0)
    end = seen = 0
    while seen < wanted and end < len(candidate):
        seen += candidate[end] != " "
        end += 1
    compact = candidate[:end].replace(" ", "")
    return end if wanted and is_iban(compact) else 0


def _ipv4(candidate: str) -> int:
    return len(candidate) if is_ipv4(candidate) else 0


def _ipv6(candidate: str) -> int:
    # A full stop ends the sentence.
    bare = candidate.rstrip(".")
    return len(bare) if is_ipv6(bare) else 0


def _finder(kind: str, pattern: str, check: Check = len, sign: str = "") -> Finder:
    compiled = re.compile(pattern, re.VERBOSE | re.ASCII)
    return PatternFinder(f"pii:{kind}", compiled, check, sign)


# In the order in which they win where two find something at the same place of the same length.
FINDERS: Mapping[str, tuple[Finder, ...]] = MappingProxyType(
    {
        "secret": (_finder("secret", _SECRETS),),
        "email": (_finder("email", _EMAIL, sign="@"),),
        "iban": (
            _finder("iban", _IBAN, _iban),
            _finder("iban", _COMPACT_IBAN, lambda candidate: _iban(candidate.upper())),
        ),
        "credit_card": (_finder("credit_card", _CARD, _card),),
        "phone": (_finder("phone", _PHONE, sign="+"),),
        "ip_address": (
            _finder("ip_address", _IPV4, _ipv4),
            _finder("ip_address", _IPV6, _ipv6, sign=":"),
        ),
    }
)
