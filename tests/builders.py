"""Entities with defaults that fit each other: all belong to one team and one moment."""

from decimal import Decimal
from itertools import count
from typing import Any

from application.shared.actor import Actor
from domain.identity.api_key import HINT_LENGTH, SECRET_PREFIX, ApiKey, hash_secret
from domain.identity.membership import Membership
from domain.identity.model_patterns import ANY_MODEL
from domain.identity.permissions import Permission, Role
from domain.identity.scopes import scopes_of
from domain.identity.session import LIFETIME, Session, SessionKind
from domain.identity.team import Team
from domain.identity.user import User
from domain.inference.call import Call
from domain.models.prices import Prices
from domain.models.served_model import ModelKind, ServedModel
from domain.operations.audit import ActorKind, AuditEntry
from domain.operations.technical_error import ErrorOccurrence
from domain.shared.ids import AuditId, CallId, ErrorId, KeyId, SessionId, TeamId, UserId
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at

TEAM_ID = TeamId(uuid7_at(START, 1))
USER_ID = UserId(uuid7_at(START, 2))
KEY_ID = KeyId(uuid7_at(START, 3))
OTHER_TEAM_ID = TeamId(uuid7_at(START, 4))
PRICES = Prices(input=Decimal("2.5"), output=Decimal(10), cached_input=Decimal("1.25"))

# Ids that are made here never meet those of a `SequentialIds`.
_counter = count(1_000_000)


def a_team(**fields: Any) -> Team:
    defaults: dict[str, Any] = {
        "id": TEAM_ID,
        "name": "Acme",
        "created_at": START,
    }
    return Team(**(defaults | fields))


def a_user(**fields: Any) -> User:
    defaults: dict[str, Any] = {"id": USER_ID, "display_name": "Ada", "created_at": START}
    return User(**(defaults | fields))


def a_membership(**fields: Any) -> Membership:
    defaults: dict[str, Any] = {"team_id": TEAM_ID, "user_id": USER_ID, "role": Role.OWNER}
    return Membership(**(defaults | fields))


def a_session(**fields: Any) -> Session:
    """A live session of a browser, with an id of its own."""
    created_at = fields.get("created_at", START)
    number = next(_counter)
    is_cookie = fields.get("kind", SessionKind.COOKIE) is SessionKind.COOKIE
    defaults: dict[str, Any] = {
        "id": SessionId(uuid7_at(created_at, number)),
        "team_id": TEAM_ID,
        "user_id": USER_ID,
        "kind": SessionKind.COOKIE,
        "created_at": created_at,
        "expires_at": created_at + LIFETIME,
        "last_seen_at": created_at,
        "secret_hash": hash_secret(f"cookie {number}") if is_cookie else None,
    }
    return Session(**(defaults | fields))


def a_key(*, secret: str | None = None, **fields: Any) -> ApiKey:
    """A live key with an id of its own; its name and secret follow from the id."""
    created_at = fields.get("created_at", START)
    number = next(_counter)
    secret = secret or f"{SECRET_PREFIX}{number:043d}"
    defaults: dict[str, Any] = {
        "id": KeyId(uuid7_at(created_at, number)),
        "team_id": TEAM_ID,
        "user_id": USER_ID,
        "name": f"key {number}",
        "secret_hash": hash_secret(secret),
        "hint": secret[-HINT_LENGTH:],
        "allowed_models": ANY_MODEL,
        "scopes": scopes_of(Permission),
        "created_at": created_at,
    }
    return ApiKey(**(defaults | fields))


def a_call(**fields: Any) -> Call:
    """An open call with an id of its own that fits ``created_at``."""
    created_at = fields.get("created_at", START)
    defaults: dict[str, Any] = {
        "id": CallId(uuid7_at(created_at, next(_counter))),
        "team_id": TEAM_ID,
        "key_id": KEY_ID,
        "user_id": USER_ID,
        "correlation_id": "c-1",
        "endpoint": "/v1/chat/completions",
        "model": "large",
        "stream": False,
        "created_at": created_at,
        "provider": "acme",
        "deployment": "acme/large-2",
        "price": PRICES,
    }
    return Call(**(defaults | fields))


def a_model(**fields: Any) -> ServedModel:
    defaults: dict[str, Any] = {
        "name": "large",
        "kind": ModelKind.CHAT,
        "provider": "acme",
        "upstream_name": "large-2",
        "prices": PRICES,
    }
    return ServedModel(**(defaults | fields))


def an_actor(**fields: Any) -> Actor:
    return Actor(**({"team_id": TEAM_ID, "user_id": USER_ID, "key_id": KEY_ID} | fields))


def an_audit_entry(**fields: Any) -> AuditEntry:
    """An entry with an id of its own that fits ``at``."""
    at = fields.get("at", START)
    defaults: dict[str, Any] = {
        "id": AuditId(uuid7_at(at, next(_counter))),
        "team_id": TEAM_ID,
        "at": at,
        "actor_kind": ActorKind.USER,
        "user_id": USER_ID,
        "key_id": None,
        "action": "key.issued",
        "target_type": "key",
        "target_id": str(KEY_ID),
        "before": None,
        "after": {"name": "ci"},
        "correlation_id": "c-1",
        "address": "203.0.113.7",
        "user_agent": "curl/8",
    }
    return AuditEntry(**(defaults | fields))


def an_occurrence(**fields: Any) -> ErrorOccurrence:
    """An occurrence with an id of its own that fits ``at``; all have one fingerprint."""
    at = fields.get("at", START)
    defaults: dict[str, Any] = {
        "id": ErrorId(uuid7_at(at, next(_counter))),
        "at": at,
        "fingerprint": "f" * 32,
        "code": "PROVIDER_ERROR",
        "exception_type": "domain.inference.errors.ProviderFailedError",
        "message": "The provider 'acme' failed (HTTP 500).",
        "stack": "  somewhere",
        "route": "/v1/chat/completions",
        "method": "POST",
        "correlation_id": "c-1",
        "team_id": TEAM_ID,
        "user_id": USER_ID,
        "key_id": KEY_ID,
    }
    return ErrorOccurrence(**(defaults | fields))
