import json
from collections.abc import Mapping
from threading import get_ident

from application.inference.guarding.ports import (
    Channel,
    ContentFormats,
    JsonSchemas,
    OpenChannel,
    StreamFormat,
)
from application.inference.ports import Operation
from application.models.registry.ports import SchemaCheck


class PlainStream(StreamFormat):
    def __init__(self, channel: Channel, *, holds_end: bool, has_cut: bool = True) -> None:
        self._has_cut = has_cut
        self._channel = channel
        self._holds_end = holds_end
        self._said = ""
        # Where it was fed.
        self.threads: list[int] = []

    @property
    def texts(self) -> list[str]:
        return [self._said] if self._holds_end else []

    def feed(self, block: bytes) -> bytes:
        self.threads.append(get_ident())
        return self._shown(self._channel.feed(block.decode()))

    def end(self) -> bytes:
        return self._shown(self._channel.end())

    def cut(self) -> bytes | None:
        return b"[cut]" if self._has_cut else None

    def _shown(self, text: str) -> bytes:
        self._said += text
        return text.encode()


class PlainFormats(ContentFormats):
    """Requests, answers and blocks of streams are nothing but a text; they ``has_cut`` where a
    stream can say that it was broken off."""

    def __init__(self) -> None:
        self.has_cut = True
        self.streams: list[PlainStream] = []

    def request(self, operation: Operation, body: bytes, opens: OpenChannel) -> bytes:
        channel = opens(False)
        return (channel.feed(body.decode()) + channel.end()).encode()

    def answer(self, operation: Operation, body: bytes, opens: OpenChannel) -> bytes:
        return self.request(operation, body, opens)

    def texts_of(self, operation: Operation, body: bytes) -> list[str]:
        return [body.decode()]

    def stream(
        self, operation: Operation, opens: OpenChannel, repeats: OpenChannel, *, holds_end: bool
    ) -> StreamFormat:
        stream = PlainStream(opens(False), holds_end=holds_end, has_cut=self.has_cut)
        self.streams.append(stream)
        return stream


class UnchangedChannel(Channel):
    """Shows everything at once; ``heard`` is what it was given."""

    def __init__(self) -> None:
        self.heard = ""

    def feed(self, text: str) -> str:
        self.heard += text
        return text

    def end(self) -> str:
        return ""


class TypeSchemas(JsonSchemas, SchemaCheck):
    """Knows nothing of schemas but the ``type`` ``object``."""

    def objection(self, schema: Mapping[str, object], text: str) -> str | None:
        try:
            value = json.loads(text)
        except ValueError:
            return "It is no JSON."
        return None if isinstance(value, dict) else "It is no object."

    def problem(self, schema: Mapping[str, object]) -> str | None:
        return None if schema.get("type") in ("object", None) else "must be a valid JSON schema"
