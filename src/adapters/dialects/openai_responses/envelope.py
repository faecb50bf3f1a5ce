"""How what another dialect wants back travels in ``encrypted_content``.

Clients of the Responses API send their reasoning items back as they got them, so that is where
signatures and encrypted thoughts of other providers go, and what they want back with a tool call.
"""

import base64
import binascii

import msgspec

from adapters.dialects.fields import NOT_JSON

_MARK = "stoa."


class Sealed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``call_id`` is that of the tool call which the value belongs to, if it is none of a
    thought."""

    value: str
    of: str
    is_redacted: bool = False
    call_id: str = ""


_decoder = msgspec.json.Decoder(Sealed)


def seal(sealed: Sealed) -> str:
    return _MARK + base64.urlsafe_b64encode(msgspec.json.encode(sealed)).decode()


def unseal(text: str) -> Sealed | None:
    """``None`` for what was not sealed here, but by the provider itself."""
    if not text.startswith(_MARK):
        return None
    try:
        return _decoder.decode(base64.urlsafe_b64decode(text.removeprefix(_MARK)))
    except (*NOT_JSON, binascii.Error, ValueError):
        return None
