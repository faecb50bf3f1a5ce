"""Reading along in streams beside those of texts."""

import msgspec

from adapters.providers.failures.mapping import ErrorMapping
from adapters.providers.json_reading import NOT_JSON
from adapters.providers.openai_compatible.media.wire import MediaAnswer, media_decoder
from adapters.providers.openai_compatible.sse import (
    EventSplitter,
    EventTooLargeError,
    data_of,
    events_of,
)
from adapters.providers.openai_compatible.stream import Scanner
from domain.shared.errors import StoaError
from domain.shared.usage import Usage

# An image of the largest size, in base64.
MAX_EVENT_BYTES = 64 * 1024 * 1024
_LAST = frozenset(
    {
        "image_generation.completed",
        "transcript.text.done",
        "speech.audio.done",
        "transcription.done",  # Mistral's
    }
)


class EventScanner(Scanner):
    """Events whose data has a ``type``: images that become clearer, transcripts, sound in base64.
    The connection's end is the end of the stream, once the last event was there."""

    finish_reason = None
    content_events = 0

    def __init__(self, errors: ErrorMapping, expected: Usage) -> None:
        self.done = False
        self.failure: StoaError | None = None
        self._used = expected
        self._errors = errors
        self._expected = expected
        self._splitter = EventSplitter(MAX_EVENT_BYTES)
        self._completed = 0
        self._begun = False

    @property
    def usage(self) -> Usage | None:
        return self._used

    def feed(self, data: bytes) -> bytes:
        try:
            block = self._splitter.feed(data)
        except EventTooLargeError:
            self.failure = self._errors.no_answer("sent an event without an end")
            return b""
        kept = []
        for event in events_of(block):
            data = data_of(event)
            self._read(data)
            if self.failure is not None:
                break
            # Comments before the first event say only that the provider is alive: passing them on
            # would count as its first event and rule out another provider.
            self._begun = self._begun or bool(data)
            kept += [event] if self._begun else []
        return b"".join(kept)

    def end(self) -> bytes:
        if self._completed:
            self.done = True
        else:
            self.failure = self._errors.no_answer("ended its stream before the terminator")
        return b""

    def cut(self) -> bytes:
        return self.end()

    def _read(self, data: bytes) -> None:
        if not data or data.strip() == b"[DONE]":
            return
        try:
            event = media_decoder.decode(data)
        except NOT_JSON as error:
            shape = isinstance(error, msgspec.ValidationError)
            if not shape or not data.lstrip().startswith(b"{"):
                self.failure = self._errors.no_answer("sent an event that is no JSON object")
            return
        if event.failed:
            self.failure = self._errors.of_body(data)
        elif event.type in _LAST:
            self._complete(event)

    def _complete(self, event: MediaAnswer) -> None:
        """Each image of a request has a last event, with the usage of its own."""
        self._completed += 1
        used = event.used(self._expected)
        if self._expected.images:
            used = _with_images(used, self._completed)
            if self._completed > 1 and not used.counted:
                used = _sum(self._used, used)
        self._used = used


class ByteScanner(Scanner):
    """Bytes that are no events: sound, or subtitles."""

    finish_reason = None
    content_events = 0

    def __init__(self, errors: ErrorMapping, expected: Usage) -> None:
        self.done = False
        self.failure: StoaError | None = None
        self._errors = errors
        self._expected = expected

    @property
    def usage(self) -> Usage | None:
        return self._expected

    def feed(self, data: bytes) -> bytes:
        return data

    def end(self) -> bytes:
        self.done = True
        return b""

    def cut(self) -> bytes:
        self.failure = self._errors.no_answer("broke the connection inside its answer")
        return b""


def _with_images(usage: Usage, images: int) -> Usage:
    return Usage(
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=usage.cached_tokens,
        completion_tokens=usage.completion_tokens,
        images=images,
        counted=usage.counted,
    )


def _sum(before: Usage, used: Usage) -> Usage:
    return Usage(
        prompt_tokens=before.prompt_tokens + used.prompt_tokens,
        cached_tokens=before.cached_tokens + used.cached_tokens,
        completion_tokens=before.completion_tokens + used.completion_tokens,
        images=used.images,
    )
