"""Who may call what: one line for each operation of the API's document.

The six who knock: *anonymous* and *revoked* (a session that has been ended) get 401 wherever a
caller must be known. *viewer* and *member* belong to the team whose objects the requests name;
*stranger* is the admin of another team; *scopeless* is a key of the team without any scope.
"""

from dataclasses import dataclass, field
from typing import Any

KNOWN = 401
FORBIDDEN = 403
HIDDEN = 404
# Whatever the answer is, it is none of the three above.
SERVED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    viewer: int
    member: int
    stranger: int
    scopeless: int
    anonymous: int = KNOWN
    revoked: int = KNOWN
    body: Any = None
    query: dict[str, str] = field(default_factory=dict)
    # The fields of a form, which has a file too.
    upload: dict[str, str] | None = None


def everybody(*, body: Any = None, query: dict[str, str] | None = None) -> Expectation:
    """Nobody need be known; what a credential would say does not matter."""
    return Expectation(
        viewer=SERVED,
        member=SERVED,
        stranger=SERVED,
        scopeless=SERVED,
        anonymous=SERVED,
        revoked=SERVED,
        body=body,
        query=query or {},
    )


def known(*, body: Any = None, query: dict[str, str] | None = None) -> Expectation:
    """Everybody who is known, about himself."""
    return Expectation(
        viewer=SERVED,
        member=SERVED,
        stranger=SERVED,
        scopeless=SERVED,
        body=body,
        query=query or {},
    )


def persons(*, body: Any = None) -> Expectation:
    """Whoever has logged in, about himself; a key is no person."""
    return Expectation(
        viewer=SERVED, member=SERVED, stranger=SERVED, scopeless=FORBIDDEN, body=body
    )


def viewers(*, named: bool = False, body: Any = None) -> Expectation:
    """From viewers up. ``named`` operations name an object of the team in their path."""
    return Expectation(
        viewer=SERVED,
        member=SERVED,
        stranger=HIDDEN if named else SERVED,
        scopeless=FORBIDDEN,
        body=body,
    )


def members(
    *, named: bool = False, body: Any = None, upload: dict[str, str] | None = None
) -> Expectation:
    """From members up."""
    return Expectation(
        viewer=FORBIDDEN,
        member=SERVED,
        stranger=HIDDEN if named else SERVED,
        scopeless=FORBIDDEN,
        body=body,
        upload=upload,
    )


def owners_of_it(*, body: Any = None) -> Expectation:
    """What is named is somebody else's, whom it concerns alone; a key is no person."""
    return Expectation(
        viewer=HIDDEN, member=HIDDEN, stranger=HIDDEN, scopeless=FORBIDDEN, body=body
    )


def admins(*, named: bool = False, body: Any = None) -> Expectation:
    """Admins of the team."""
    return Expectation(
        viewer=FORBIDDEN,
        member=FORBIDDEN,
        stranger=HIDDEN if named else SERVED,
        scopeless=FORBIDDEN,
        body=body,
    )


def operators(*, body: Any = None) -> Expectation:
    """Operators of the server, whom no role in a team makes."""
    return Expectation(
        viewer=FORBIDDEN,
        member=FORBIDDEN,
        stranger=FORBIDDEN,
        scopeless=FORBIDDEN,
        body=body,
    )
