from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Self

from domain.identity.allowance import BudgetTerms, Limits
from domain.identity.errors import KeyRevokedError
from domain.identity.model_patterns import ANY_MODEL, allows, check_patterns
from domain.identity.permissions import Permission
from domain.identity.scopes import Scopes, check_scopes, without_widening
from domain.shared.errors import FieldError, InvalidError
from domain.shared.ids import KeyId, TeamId, UserId
from domain.shared.names import check_name

SECRET_PREFIX = "sk-stoa-"  # noqa: S105 - a public prefix, not a secret
HINT_LENGTH = 4

# Later times have no date in some time zones.
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)


def hash_secret(secret: str) -> bytes:
    """SHA-256 of the whole secret.

    A fast hash is right here: the secret has 256 random bits, so there is nothing to guess.
    """
    return sha256(secret.encode()).digest()


@dataclass(slots=True, kw_only=True)
class ApiKey:
    """A credential of a team, which acts as a service account: what it may do are its ``scopes``,
    whatever becomes of the member who made it. Without a ``user_id`` that member has left.

    ``limits`` and ``budget`` are its own; those of its team and its user bound it besides. Only the
    hash of its secret is known; ``hint`` are its last characters, enough to tell keys
    apart in a list.
    """

    id: KeyId
    team_id: TeamId
    user_id: UserId | None
    name: str
    secret_hash: bytes
    hint: str
    allowed_models: tuple[str, ...]
    scopes: Scopes
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    limits: Limits | None = None
    budget: BudgetTerms | None = None

    @classmethod
    def issue(
        cls,
        *,
        id: KeyId,  # noqa: A002 - the field's name
        team_id: TeamId,
        user_id: UserId | None,
        name: str,
        secret: str,
        allowed_models: tuple[str, ...],
        scopes: Scopes,
        expires_at: datetime | None,
        at: datetime,
    ) -> Self:
        """A new key; raises ``InvalidError`` for a bad name, pattern, scope or expiry."""
        return cls(
            id=id,
            team_id=team_id,
            user_id=user_id,
            name=check_name(name),
            secret_hash=hash_secret(secret),
            hint=secret[-HINT_LENGTH:],
            allowed_models=check_patterns(allowed_models),
            scopes=check_scopes(scopes, allowed_models),
            created_at=at,
            expires_at=check_expiry(expires_at, at),
        )

    @property
    def masked(self) -> str:
        return f"{SECRET_PREFIX}…{self.hint}"

    @property
    def permissions(self) -> frozenset[Permission]:
        return frozenset(self.scopes)

    def is_live(self, at: datetime) -> bool:
        """Whether the key opens the door at that time."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)

    def allows_model(self, name: str) -> bool:
        return allows(self.allowed_models, name)

    def rename(self, name: str) -> None:
        self.must_not_be_revoked()
        self.name = check_name(name)

    def restrict_to(self, allowed_models: tuple[str, ...]) -> None:
        """Change the allow-list; one that is narrower than all models takes those scopes away that
        would make it worth nothing."""
        self.must_not_be_revoked()
        self.allowed_models = check_patterns(allowed_models)
        if self.allowed_models != ANY_MODEL:
            self.scopes = without_widening(self.scopes)

    def limit_to(self, scopes: Scopes) -> None:
        """Raises ``InvalidError`` for scopes that cannot go together with the allow-list."""
        self.must_not_be_revoked()
        self.scopes = check_scopes(scopes, self.allowed_models)

    def expire(self, expires_at: datetime | None, *, at: datetime) -> None:
        self.must_not_be_revoked()
        self.expires_at = check_expiry(expires_at, at)

    def revoke(self, at: datetime) -> None:
        """Close the key for good; doing it again changes nothing."""
        if self.revoked_at is None:
            self.revoked_at = at

    def must_not_be_revoked(self) -> None:
        """Raise ``KeyRevokedError`` if it is."""
        if self.revoked_at is not None:
            raise KeyRevokedError


def check_expiry(expires_at: datetime | None, at: datetime) -> datetime | None:
    """Return the expiry, or raise ``InvalidError`` when it is past or has no time zone."""
    if expires_at is None:
        return None
    message = None
    if expires_at.tzinfo is None:
        message = "needs a time zone offset"
    elif expires_at <= at:
        message = "must be in the future"
    elif expires_at > _LATEST:
        message = f"must be before the year {_LATEST.year}"
    if message:
        raise InvalidError(
            f"'expires_at' {message}.",
            param="expires_at",
            errors=(FieldError("expires_at", message),),
        )
    return expires_at
