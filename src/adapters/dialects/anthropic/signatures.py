"""Signatures of thoughts, which clients give back as they came.

Those of other dialects travel in the same place, marked with the dialect that understands them.
"""

from adapters.dialects.anthropic.words import NAME
from domain.inference.conversation.parts import Thinking

_MARK = "stoa:"


def read_signature(signature: str) -> tuple[str | None, str | None]:
    """The signature and the dialect that understands it."""
    if not signature:
        return None, None
    if not signature.startswith(_MARK):
        return signature, NAME
    of, _, opaque = signature.removeprefix(_MARK).partition(":")
    return opaque, of


def write_signature(opaque: str | None, of: str | None) -> str:
    if opaque is None:
        return ""
    return opaque if of == NAME else f"{_MARK}{of or ''}:{opaque}"


def signature_of(thought: Thinking) -> str:
    return write_signature(thought.opaque, thought.opaque_of)
