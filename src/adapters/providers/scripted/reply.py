"""What a scripted model says to a request."""

import re
from dataclasses import dataclass

import msgspec

from adapters.dialects.decoding import decoded
from adapters.providers.scripted.options import ScriptedOptions, ScriptedToolCall
from application.inference.ports import Operation, ProviderRequest
from domain.shared.errors import InvalidError
from domain.shared.usage import Usage

# So that nobody can have a small request answered with gigabytes.
MAX_CHOICES = 128
MAX_REPLY_CHARACTERS = 100_000
_TOKEN = re.compile(r"\s*\S+|\s+")


class _Part(msgspec.Struct):
    text: str = ""


class _Message(msgspec.Struct):
    role: str = ""
    content: str | list[_Part] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return " ".join(part.text for part in self.content if part.text)
        return self.content or ""


class _Function(msgspec.Struct, frozen=True):
    name: str = ""


class _Tool(msgspec.Struct):
    function: _Function = _Function()


class _Body(msgspec.Struct):
    model: str
    messages: list[_Message] = []
    prompt: str | list[str | int | list[int]] = ""
    n: int | None = None
    stop: str | list[str] | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    tools: list[_Tool] | None = None
    tool_choice: str | _Tool | None = None


_DECODER = msgspec.json.Decoder(_Body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """``tokens`` joined are the text; every choice says the same."""

    model: str
    choices: int
    tokens: tuple[str, ...]
    tool_call: ScriptedToolCall | None
    finish_reason: str
    usage: Usage

    @property
    def text(self) -> str:
        return "".join(self.tokens)


def reply_to(request: ProviderRequest, options: ScriptedOptions) -> Reply:
    """Raises ``InvalidError`` for a body that no provider would understand."""
    body = decoded(_DECODER, request.body)
    choices = 1 if body.n is None else body.n
    if not 1 <= choices <= MAX_CHOICES:
        raise InvalidError(f"Invalid 'n': expected a value from 1 to {MAX_CHOICES}.", param="n")
    said = _prompt(request.operation, body)
    tool_call = _tool_call(body, options) if request.operation is Operation.CHAT else None
    tokens, finish_reason = _speak(said[-1] if options.reply is None else options.reply, body)
    if tool_call is not None:
        tokens, finish_reason = (), "tool_calls"
    spoken = count_tokens(tool_call.arguments_json) if tool_call else len(tokens)
    usage = Usage(
        prompt_tokens=sum(count_tokens(text) for text in said), completion_tokens=choices * spoken
    )
    return Reply(
        model=body.model,
        choices=choices,
        tokens=tokens,
        tool_call=tool_call,
        finish_reason=options.finish_reason or finish_reason,
        usage=options.usage.usage() if options.usage else usage,
    )


def count_tokens(text: str) -> int:
    return len(text.split())


def _prompt(operation: Operation, body: _Body) -> list[str]:
    """All texts of the prompt; the last is the one to echo."""
    if operation is Operation.COMPLETION:
        prompt = body.prompt if isinstance(body.prompt, list) else [body.prompt]
        return [piece if isinstance(piece, str) else str(piece) for piece in prompt] or [""]
    users = [message for message in body.messages if message.role == "user"][-1:]
    others = [message.text for message in body.messages if message not in users]
    return [*others, users[0].text if users else ""]


def _speak(text: str, body: _Body) -> tuple[tuple[str, ...], str]:
    stops = [body.stop] if isinstance(body.stop, str) else body.stop or []
    for stop in stops:
        if stop:
            text = text.partition(stop)[0]
    tokens = tuple(_TOKEN.findall(text[:MAX_REPLY_CHARACTERS]))
    limit = body.max_completion_tokens or body.max_tokens
    if limit is not None and len(tokens) > limit:
        return tokens[:limit], "length"
    return tokens, "length" if len(text) > MAX_REPLY_CHARACTERS else "stop"


def _tool_call(body: _Body, options: ScriptedOptions) -> ScriptedToolCall | None:
    choice = body.tool_choice
    answered = bool(body.messages) and body.messages[-1].role == "tool"
    if not body.tools or choice == "none" or answered:
        return None
    if options.tool_call is not None:
        return options.tool_call
    if isinstance(choice, _Tool):
        return ScriptedToolCall(choice.function.name)
    if choice == "required":
        return ScriptedToolCall(body.tools[0].function.name)
    return None
