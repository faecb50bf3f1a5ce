"""What Ollama says."""

import re
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from adapters.dialects.counts import Count
from adapters.dialects.failures import Failures
from adapters.dialects.fields import NOT_JSON
from domain.inference.conversation.answer import StopReason
from domain.inference.conversation.request import JsonObject
from domain.shared.usage import Usage

_NULL = msgspec.Raw(b"null")
# Ollama's times have nine digits behind the point, Python's six.
_NANOSECONDS = re.compile(r"(\.\d{6})\d+")


class WireFunction(msgspec.Struct):
    name: str
    arguments: dict[str, Any] = {}


class WireCall(msgspec.Struct):
    function: WireFunction
    id: str | None = None


class WireMessage(msgspec.Struct):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[WireCall] | None = None


class WireToken(msgspec.Struct):
    token: str
    logprob: float
    bytes: list[int] | None = None


class WireLogprob(WireToken):
    top_logprobs: list[WireToken] | None = None


class WireAnswer(msgspec.Struct):
    """A whole answer, or one line of a stream."""

    model: str = ""
    created_at: str = ""
    message: WireMessage | None = None
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: Count | None = None
    eval_count: Count | None = None
    logprobs: list[WireLogprob] | None = None
    error: msgspec.Raw = _NULL

    @property
    def created(self) -> int | None:
        try:
            return int(datetime.fromisoformat(_NANOSECONDS.sub(r"\1", self.created_at)).timestamp())
        except (ValueError, OverflowError):
            return None

    @property
    def usage(self) -> Usage | None:
        """``None`` where a count is missing, as that of a prompt which was still in memory."""
        if self.prompt_eval_count is None or self.eval_count is None:
            return None
        return Usage(prompt_tokens=self.prompt_eval_count, completion_tokens=self.eval_count)

    def stop(self, *, has_calls: bool) -> StopReason:
        if self.done_reason == "length":
            return StopReason.LENGTH
        return StopReason.TOOL_CALLS if has_calls else StopReason.END

    def call_id(self, call: WireCall, number: int) -> str:
        """Older servers name no calls; the name must not come twice in a conversation."""
        made = sha256(f"{self.created_at} {number} {call.function.name}".encode()).hexdigest()
        return call.id or f"call_{made[:16]}"


def openai_logprobs(said: WireAnswer) -> JsonObject | None:
    if not said.logprobs:
        return None
    content = [
        _token(one) | {"top_logprobs": [_token(other) for other in one.top_logprobs or ()]}
        for one in said.logprobs
    ]
    return {"content": content, "refusal": None}


def _token(said: WireToken) -> JsonObject:
    own = list(said.token.encode())
    return {"token": said.token, "logprob": said.logprob, "bytes": said.bytes or own}


def arguments_of(call: WireCall) -> str:
    return msgspec.json.encode(call.function.arguments).decode()


def decoded(body: bytes, failures: Failures) -> WireAnswer:
    """Raises ``ProviderFailedError`` for what is no answer, and the error that came as one."""
    try:
        said = _decoder.decode(body)
    except NOT_JSON as error:
        raise failures.no_answer("answered with something that is none of its answers") from error
    if bytes(said.error) != b"null":
        raise failures.of_body(body)
    if said.message is None:
        raise failures.no_answer("answered without a message")
    return said


_decoder = msgspec.json.Decoder(WireAnswer)
