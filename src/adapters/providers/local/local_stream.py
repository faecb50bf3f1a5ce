"""A local model's answer as Server-Sent Events."""

from collections.abc import AsyncIterator
from typing import Any, Protocol

import msgspec

from adapters.providers.local.generation import Generation
from adapters.providers.local.pieces import Piece, UsageTally, read_piece
from application.inference.ports import ProviderStream, StreamReport
from domain.inference.errors import ProviderFailedError
from domain.shared.usage import Usage

DONE = b"data: [DONE]\n\n"
ENCODER = msgspec.json.Encoder()


class Answer(Protocol):
    """A dialect of answers: chat or completion."""

    def chunks(self, piece: Piece) -> list[dict[str, Any]]: ...

    def usage_chunk(self, usage: Usage) -> dict[str, Any]: ...

    def whole(self, pieces: list[Piece], usage: Usage) -> dict[str, Any]: ...

    def finish_reason(self, piece: Piece) -> str | None: ...


class LocalStream(ProviderStream):
    def __init__(
        self,
        generation: Generation,
        answer: Answer,
        tally: UsageTally,
        *,
        request_id: str,
        include_usage: bool,
    ) -> None:
        self._generation = generation
        self._answer = answer
        self._tally = tally
        self._include_usage = include_usage
        self._report = StreamReport(usage=Usage(counted=True), provider_request_id=request_id)

    @property
    def report(self) -> StreamReport:
        self._report.usage = self._tally.total()
        return self._report

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._generation.chunks():
            self._tally.add(chunk)
            piece = read_piece(chunk)
            if piece is None:
                continue
            blocks = [self._event(it) for it in self._answer.chunks(piece)]
            if piece.finish_reason is not None:
                self._report.finish_reason = self._answer.finish_reason(piece)
            if blocks:
                yield b"".join(blocks)
        if self._report.finish_reason is None:
            raise ProviderFailedError("The local model ended without finishing its answer.")
        last = DONE
        if self._include_usage:
            usage = self._answer.usage_chunk(self._tally.total())
            last = b"data: " + ENCODER.encode(usage) + b"\n\n" + DONE
        yield last

    async def aclose(self) -> None:
        await self._generation.aclose()

    def _event(self, chunk: dict[str, Any]) -> bytes:
        if self._include_usage:
            # OpenAI's chunks say so when the numbers are still to come.
            chunk["usage"] = None
        return b"data: " + ENCODER.encode(chunk) + b"\n\n"
