"""The keys of an identity provider, from its JWKS document."""

from collections.abc import Mapping, Sequence
from typing import Any

import jwt
import structlog

log = structlog.get_logger()

MAX_KEYS = 100
_MIN_RSA_BITS = 2048

# Which kind of key each algorithm needs. They are all asymmetric: with a symmetric one, or none,
# whoever knows the public key could sign.
ALGORITHMS: Mapping[str, tuple[str, frozenset[str]]] = {
    **{name: ("RSA", frozenset()) for name in ("RS256", "RS384", "RS512")},
    **{name: ("RSA", frozenset()) for name in ("PS256", "PS384", "PS512")},
    "ES256": ("EC", frozenset({"P-256"})),
    "ES384": ("EC", frozenset({"P-384"})),
    "ES512": ("EC", frozenset({"P-521"})),
    "EdDSA": ("OKP", frozenset({"Ed25519", "Ed448"})),
}
_TYPES = frozenset(kind for kind, _ in ALGORITHMS.values())

Jwk = Mapping[str, Any]


class SigningKeys:
    """The keys with which tokens may be signed; all others in the document are left out."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        listed = document.get("keys")
        found = listed if isinstance(listed, list) else []
        self._keys: Sequence[Jwk] = [
            key for key in found[:MAX_KEYS] if isinstance(key, dict) and _is_for_signatures(key)
        ]
        self._ready: dict[tuple[int, str], jwt.PyJWK | None] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        """The key of that id that fits the algorithm. A token without one may only be meant where
        there is only one key."""
        if kid is None and len(self._keys) != 1:
            return None
        for index, key in enumerate(self._keys):
            if kid is None or key.get("kid") == kid:
                place = (index, algorithm)
                if place not in self._ready:
                    self._ready[place] = _prepared(key, algorithm)
                found = self._ready[place]
                if found is not None:
                    return found
        return None


def _is_for_signatures(key: Jwk) -> bool:
    operations = key.get("key_ops")
    return (
        key.get("kty") in _TYPES
        and key.get("use") in {None, "sig"}
        and (operations is None or (isinstance(operations, list) and "verify" in operations))
    )


def _prepared(key: Jwk, algorithm: str) -> jwt.PyJWK | None:
    kind, curves = ALGORITHMS[algorithm]
    if key["kty"] != kind or key.get("alg") not in {None, algorithm}:
        return None
    if curves and key.get("crv") not in curves:
        return None
    try:
        prepared = jwt.PyJWK(dict(key), algorithm)
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        log.warning("oidc.key_unusable", kid=str(key.get("kid")), error=type(error).__name__)
        return None
    if kind == "RSA" and prepared.key.key_size < _MIN_RSA_BITS:
        log.warning("oidc.key_too_short", kid=str(key.get("kid")), bits=prepared.key.key_size)
        return None
    return prepared
