"""How texts are found in what goes to models and comes back."""

from collections.abc import Callable, Mapping
from typing import Protocol

from application.inference.ports import Operation


class Channel(Protocol):
    """One text that comes in pieces. Both methods raise what the text is refused with."""

    def feed(self, text: str) -> str:
        """What may be shown by now."""
        ...

    def end(self) -> str:
        """The rest."""
        ...


# A new text; whether it is JSON.
OpenChannel = Callable[[bool], Channel]


class StreamFormat(Protocol):
    """The stream of one call. ``feed`` and ``end`` raise what a text is refused with."""

    @property
    def texts(self) -> list[str]:
        """What the answers said as it was shown, as far as they called no tools."""
        ...

    def feed(self, block: bytes) -> bytes:
        """The block as it may be shown, possibly nothing yet."""
        ...

    def end(self) -> bytes:
        """What was held back, and the end of the stream."""
        ...

    def cut(self) -> bytes | None:
        """The end of a stream that a filter broke off, in the words of its format, if it has any
        for that."""
        ...


class ContentFormats(Protocol):
    """Knows where the formats of all operations have texts, in contrast to names and schemas."""

    def request(self, operation: Operation, body: bytes, opens: OpenChannel) -> bytes:
        """The request with every text gone through a channel; the same bytes if none changed."""
        ...

    def answer(self, operation: Operation, body: bytes, opens: OpenChannel) -> bytes: ...

    def texts_of(self, operation: Operation, body: bytes) -> list[str]:
        """What the answers say, as far as they call no tools."""
        ...

    def stream(
        self, operation: Operation, opens: OpenChannel, repeats: OpenChannel, *, holds_end: bool
    ) -> StreamFormat:
        """``repeats`` is for texts that came before in pieces; ``holds_end`` keeps back what says
        that the answer is complete until ``end``."""
        ...


class JsonSchemas(Protocol):
    def objection(self, schema: Mapping[str, object], text: str) -> str | None:
        """Why the text is no JSON that the schema allows, without its words; ``None`` if it is."""
        ...
