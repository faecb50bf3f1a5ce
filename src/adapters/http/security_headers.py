"""Headers that every answer carries; pages that need more set their own content policy."""

from typing import Any

from litestar.types import HTTPScope

Header = tuple[bytes, bytes]

# For answers that are no pages: nothing in them may ever load or run anything.
CLOSED_POLICY = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

_POLICY_STATE = "content_security_policy"
_CLOSED: Header = (b"content-security-policy", CLOSED_POLICY)

_ALWAYS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), interest-cohort=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
# Browsers ignore it on plain HTTP, so a production server behind a TLS proxy may always send it.
_HSTS: Header = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


def security_headers(*, hsts: bool) -> tuple[Header, ...]:
    """All but the content policy."""
    return (*_ALWAYS, _HSTS) if hsts else _ALWAYS


def allow_content(scope: HTTPScope, policy: bytes) -> None:
    """Give the answer to this request another content policy than the closed one."""
    scope["state"][_POLICY_STATE] = (b"content-security-policy", policy)


def policy_of(state: dict[str, Any]) -> Header:
    """The content policy of the answer, as a header."""
    policy: Header = state.get(_POLICY_STATE, _CLOSED)
    return policy
