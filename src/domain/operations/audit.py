from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.shared.ids import AuditId, KeyId, TeamId, UserId


class ActorKind(StrEnum):
    """What stood behind an action: a person, a key, somebody at the server's terminal, or Stoa."""

    USER = "user"
    KEY = "key"
    OPERATOR = "operator"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One management action: who did what to what, from where, and what it changed.

    ``action`` is ``noun.verb`` (``key.issued``). ``before`` and ``after`` hold the members that
    changed, with secrets masked; either is ``None`` where there was or is nothing.
    """

    id: AuditId
    team_id: TeamId
    at: datetime
    actor_kind: ActorKind
    user_id: UserId | None
    key_id: KeyId | None
    action: str
    target_type: str
    target_id: str
    before: Mapping[str, object] | None
    after: Mapping[str, object] | None
    correlation_id: str
    address: str | None
    user_agent: str | None
