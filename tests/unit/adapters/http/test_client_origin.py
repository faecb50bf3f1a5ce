from typing import Any

import pytest

from adapters.http.client_origin import ClientOrigins
from application.shared.correlation import Origin

TRUSTING = ClientOrigins(("10.0.0.0/8", "::1"))


def origin_of(
    origins: ClientOrigins, peer: str | None, forwarded_for: bytes | None = None
) -> str | None:
    headers = [] if forwarded_for is None else [(b"x-forwarded-for", forwarded_for)]
    scope: Any = {"client": None if peer is None else (peer, 1), "headers": headers}
    return origins.of(scope).address


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        ("192.0.2.1", b"203.0.113.9", "192.0.2.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", b"203.0.113.9", "203.0.113.9"),
        ("::1", b"2001:db8::1", "2001:db8::1"),
        ("10.0.0.1", b"1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", b"10.0.0.3,10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", b"203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.1", b"[2001:db8::1]:4711", "2001:db8::1"),
        ("10.0.0.1", b"::ffff:203.0.113.9", "203.0.113.9"),
        ("::ffff:10.0.0.1", b"203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", b"203.0.113.9, unknown", "10.0.0.1"),
        ("10.0.0.1", b"", "10.0.0.1"),
        ("10.0.0.1", b"\xff\x00", "10.0.0.1"),
        (None, b"203.0.113.9", None),
    ],
)
def test_believes_only_trusted_proxies(
    peer: str | None, forwarded_for: bytes | None, address: str | None
) -> None:
    assert origin_of(TRUSTING, peer, forwarded_for) == address


def test_believes_nobody_unless_told_to() -> None:
    assert origin_of(ClientOrigins(), "127.0.0.1", b"203.0.113.9") == "127.0.0.1"


def test_keeps_the_beginning_of_what_a_client_calls_itself() -> None:
    def asked_by(user_agent: bytes) -> Origin:
        headers = [(b"user-agent", user_agent)]
        scope: Any = {"client": ("192.0.2.1", 1), "headers": headers}
        return TRUSTING.of(scope)

    assert asked_by(b"x" * 400) == Origin("192.0.2.1", "x" * 300)
    assert asked_by(b"a\0\xe9") == Origin("192.0.2.1", "aé")
    assert asked_by(b"") == Origin("192.0.2.1", None)
