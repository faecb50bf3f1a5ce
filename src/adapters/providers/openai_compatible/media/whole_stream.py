from collections.abc import AsyncIterator

import msgspec

from adapters.providers.json_reading import NOT_JSON
from application.inference.ports import (
    EVENTS,
    JSON,
    Operation,
    ProviderAnswer,
    ProviderStream,
    StreamReport,
)


class _Images(msgspec.Struct):
    data: list[dict[str, msgspec.Raw]]
    created: int = 0
    usage: msgspec.Raw = msgspec.Raw(b"null")


class WholeStream(AsyncIterator[bytes], ProviderStream):
    """An answer that came whole although pieces were asked for, from a model that has none."""

    def __init__(self, answer: ProviderAnswer, block: bytes, content_type: str) -> None:
        self._blocks = [block]
        self._report = StreamReport(
            usage=answer.usage,
            content_type=content_type,
            provider_request_id=answer.provider_request_id,
        )

    @property
    def report(self) -> StreamReport:
        return self._report

    async def __anext__(self) -> bytes:
        if not self._blocks:
            raise StopAsyncIteration
        return self._blocks.pop()

    async def aclose(self) -> None:
        self._blocks.clear()


def whole_stream(operation: Operation, answer: ProviderAnswer) -> ProviderStream | None:
    """Images become the last events of a stream, each with its picture; ``None`` for images
    without."""
    if operation is not Operation.IMAGE:
        return WholeStream(answer, answer.body, JSON)
    try:
        images = msgspec.json.decode(answer.body, type=_Images)
    except NOT_JSON:
        return None
    if not all("b64_json" in image for image in images.data):
        return None
    events = [_completed(image, images, is_last=image is images.data[-1]) for image in images.data]
    return WholeStream(answer, b"".join(events), EVENTS)


def _completed(image: dict[str, msgspec.Raw], images: _Images, *, is_last: bool) -> bytes:
    """The usage is that of all images."""
    kind = "image_generation.completed"
    event: dict[str, object] = {"type": kind, "created_at": images.created, **image}
    if is_last and bytes(images.usage) != b"null":
        event["usage"] = images.usage
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), msgspec.json.encode(event))
