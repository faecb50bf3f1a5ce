"""What tells a number that means something from one that only looks like it."""

from ipaddress import AddressValueError, IPv6Address

_LENGTHS_OF_IBANS = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18"
    " DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22"
    " IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19"
    " MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31"
    " SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
)
IBAN_LENGTHS = {one[:2]: int(one[2:]) for one in _LENGTHS_OF_IBANS.split()}

# Each digit twice, its digits added up.
_DOUBLED = dict(zip("0123456789", (0, 2, 4, 6, 8, 1, 3, 5, 7, 9), strict=True))


def is_luhn(digits: str) -> bool:
    """The checksum of credit cards."""
    total = sum(map(int, digits[-1::-2])) + sum(_DOUBLED[one] for one in digits[-2::-2])
    return total % 10 == 0


def is_iban(compact: str) -> bool:
    """Whether it has the length of its country and its checksum (ISO 7064, modulo 97)."""
    if IBAN_LENGTHS.get(compact[:2]) != len(compact):
        return False
    return int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


def is_ipv4(text: str) -> bool:
    return all(int(part) <= 255 for part in text.split("."))  # noqa: PLR2004 - a byte


def is_ipv6(text: str) -> bool:
    """``::`` and numbers of hours and minutes are none."""
    if text.count(":") < 2 or not any(c.isalnum() for c in text):  # noqa: PLR2004
        return False
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True
