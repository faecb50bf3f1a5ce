"""The few members that the gateway itself reads of answers beside texts."""

from dataclasses import replace
from decimal import Decimal

import msgspec

from adapters.dialects.counts import Count
from adapters.providers.billed_searches import searches_in
from adapters.providers.json_reading import NOT_JSON
from application.inference.ports import Operation
from domain.shared.usage import Usage

_NULL = msgspec.Raw(b"null")
_LONGEST_S = Decimal(10**7)


class _InputDetails(msgspec.Struct):
    audio_tokens: Count | None = None
    cached_tokens: Count | None = None


class _OutputDetails(msgspec.Struct):
    audio_tokens: Count | None = None
    reasoning_tokens: Count | None = None


class _Usage(msgspec.Struct):
    """OpenAI's words differ between its operations, and those of others from all of them."""

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None
    total_tokens: Count | None = None
    input_token_details: _InputDetails | None = None
    input_tokens_details: _InputDetails | None = None
    output_token_details: _OutputDetails | None = None
    seconds: Decimal | None = None
    prompt_audio_seconds: Decimal | None = None

    @property
    def prompt(self) -> int | None:
        if self.input_tokens is not None:
            return self.input_tokens
        if self.prompt_tokens is not None:
            return self.prompt_tokens
        return self.total_tokens

    @property
    def heard(self) -> Decimal | None:
        return self.prompt_audio_seconds if self.seconds is None else self.seconds

    @property
    def completion(self) -> int:
        return self.output_tokens or self.completion_tokens or 0


class MediaAnswer(msgspec.Struct):
    """A whole answer, or one event of a stream."""

    type: str | None = None
    data: msgspec.Raw = _NULL
    results: msgspec.Raw = _NULL
    text: msgspec.Raw = _NULL
    error: msgspec.Raw = _NULL
    usage: msgspec.Raw = _NULL
    duration: msgspec.Raw = _NULL
    meta: msgspec.Raw = _NULL

    @property
    def failed(self) -> bool:
        return self.type == "error" or bytes(self.error) != b"null"

    def answers(self, operation: Operation) -> bool:
        """Whether it has what an answer to this is for."""
        member = {
            Operation.RERANK: self.results,
            Operation.MODERATION: self.results,
            Operation.IMAGE: self.data,
            Operation.TRANSCRIPTION: self.text,
        }.get(operation, _NULL)
        return bytes(member) != b"null"

    def used(self, expected: Usage) -> Usage:
        """``expected`` says what the provider does not."""
        said = self._read_usage()
        seconds = self._seconds(said)
        searches = 0 if self.meta == _NULL else searches_in(self.meta) or 0
        prompt = None if said is None else said.prompt
        if said is None or prompt is None:
            told = expected if seconds is None else Usage(seconds=seconds)
            return replace(told, searches=searches) if searches else told
        heard = said.input_token_details or said.input_tokens_details or _InputDetails()
        spoken = said.output_token_details or _OutputDetails()
        return Usage(
            prompt_tokens=prompt,
            cached_tokens=heard.cached_tokens or 0,
            audio_input_tokens=heard.audio_tokens or 0,
            completion_tokens=said.completion,
            reasoning_tokens=spoken.reasoning_tokens or 0,
            audio_output_tokens=spoken.audio_tokens or 0,
            images=self.count() if expected.images else 0,
            characters=expected.characters,
            seconds=seconds or Decimal(0),
            searches=searches,
        )

    def count(self) -> int:
        """How many things there are in ``data``."""
        try:
            return len(_list.decode(self.data))
        except NOT_JSON:
            return 0

    def _read_usage(self) -> _Usage | None:
        try:
            return _usage.decode(self.usage)
        except NOT_JSON:
            return None

    def _seconds(self, said: _Usage | None) -> Decimal | None:
        """The length of what was heard, which older servers say as a text."""
        if said is not None and said.heard is not None:
            return _sane(said.heard)
        try:
            return _sane(_decimal.decode(self.duration))
        except NOT_JSON:
            return None


def _sane(seconds: Decimal | None) -> Decimal | None:
    if seconds is None or not seconds.is_finite() or not 0 <= seconds <= _LONGEST_S:
        return None
    return seconds


_usage: msgspec.json.Decoder[_Usage | None] = msgspec.json.Decoder(_Usage | None, strict=False)
_decimal: msgspec.json.Decoder[Decimal | None] = msgspec.json.Decoder(Decimal | None, strict=False)
_list = msgspec.json.Decoder(list[msgspec.Raw])
media_decoder = msgspec.json.Decoder(MediaAnswer)
