"""The parts of Gemini's answers."""

from collections.abc import Iterator
from hashlib import sha256

import msgspec

from adapters.dialects.google.contents import NAME
from adapters.dialects.google.wire import WireBlob, WireCall, WirePart, part_decoder
from domain.inference.conversation.parts import (
    Audio,
    Foreign,
    Image,
    Inline,
    Part,
    Text,
    Thinking,
    ToolCall,
)

_ID_LENGTH = 24


class PartReader:
    """Reads the parts of one candidate; its calls are numbered through all chunks.

    With ``signs_apart``, the signature of a call is a thought before it, for clients whose calls
    have no place for one.
    """

    def __init__(self, response_id: str, candidate: int, *, signs_apart: bool) -> None:
        self.calls = 0
        self._signs_apart = signs_apart
        self._seed = f"{response_id}:{candidate}"

    def read(self, raw: msgspec.Raw) -> Iterator[Part]:
        part = part_decoder.decode(raw)
        if part.function_call is not None:
            yield from self._call(part.function_call, part.thought_signature)
        elif part.inline_data is not None:
            yield _media(part.inline_data)
            if part.thought_signature is not None:
                yield Thinking(opaque=part.thought_signature, opaque_of=NAME)
        elif part.text is not None:
            yield from _text(part, part.text)
        elif bytes(raw) not in (b"{}", b"null"):
            yield Foreign(dialect=NAME, json=bytes(raw).decode())

    def _call(self, call: WireCall, signature: str | None) -> Iterator[Part]:
        self.calls += 1
        if self._signs_apart and signature is not None:
            yield Thinking(opaque=signature, opaque_of=NAME)
            signature = None
        yield ToolCall(
            id=call.id or self._id(),
            name=call.name,
            arguments=msgspec.json.encode(call.args or {}).decode(),
            opaque=signature,
            opaque_of=None if signature is None else NAME,
        )

    def _id(self) -> str:
        """The same for the same answer, since a call must be told from the others."""
        digest = sha256(f"{self._seed}:{self.calls}".encode()).hexdigest()
        return f"call_{digest[:_ID_LENGTH]}"


def _text(part: WirePart, text: str) -> Iterator[Part]:
    signature = part.thought_signature
    if part.thought:
        yield Thinking(text=text, opaque=signature, opaque_of=signature and NAME)
        return
    if text:
        yield Text(text=text)
    if signature is not None:
        yield Thinking(opaque=signature, opaque_of=NAME)


def _media(blob: WireBlob) -> Part:
    kind, _, subtype = blob.mime_type.partition("/")
    if kind == "audio":
        return Audio(data=blob.data, format=subtype)
    if kind == "image":
        return Image(source=Inline(media_type=blob.mime_type, data=blob.data))
    body = {"inlineData": {"mimeType": blob.mime_type, "data": blob.data}}
    return Foreign(dialect=NAME, json=msgspec.json.encode(body).decode())
