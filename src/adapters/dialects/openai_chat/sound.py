"""What a model says aloud, which stands beside the text of a message."""

import base64
from collections.abc import Sequence
from typing import Any

from adapters.dialects.events import text_in
from domain.inference.conversation.parts import Audio
from domain.inference.conversation.request import JsonObject
from domain.inference.errors import ProviderFailedError

_ID = "audio_0"


def read_sound(audio: dict[str, Any]) -> Audio:
    """All of it, or a piece of a stream. Raises ``TypeError`` for what is of a wrong type."""
    return Audio(
        data=text_in(audio, "data"),
        format=text_in(audio, "format"),
        id=text_in(audio, "id") or None,
        transcript=text_in(audio, "transcript") or None,
    )


def write_sound(pieces: Sequence[Audio], *, expires_at: int) -> JsonObject:
    """The member of a message; none for none. A message has one sound, so pieces are joined."""
    if not pieces:
        return {}
    first = pieces[0]
    data = first.data if len(pieces) == 1 else _joined(pieces)
    audio: JsonObject = {
        "id": first.id or _ID,
        "data": data,
        "expires_at": expires_at,
        "transcript": "".join(piece.transcript or "" for piece in pieces),
    }
    # OpenAI's clients know what they have asked for; others' models speak as they like.
    return {"audio": audio | ({"format": first.format} if first.format else {})}


def _joined(pieces: Sequence[Audio]) -> str:
    try:
        sound = b"".join(base64.b64decode(piece.data, validate=True) for piece in pieces)
    except ValueError as error:
        raise ProviderFailedError("The provider answered with sound that is no base64.") from error
    return base64.b64encode(sound).decode()
