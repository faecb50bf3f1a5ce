from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from application.inference.keeping.ports import KeptAnswer
from application.inference.ports import ProviderStream, StreamReport


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
