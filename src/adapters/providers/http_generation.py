"""Answers of providers over HTTP that have a wire format of their own, whole and in pieces."""

from asyncio import get_running_loop
from collections.abc import AsyncIterator
from dataclasses import replace
from math import inf
from typing import NoReturn

from adapters.dialects.dialect import StreamReader, UpstreamDialect
from adapters.dialects.openai_chat.words import FINISH_REASONS
from adapters.providers.generation import Generated, GenerationStream
from adapters.providers.http_client import JSON, MAX_ANSWER_BYTES, ProviderClient
from adapters.providers.transport.transport import UpstreamResponse
from application.inference.ports import StreamReport
from domain.inference.conversation.events import (
    Delta,
    Measured,
    Started,
    Stopped,
    StreamEvent,
    WholePart,
)
from domain.inference.errors import ProviderTimedOutError, ProviderUnreachableError
from domain.shared.errors import StoaError
from domain.shared.usage import Usage

_BYTES_PER_TOKEN = 4


def tokens_in(size: int) -> int:
    """A rough count for text of that many bytes, rounded up."""
    return -(-size // _BYTES_PER_TOKEN)


async def read_generated(
    client: ProviderClient, response: UpstreamResponse, dialect: UpstreamDialect
) -> Generated:
    request_id = client.request_id(response)
    try:
        answer = dialect.read_answer(await response.read(MAX_ANSWER_BYTES))
    except StoaError as error:
        error.provider_request_id = error.provider_request_id or request_id
        raise
    return Generated(answer=answer, provider_request_id=request_id or answer.id or None)


async def refuse_unstreamed(client: ProviderClient, response: UpstreamResponse) -> NoReturn:
    """For an answer that is no stream: perhaps it says why."""
    error: StoaError = client.errors.no_answer("did not answer with a stream of events")
    try:
        if (response.header("content-type") or "").casefold().startswith(JSON):
            body = await response.read(MAX_ANSWER_BYTES)
            if b'"error"' in body:
                error = client.errors.of_body(body)
    except StoaError as failure:
        error = failure
    await response.aclose()
    error.provider_request_id = client.request_id(response)
    raise error


class _Count:
    """What has come so far, for streams that end before they say what they used."""

    def __init__(self, prompt_tokens: int) -> None:
        self.finish_reason: str | None = None
        self.answer_id: str | None = None
        self._prompt_tokens = prompt_tokens
        self._measured: Usage | None = None
        self._pieces = 0
        self._bytes = 0

    def add(self, event: StreamEvent) -> None:
        match event:
            case Delta():
                self._pieces += 1
                self._bytes += len(event.text.encode())
            case WholePart():
                self._pieces += 1
            case Measured():
                self._measured = event.usage
            case Stopped():
                self.finish_reason = self.finish_reason or FINISH_REASONS[event.reason]
            case Started():
                self.answer_id = event.id or None
            case _:
                pass

    @property
    def usage(self) -> Usage:
        measured = self._measured
        if measured is not None and self.finish_reason is not None:
            return measured
        known = measured or Usage(prompt_tokens=self._prompt_tokens)
        counted = max(self._pieces, self._bytes // _BYTES_PER_TOKEN)
        completion_tokens = max(known.completion_tokens, counted)
        return replace(known, completion_tokens=completion_tokens, counted=True)


class HttpGenerationStream(AsyncIterator[list[StreamEvent]], GenerationStream):
    """A stream that says nothing for as long as it may take to its first byte has timed out, even
    if bytes keep coming."""

    def __init__(
        self,
        client: ProviderClient,
        response: UpstreamResponse,
        reader: StreamReader,
        *,
        patience: float | None,
        prompt_tokens: int,
    ) -> None:
        self._peer = client.name
        self._response = response
        self._blocks = response.iter_blocks()
        self._reader = reader
        self._patience = patience or inf
        self._count = _Count(prompt_tokens)
        self._report = StreamReport(
            usage=self._count.usage, provider_request_id=client.request_id(response)
        )
        self._loop = get_running_loop()
        self._silent_since: float | None = None
        self._over = False

    @property
    def report(self) -> StreamReport:
        count, report = self._count, self._report
        report.usage, report.finish_reason = count.usage, count.finish_reason
        report.provider_request_id = report.provider_request_id or count.answer_id
        return report

    async def __anext__(self) -> list[StreamEvent]:
        while not self._over:
            try:
                events = await self._read()
            except StoaError as error:
                error.provider_request_id = error.provider_request_id or (
                    self.report.provider_request_id
                )
                await self.aclose()
                raise
            if events:
                return events
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self._over = True
        await self._response.aclose()

    async def _read(self) -> list[StreamEvent]:
        try:
            # A failure that stood behind events is raised at once, not with the next bytes.
            self._reader.feed(b"")
            data = await self._blocks.__anext__()
        except StopAsyncIteration:
            events = self._end(None)
        except ProviderUnreachableError as error:
            events = self._end(error)
        else:
            events = self._reader.feed(data)
            self._be_patient(events)
        for event in events:
            self._count.add(event)
        return events

    def _end(self, broken: StoaError | None) -> list[StreamEvent]:
        """A connection that broke behind the last event has done no harm."""
        self._over = True
        try:
            return self._reader.end()
        except StoaError as error:
            raise error from broken

    def _be_patient(self, events: list[StreamEvent]) -> None:
        if events:
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = self._loop.time()
        elif self._loop.time() - self._silent_since > self._patience:
            raise ProviderTimedOutError(f"The provider '{self._peer}' sent no event in time.")
