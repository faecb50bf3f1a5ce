"""What the data plane reads of a request body.

Only the members that Stoa itself acts on are typed here. Everything else, known or unknown, goes to
the provider byte for byte, so these structs must never forbid unknown fields.
"""

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from adapters.dialects.decoding import decoded, invalid
from adapters.http.data_plane.asked import Asked, ReadRequest
from application.inference.ports import Operation
from domain.models.served_model import Capability

Role = Literal["system", "developer", "user", "assistant", "tool", "function"]
ModelName = Annotated[str, Meta(min_length=1, max_length=256)]
Positive = Annotated[int, Meta(ge=1)]
# What is made in several versions is made here as well, so that more of them than anybody wants
# would fill this process before a provider could refuse them.
Choices = Annotated[int, Meta(ge=1, le=128)]
JsonObject = dict[str, Raw]

# Roles whose messages mean nothing without content.
SPEAKING = frozenset({"system", "developer", "user"})
# Tools that search in files or in the web, whatever the date at the end of their type.
RETRIEVAL_TOOLS = ("file_search", "web_search", "retrieval")
# The member that a part has which only some models can read.
_CAPABILITIES = {
    "image_url": Capability.IMAGES,
    "input_audio": Capability.AUDIO,
    "file": Capability.FILES,
}
_JSON_SCHEMA = b'"json_schema"'


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
    needs: ClassVar[frozenset[Capability]] = frozenset()

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
    n: Choices | None = None
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
        one, other = self.max_completion_tokens, self.max_tokens
        return max(one, other) if one is not None and other is not None else one or other

    @property
    def choices(self) -> int:
        return self.n or 1

    @property
    def attachments(self) -> int:  # type: ignore[override]  # the other requests have none
        """How many parts of the messages are no text."""
        found = 0
        for message in self.messages:
            if isinstance(message.content, list):
                found += sum("text" not in part for part in message.content)
        return found

    @property
    def needs(self) -> frozenset[Capability]:  # type: ignore[override]  # the others need nothing
        found = {Capability.TOOLS} if self.offers_tools else set()
        if self.response_format and _JSON_SCHEMA in bytes(self.response_format.get("type", b"")):
            found.add(Capability.JSON_SCHEMA)
        for message in self.messages:
            if isinstance(message.content, list):
                found.update(
                    capability
                    for part in message.content
                    for member, capability in _CAPABILITIES.items()
                    if member in part
                )
        return frozenset(found)

    @property
    def offers_tools(self) -> bool:  # type: ignore[override]  # the other requests never do
        return bool(self.tools or self.functions)

    @property
    def asks_retrieval(self) -> bool:  # type: ignore[override]  # the other requests never do
        if not self.tools or self.web_search_options is not None:
            return self.web_search_options is not None
        return any(
            str(msgspec.json.decode(tool["type"])).startswith(RETRIEVAL_TOOLS)
            for tool in self.tools
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
    n: Choices | None = None
    best_of: Choices | None = None
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
    needs: ClassVar[frozenset[Capability]] = frozenset()

    def check(self) -> None:
        if self.input in ("", []):
            raise invalid("input", "'input' must not be empty.")


AnyRequest = ChatRequest | CompletionRequest | EmbeddingRequest

DECODERS: dict[Operation, msgspec.json.Decoder[AnyRequest]] = {
    Operation.CHAT: msgspec.json.Decoder(ChatRequest),
    Operation.COMPLETION: msgspec.json.Decoder(CompletionRequest),
    Operation.EMBEDDING: msgspec.json.Decoder(EmbeddingRequest),
}


def parse(operation: Operation, body: bytes) -> AnyRequest:
    """Decode and check a request body; raises ``InvalidError`` naming the parameter."""
    request = decoded(DECODERS[operation], body)
    request.check()
    return request


def reading(operation: Operation) -> ReadRequest:
    """What the door needs to know of the requests of an operation."""

    def read(body: bytes, _: str) -> Asked:
        request = parse(operation, body)
        options = request.stream_options
        return Asked(
            model=request.model,
            stream=bool(request.stream),
            include_usage=options is not None and bool(options.include_usage),
            max_output_tokens=request.output_limit,
            choices=request.choices,
            attachments=request.attachments,
            offers_tools=request.offers_tools,
            asks_retrieval=request.asks_retrieval,
            needs=request.needs,
            user=request.user,
        )

    return read
