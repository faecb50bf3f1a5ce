from enum import StrEnum

from msgspec import Struct


class Verdict(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(Struct, frozen=True, kw_only=True):
    """What was looked at and how it is; ``advice`` says what to do where something is wrong."""

    check: str
    verdict: Verdict
    detail: str
    advice: str | None = None
