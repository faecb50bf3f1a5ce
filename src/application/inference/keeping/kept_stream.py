from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from application.inference.interception import Passage
from application.inference.keeping.ports import KeptAnswer
from application.inference.ports import (
    EVENTS,
    JSON,
    ProviderAnswer,
    ProviderStream,
    StreamReport,
)
from domain.inference.call import CacheUse


@dataclass(frozen=True, slots=True)
class KeptStream(ProviderStream):
    """A stream out of the cache, in the blocks that it once had."""

    answer: KeptAnswer
    report: StreamReport = field(init=False)

    def __post_init__(self) -> None:
        kept = self.answer
        report = StreamReport(
            usage=kept.usage, content_type=kept.content_type, finish_reason=kept.finish_reason
        )
        object.__setattr__(self, "report", report)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for block in self.answer.blocks:
            yield block

    async def aclose(self) -> None:
        """There is nothing to close."""


def answer_with(passage: Passage, kept: KeptAnswer, use: CacheUse, *, at: datetime) -> None:
    """Let what is kept, in the form that is wanted, stand in for the answer of a model."""
    call, trace = passage.call, passage.command.trace
    call.cache, call.saved, call.routed_to = use, kept.worth, kept.model
    if trace is not None:
        trace.age_s = max(0, int((at - kept.kept_at).total_seconds()))
    if passage.command.stream:
        passage.instead = KeptStream(replace(kept, content_type=EVENTS))
    else:
        passage.instead = ProviderAnswer(
            body=b"".join(kept.blocks),
            usage=kept.usage,
            content_type=JSON,
            finish_reason=kept.finish_reason,
        )
