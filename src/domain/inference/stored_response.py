"""Responses that clients had kept, so that they can go on from them.

Their contents are JSON text, as clients will get it again: nothing here looks into it.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.shared.ids import KeyId, ResponseId, TeamId, UserId

_PREFIX = "resp_"
_NAME = re.compile(r"resp_([0-9a-f]{32})")
_LONGEST_ITEM_ID = 256


class ResponseStatus(StrEnum):
    """``cancelled`` where the client hung up before the end."""

    COMPLETED = "completed"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    CANCELLED = "cancelled"


def response_name(response_id: ResponseId) -> str:
    """What clients call it."""
    return f"{_PREFIX}{response_id.hex}"


def response_id_of(name: str) -> ResponseId | None:
    """``None`` for what is no name of a response."""
    found = _NAME.fullmatch(name)
    return None if found is None else ResponseId(UUID(found[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of a conversation: ``id`` is its own name, ``json`` the whole of it."""

    id: str
    json: str

    @property
    def can_be_referred_to(self) -> bool:
        return is_item_id(self.id)


def is_item_id(name: str) -> bool:
    """Whether it is the name of an item, and not just something in its place: items that a client
    calls something else are kept, but not found by that."""
    return 0 < len(name) <= _LONGEST_ITEM_ID and "\0" not in name


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResponse:
    """``id`` is that of its call in the ledger. ``input`` are the items that the client sent with
    it, without those of the responses before; ``output`` those that the model said, which
    ``document``, the response as it was given out, has too. It goes at ``expires_at``."""

    id: ResponseId
    team_id: TeamId
    key_id: KeyId | None
    user_id: UserId | None
    model: str
    status: ResponseStatus
    created_at: datetime
    input: tuple[Item, ...]
    output: tuple[Item, ...]
    document: str
    previous_id: ResponseId | None = None
    expires_at: datetime | None = None

    @property
    def name(self) -> str:
        return response_name(self.id)
