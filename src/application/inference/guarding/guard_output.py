from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace

from application.inference.guarding.inspection import Inspection
from application.inference.guarding.large_texts import LargeTexts
from application.inference.guarding.ports import ContentFormats, JsonSchemas, StreamFormat
from application.inference.interception import AnswerFilter
from application.inference.ports import (
    EVENTS,
    JSON,
    Operation,
    ProviderAnswer,
    ProviderStream,
    StreamReport,
)
from domain.inference.errors import ContentRefusedError, OutputSchemaError

CUT = "content_filter"
SCHEMA = "schema"
# Transcripts, also those with times.
PLAIN = "text/"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardOutput(AnswerFilter):
    """Looks at what comes out of a model before the client does. A stream that has begun is broken
    off by what its format has for that; one that does not fit the schema fails at its end."""

    inspection: Inspection
    formats: ContentFormats
    schemas: JsonSchemas
    operation: Operation
    large: LargeTexts
    schema: Mapping[str, object] | None = None

    async def answer(self, answer: ProviderAnswer) -> ProviderAnswer:
        look = self._in_plain_text
        if not answer.content_type.startswith(PLAIN):
            if not answer.content_type.startswith(JSON):
                return answer
            look = self._in_json
        return replace(answer, body=await self.large.look(answer.body, look))

    def stream(self, source: ProviderStream) -> ProviderStream:
        if not source.report.content_type.startswith(EVENTS):
            return source
        inspection = self.inspection
        opened = self.formats.stream(
            self.operation,
            inspection.opens,
            inspection.repeats,
            holds_end=self.schema is not None,
        )
        return _GuardedStream(source, opened, self)

    def _in_plain_text(self, body: bytes) -> bytes:
        channel = self.inspection.opens(False)
        text = body.decode(errors="replace")
        return (channel.feed(text) + channel.end()).encode()

    def _in_json(self, body: bytes) -> bytes:
        shown = self.formats.answer(self.operation, body, self.inspection.opens)
        if self.schema is not None:
            self.check(self.formats.texts_of(self.operation, shown))
        return shown

    def check(self, texts: list[str]) -> None:
        """Raises ``OutputSchemaError``."""
        if self.schema is None:
            return
        for text in texts:
            objection = self.schemas.objection(self.schema, text)
            if objection is not None:
                self.inspection.refuse(SCHEMA)
                raise OutputSchemaError(objection)


@dataclass(slots=True)
class _GuardedStream(ProviderStream):
    source: ProviderStream
    format: StreamFormat
    guard: GuardOutput

    @property
    def report(self) -> StreamReport:
        return self.source.report

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for block in self.source:
                shown = await self.guard.large.look(block, self.format.feed)
                if shown:
                    yield shown
            ending = self.format.end()
        except ContentRefusedError:
            # Whoever goes on writing writes for nobody.
            await self.source.aclose()
            self.report.finish_reason = CUT
            cut = self.format.cut()
            if cut is None:
                raise
            yield cut
            return
        self.guard.check(self.format.texts)
        if ending:
            yield ending

    async def aclose(self) -> None:
        await self.source.aclose()
