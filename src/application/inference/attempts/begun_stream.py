from collections.abc import AsyncIterator
from dataclasses import dataclass

from application.inference.ports import ProviderStream, StreamReport


@dataclass(slots=True)
class BegunStream(ProviderStream):
    """A stream whose first block is there; ``None`` if it ended without any."""

    source: ProviderStream
    rest: AsyncIterator[bytes]
    first: bytes | None

    @property
    def report(self) -> StreamReport:
        return self.source.report

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self.first is not None:
            yield self.first
            async for block in self.rest:
                yield block

    async def aclose(self) -> None:
        await self.source.aclose()


async def begun(source: ProviderStream) -> BegunStream:
    """Wait for the first block; whatever goes wrong meanwhile, the source is closed."""
    blocks = aiter(source)
    try:
        return BegunStream(source, blocks, await anext(blocks, None))
    except BaseException:
        await source.aclose()
        raise
