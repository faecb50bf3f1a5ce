"""Amazon's Signature Version 4."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from hmac import digest
from urllib.parse import quote

_ALGORITHM = "AWS4-HMAC-SHA256"
_UNRESERVED = "/-_.~"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsCredentials:
    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        token = () if self.session_token is None else (self.session_token,)
        return (self.access_key_id, self.secret_access_key, *token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    credentials: AwsCredentials
    region: str
    service: str

    def headers(
        self,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        at: datetime,
        *,
        method: str = "POST",
        query: str = "",
    ) -> tuple[tuple[str, str], ...]:
        """What a request needs besides ``headers``, which are signed with it and have lower-case
        names, ``host`` among them. ``path`` is as it is sent, and escaped once more for the
        signature; ``query`` is as it is sent, with all that has to be escaped."""
        moment = at.strftime("%Y%m%dT%H%M%SZ")
        added = {"x-amz-date": moment}
        if self.credentials.session_token is not None:
            added["x-amz-security-token"] = self.credentials.session_token
        signed = sorted((dict(headers) | added).items())
        names = ";".join(name for name, _ in signed)
        lines = "".join(f"{name}:{' '.join(value.split())}\n" for name, value in signed)
        payload = sha256(body).hexdigest()
        parameters = "&".join(sorted(query.split("&")))
        canonical = "\n".join(
            (method, quote(path, safe=_UNRESERVED), parameters, lines, names, payload)
        )
        scope = f"{moment[:8]}/{self.region}/{self.service}/aws4_request"
        hashed = sha256(canonical.encode()).hexdigest()
        text = f"{_ALGORITHM}\n{moment}\n{scope}\n{hashed}"
        key = _key(self.credentials.secret_access_key, moment[:8], self.region, self.service)
        signature = digest(key, text.encode(), "sha256").hex()
        authorization = (
            f"{_ALGORITHM} Credential={self.credentials.access_key_id}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return (*added.items(), ("authorization", authorization))


@lru_cache(maxsize=64)
def _key(secret: str, *scope: str) -> bytes:
    """The same for a whole day."""
    key = f"AWS4{secret}".encode()
    for part in (*scope, "aws4_request"):
        key = digest(key, part.encode(), "sha256")
    return key
