import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from application.inference.responses.ports import (
    AskedResponse,
    ResponseFormat,
    ResponseStamp,
    ResponseStream,
    StampedResponse,
)
from domain.inference.stored_response import Item, ResponseStatus, response_name
from domain.models.served_model import Capability
from domain.shared.errors import StoaError
from domain.shared.ids import ResponseId


class PlainResponseFormat(ResponseFormat):
    """Items are texts, a response is ``{id, store, status, output}``; a stream has one text a
    block, and ends with ``end``."""

    def read(self, body: bytes, response_id: ResponseId) -> AskedResponse:
        asked = json.loads(body)
        items = [Item(id=f"in_{text}", json=json.dumps(text)) for text in asked["input"]]
        return AskedResponse(
            store=asked.get("store"),
            previous=asked.get("previous_response_id"),
            input=tuple(item for item in items if not item.id.startswith("in_#")),
            places=tuple(
                index - len(items)
                for index, item in enumerate(items)
                if not item.id.startswith("in_#")
            ),
            references=tuple(item.id[4:] for item in items if item.id.startswith("in_#")),
        )

    def for_provider(
        self, body: bytes, *, before: Sequence[Item], referred: Mapping[str, Item]
    ) -> bytes:
        asked = json.loads(body)
        own = [
            json.loads(referred[text[1:]].json) if text.startswith("#") else text
            for text in asked["input"]
        ]
        sent = {"input": [*(json.loads(item.json) for item in before), *own]}
        return json.dumps({"model": asked["model"]} | sent).encode()

    def sent(self, body: bytes, asked: AskedResponse) -> tuple[Item, ...]:
        texts = json.loads(body)["input"]
        return tuple(
            Item(id=item.id, json=json.dumps(texts[place]))
            for place, item in zip(asked.places, asked.input, strict=True)
        )

    def needs(self, items: Iterable[Item]) -> frozenset[Capability]:
        return frozenset({Capability.IMAGES} if any("image" in i.id for i in items) else ())

    def stamped(self, body: bytes, stamp: ResponseStamp) -> StampedResponse:
        texts = json.loads(body)["output"]
        return stamped(texts, stamp, ResponseStatus.COMPLETED)

    def stream(self, stamp: ResponseStamp, *, keeps: bool) -> ResponseStream:
        return PlainResponseStream(stamp)


class PlainResponseStream(ResponseStream):
    def __init__(self, stamp: ResponseStamp) -> None:
        self._stamp = stamp
        self._texts: list[str] = []
        self._ended: StampedResponse | None = None

    def feed(self, block: bytes) -> bytes:
        if block == b"end":
            self._ended = stamped(self._texts, self._stamp, ResponseStatus.COMPLETED)
            return b""
        self._texts.append(block.decode())
        return block

    def ended(self) -> StampedResponse | None:
        return self._ended

    def cut(self, error: StoaError | None) -> StampedResponse:
        status = ResponseStatus.CANCELLED if error is None else ResponseStatus.FAILED
        self._ended = stamped(self._texts, self._stamp, status)
        return self._ended

    def restamped(self, *, store: bool) -> bytes:
        return stamped(
            self._texts, replace(self._stamp, store=store), ResponseStatus.COMPLETED
        ).body


def stamped(texts: Sequence[str], stamp: ResponseStamp, status: ResponseStatus) -> StampedResponse:
    response = {
        "id": response_name(stamp.id),
        "store": stamp.store,
        "status": str(status),
        "output": list(texts),
    }
    document = json.dumps(response)
    return StampedResponse(
        body=document.encode(),
        document=document,
        status=status,
        output=tuple(Item(id=f"out_{text}", json=json.dumps(text)) for text in texts),
    )
