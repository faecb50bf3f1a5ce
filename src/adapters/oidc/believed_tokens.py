from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256

import jwt

from application.identity.external.ports import ExternalIdentity

CAPACITY = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the settings asked of a token when it was read."""

    issuer: str | None
    audience: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BelievedToken:
    """What a token says whose signature was checked with that key, which is called by an id and an
    algorithm. It is good from ``begins`` to ``ends``, which whoever uses it has to check."""

    terms: Terms
    key_name: tuple[str | None, str]
    key: jwt.PyJWK
    identity: ExternalIdentity
    begins: float
    ends: float


class BelievedTokens:
    """The tokens that were used last, by their hashes alone."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._tokens: OrderedDict[bytes, BelievedToken] = OrderedDict()

    def find(self, token: str, terms: Terms) -> BelievedToken | None:
        """What was read of the token on the same terms."""
        digest = _digest(token)
        found = self._tokens.get(digest)
        if found is None or found.terms != terms:
            return None
        self._tokens.move_to_end(digest)
        return found

    def remember(self, token: str, believed: BelievedToken) -> None:
        digest = _digest(token)
        self._tokens[digest] = believed
        self._tokens.move_to_end(digest)
        if len(self._tokens) > self._capacity:
            self._tokens.popitem(last=False)


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
