from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field

from adapters.dialects.bedrock.wire import WireMore, WireStarted, WireThought
from domain.inference.conversation.events import (
    Delta,
    Opaque,
    PartEnded,
    PartKind,
    PartStarted,
    StreamEvent,
    WholePart,
)
from domain.inference.conversation.parts import Image, Inline


@dataclass(slots=True)
class _Block:
    """``signature`` comes in pieces too, and is told whole."""

    index: int
    kind: PartKind
    signature: str = ""
    is_redacted: bool = False
    is_empty: bool = True


@dataclass(slots=True)
class _Picture:
    """Each piece is base64 of its own."""

    format: str
    pieces: list[bytes] = field(default_factory=list)

    def part(self) -> Image:
        data = b64encode(b"".join(self.pieces)).decode()
        return Image(source=Inline(media_type=f"image/{self.format}", data=data))


class StreamBlocks:
    """The blocks of one answer. Only calls of tools and pictures are announced; other blocks begin
    with what they say."""

    def __init__(self, thinks_as: str) -> None:
        self._thinks_as = thinks_as
        self._open: dict[int, _Block] = {}
        self._images: dict[int, _Picture] = {}
        self._begun = 0

    def start(self, said: WireStarted) -> Iterator[StreamEvent]:
        call = said.start.tool_use
        if call is not None:
            block = self._begin(said.content_block_index, PartKind.TOOL_CALL)
            yield PartStarted(
                index=block.index, kind=block.kind, call_id=call.tool_use_id, name=call.name
            )
        elif said.start.image is not None:
            self._images[said.content_block_index] = _Picture(said.start.image.format)

    def go_on(self, said: WireMore) -> Iterator[StreamEvent]:
        delta, position = said.delta, said.content_block_index
        if delta.text is not None:
            yield from self._text(position, PartKind.TEXT, delta.text)
        elif delta.tool_use is not None and position in self._open:
            yield from self._more(self._open[position], delta.tool_use.input)
        elif delta.reasoning_content is not None:
            yield from self._think(position, delta.reasoning_content)
        elif delta.image is not None and position in self._images:
            self._images[position].pieces.append(delta.image.source.data)

    def end(self, position: int) -> Iterator[StreamEvent]:
        picture = self._images.pop(position, None)
        if picture is not None:
            yield WholePart(index=self._begun, part=picture.part())
            self._begun += 1
        block = self._open.pop(position, None)
        if block is None:
            return
        if block.signature:
            yield Opaque(
                index=block.index,
                value=block.signature,
                of=self._thinks_as,
                is_redacted=block.is_redacted,
            )
        if block.kind is PartKind.TOOL_CALL and block.is_empty:
            # A call without arguments has no pieces, and is an empty object all the same.
            yield Delta(index=block.index, text="{}")
        yield PartEnded(index=block.index)

    def end_all(self) -> Iterator[StreamEvent]:
        for position in sorted((*self._open, *self._images)):
            yield from self.end(position)

    def _think(self, position: int, thought: WireThought) -> Iterator[StreamEvent]:
        yield from self._text(position, PartKind.THINKING, thought.text or "")
        block = self._open[position]
        block.signature += thought.signature or thought.redacted_content or ""
        block.is_redacted = block.is_redacted or thought.redacted_content is not None

    def _text(self, position: int, kind: PartKind, text: str) -> Iterator[StreamEvent]:
        block = self._open.get(position)
        if block is None:
            block = self._begin(position, kind)
            yield PartStarted(index=block.index, kind=kind)
        yield from self._more(block, text)

    def _more(self, block: _Block, text: str) -> Iterator[StreamEvent]:
        if text:
            block.is_empty = False
            yield Delta(index=block.index, text=text)

    def _begin(self, position: int, kind: PartKind) -> _Block:
        block = self._open[position] = _Block(self._begun, kind)
        self._begun += 1
        return block
