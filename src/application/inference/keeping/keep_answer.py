from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta

from application.inference.interception import AnswerFilter
from application.inference.keeping.ports import (
    MOST_BYTES,
    AnswerCache,
    AnswerToKeep,
    KeptAnswer,
    Meaning,
)
from application.inference.ports import ProviderAnswer, ProviderStream, StreamReport
from application.shared.ports import Clock
from domain.inference.call import Call

# Somebody took offence at what was said; another time it may turn out otherwise.
_CUT = "content_filter"


@dataclass(slots=True, kw_only=True)
class KeepAnswer(AnswerFilter):
    """Keeps what a client gets, once it has got all of it, and changes nothing of it. ``tell``
    hears of what is kept."""

    cache: AnswerCache
    clock: Clock
    call: Call
    key: bytes
    ttl_s: int
    tell: Callable[[KeptAnswer], None]
    meaning: Meaning | None = None

    async def answer(self, answer: ProviderAnswer) -> ProviderAnswer:
        self._keep((answer.body,), answer)
        return answer

    def stream(self, source: ProviderStream) -> ProviderStream:
        return _WatchedStream(source, self)

    def ended(self, blocks: tuple[bytes, ...], report: StreamReport) -> None:
        self._keep(blocks, report)

    def _keep(self, blocks: tuple[bytes, ...], report: ProviderAnswer | StreamReport) -> None:
        if report.finish_reason == _CUT or sum(map(len, blocks)) > MOST_BYTES:
            return
        now, call = self.clock.now(), self.call
        kept = KeptAnswer(
            blocks=blocks,
            content_type=report.content_type,
            usage=report.usage,
            model=call.routed_to or call.model,
            kept_at=now,
            finish_reason=report.finish_reason,
            worth=None if call.price is None else call.price.cost(report.usage),
        )
        self.cache.keep(
            AnswerToKeep(
                team_id=call.team_id,
                key=self.key,
                answer=kept,
                expires_at=now + timedelta(seconds=self.ttl_s),
                meaning=self.meaning,
            )
        )
        self.tell(kept)


@dataclass(slots=True)
class _WatchedStream(ProviderStream):
    source: ProviderStream
    keeper: KeepAnswer

    @property
    def report(self) -> StreamReport:
        return self.source.report

    async def __aiter__(self) -> AsyncIterator[bytes]:
        blocks: list[bytes] = []
        size = 0
        async for block in self.source:
            size += len(block)
            if size <= MOST_BYTES:
                blocks.append(block)
            yield block
        if size <= MOST_BYTES:
            self.keeper.ended(tuple(blocks), self.report)

    async def aclose(self) -> None:
        await self.source.aclose()
