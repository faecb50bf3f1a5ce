"""What the data plane reads of a request body.

Only the members that Stoa itself acts on are typed here. Everything else, known or unknown, goes to
the provider byte for byte, so these structs must never forbid unknown fields.
"""

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from application.inference.ports import Operation
from domain.shared.errors import FieldError, InvalidError

Role = Literal["system", "developer", "user", "assistant", "tool", "function"]
ModelName = Annotated[str, Meta(min_length=1, max_length=256)]
Positive = Annotated[int, Meta(ge=1)]
JsonObject = dict[str, Raw]

# Roles whose messages mean nothing without content.
SPEAKING = frozenset({"system", "developer", "user"})
# Tools that search in files or in the web, whatever the date at the end of their type.
RETRIEVAL_TOOLS = ("file_search", "web_search", "retrieval")


class StreamOptions(Struct):
    include_usage: bool | None = None


class Message(Struct):
    role: Role
    content: str | list[JsonObject] | UnsetType | None = UNSET


class Request(Struct):
    """The members that all three operations share."""

    model: ModelName
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Positive | None = None
    user: str | None = None

    offers_tools: ClassVar[bool] = False
    asks_retrieval: ClassVar[bool] = False
    attachments: ClassVar[int] = 0

    @property
    def output_limit(self) -> int | None:
        return self.max_tokens

    def check(self) -> None:
        """Raise ``InvalidError`` for what types alone cannot say."""
        if self.stream_options is not None and not self.stream:
            raise invalid(
                "stream_options",
                "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            )


class ChatRequest(Request, kw_only=True):
    messages: Annotated[list[Message], Meta(min_length=1)]
    max_completion_tokens: Positive | None = None
    n: Positive | None = None
    temperature: float | None = None
    top_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    tools: list[JsonObject] | None = None
    tool_choice: str | JsonObject | None = None
    functions: list[JsonObject] | None = None
    web_search_options: JsonObject | None = None
    response_format: JsonObject | None = None

    @property
    def output_limit(self) -> int | None:
        # A provider may know just one of the two, and nobody knows which.
        given = (self.max_completion_tokens, self.max_tokens)
        return max((limit for limit in given if limit is not None), default=None)

    @property
    def choices(self) -> int:
        return self.n or 1

    @property
    def attachments(self) -> int:  # type: ignore[override]  # the other requests have none
        """How many parts of the messages are no text."""
        return sum(
            "text" not in part
            for message in self.messages
            if isinstance(message.content, list)
            for part in message.content
        )

    @property
    def offers_tools(self) -> bool:  # type: ignore[override]  # the other requests never do
        return bool(self.tools or self.functions)

    @property
    def asks_retrieval(self) -> bool:  # type: ignore[override]  # the other requests never do
        if self.web_search_options is not None:
            return True
        return any(
            str(msgspec.json.decode(tool["type"])).startswith(RETRIEVAL_TOOLS)
            for tool in self.tools or ()
            if "type" in tool
        )

    def check(self) -> None:
        Request.check(self)
        for index, message in enumerate(self.messages):
            if message.role in SPEAKING and (message.content is UNSET or message.content is None):
                raise invalid(
                    f"messages[{index}].content",
                    f"Missing required parameter: 'messages[{index}].content'.",
                )


class CompletionRequest(Request, kw_only=True):
    prompt: str | list[str | int | list[int]]
    n: Positive | None = None
    best_of: Positive | None = None
    temperature: float | None = None
    top_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    logprobs: int | None = None
    echo: bool | None = None

    @property
    def choices(self) -> int:
        """All that are made, of all prompts, whether or not they are shown."""
        prompts = 1
        if isinstance(self.prompt, list) and not any(isinstance(one, int) for one in self.prompt):
            prompts = max(1, len(self.prompt))
        return max(self.n or 1, self.best_of or 1) * prompts


class EmbeddingRequest(Struct):
    model: ModelName
    input: str | list[str | int | list[int]]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Positive | None = None
    user: str | None = None

    stream: ClassVar[bool] = False
    stream_options: ClassVar[StreamOptions | None] = None
    output_limit: ClassVar[int | None] = None
    offers_tools: ClassVar[bool] = False
    asks_retrieval: ClassVar[bool] = False
    choices: ClassVar[int] = 1
    attachments: ClassVar[int] = 0

    def check(self) -> None:
        if self.input in ("", []):
            raise invalid("input", "'input' must not be empty.")


AnyRequest = ChatRequest | CompletionRequest | EmbeddingRequest

DECODERS: dict[Operation, msgspec.json.Decoder[AnyRequest]] = {
    Operation.CHAT: msgspec.json.Decoder(ChatRequest),
    Operation.COMPLETION: msgspec.json.Decoder(CompletionRequest),
    Operation.EMBEDDING: msgspec.json.Decoder(EmbeddingRequest),
}


class _Hint(Struct):
    """What can still be learnt of a request that is wrong elsewhere."""

    model: Raw = Raw(b'""')
    stream: Raw = Raw(b"false")


_hint_decoder = msgspec.json.Decoder(_Hint)
_text_decoder = msgspec.json.Decoder(str)


def parse(operation: Operation, body: bytes) -> AnyRequest:
    """Decode and check a request body; raises ``InvalidError`` naming the parameter."""
    try:
        request = DECODERS[operation].decode(body)
    except msgspec.ValidationError as error:
        raise _validation_error(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidError(f"We could not parse the JSON body of your request. ({error})") from None
    request.check()
    return request


def hint(body: bytes) -> tuple[str, bool]:
    """The model and the stream flag of a request that ``parse`` refused, as far as readable."""
    try:
        found = _hint_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "", False
    stream = bytes(found.stream) == b"true"
    try:
        return _text_decoder.decode(found.model), stream
    except (msgspec.ValidationError, UnicodeDecodeError):
        return "", stream


def invalid(param: str, message: str) -> InvalidError:
    return InvalidError(message, param=param, errors=(FieldError(param, message),))


def _validation_error(text: str) -> InvalidError:
    """Turn msgspec's ``Expected `str`, got `int` - at `$.model``` into OpenAI's words."""
    reason, _, path = text.partition(" - at `")
    param = path.rstrip("`").removeprefix("$").removeprefix(".")
    if reason.startswith("Object missing required field"):
        missing = reason.split("`")[1]
        param = f"{param}.{missing}" if param else missing
        return invalid(param, f"Missing required parameter: '{param}'.")
    if not param:
        return InvalidError(f"The request body is not valid: {reason}.")
    if reason.startswith("Invalid enum value"):
        # Its end repeats what was sent.
        reason = "none of the values allowed here"
    return invalid(param, f"Invalid value for '{param}': {reason[0].lower()}{reason[1:]}.")
