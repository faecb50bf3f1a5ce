"""What the data plane reads of a request for a response; all else goes to whoever answers it."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from adapters.dialects.decoding import decoded, invalid
from adapters.dialects.openai_responses.request_reading import REFUSED
from adapters.http.data_plane.asked import Asked
from adapters.http.openai.requests import (
    RETRIEVAL_TOOLS,
    JsonObject,
    ModelName,
    Positive,
)
from domain.models.served_model import Capability

# The type of a part which only some models can read.
_CAPABILITIES = {
    "input_image": Capability.IMAGES,
    "input_audio": Capability.AUDIO,
    "input_file": Capability.FILES,
}


class ResponsesStreamOptions(Struct):
    include_obfuscation: bool | None = None


class TextFormat(Struct):
    type: str = "text"


class TextOptions(Struct):
    format: TextFormat | None = None


class ResponsesTool(Struct):
    type: str


class InputPart(Struct):
    type: str = ""


class InputItem(Struct):
    """``content`` is that of messages, ``output`` what a tool gave back."""

    type: str = "message"
    content: str | list[InputPart] | None = None
    output: str | list[InputPart] | JsonObject | None = None


class ResponsesRequest(Struct, kw_only=True):
    model: ModelName
    input: str | list[InputItem] | None = None
    previous_response_id: str | None = None
    instructions: str | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: ResponsesStreamOptions | None = None
    max_output_tokens: Positive | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    tools: list[ResponsesTool] | None = None
    tool_choice: str | JsonObject | None = None
    parallel_tool_calls: bool | None = None
    text: TextOptions | None = None
    reasoning: JsonObject | None = None
    include: list[str] | None = None
    metadata: dict[str, str] | None = None
    user: str | None = None
    safety_identifier: str | None = None
    background: bool | None = None
    conversation: str | JsonObject | None = None
    prompt: JsonObject | None = None

    def check(self) -> None:
        """Raise ``InvalidError`` for what types alone cannot say."""
        given = {
            "background": self.background,
            "conversation": self.conversation,
            "prompt": self.prompt,
        }
        for name, value in given.items():
            if value:
                raise invalid(name, f"Unsupported parameter: '{name}'. {REFUSED[name]}")
        if self.input is None and self.previous_response_id is None:
            raise invalid("input", "Missing required parameter: 'input'.")
        if self.stream_options is not None and not self.stream:
            raise invalid(
                "stream_options",
                "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            )

    @property
    def parts(self) -> tuple[str, ...]:
        """The types of all parts of the input that are no text."""
        items = self.input if isinstance(self.input, list) else []
        return tuple(
            part.type
            for item in items
            for part in (*_parts(item.content), *_parts(item.output))
            if part.type in _CAPABILITIES
        )

    @property
    def needs(self) -> frozenset[Capability]:
        found = {_CAPABILITIES[part] for part in self.parts}
        if self.tools:
            found.add(Capability.TOOLS)
        if self.text and self.text.format and self.text.format.type == "json_schema":
            found.add(Capability.JSON_SCHEMA)
        return frozenset(found)

    @property
    def asks_retrieval(self) -> bool:
        return any(tool.type.startswith(RETRIEVAL_TOOLS) for tool in self.tools or ())


def _parts(content: str | list[InputPart] | JsonObject | None) -> list[InputPart]:
    return content if isinstance(content, list) else []


_request = msgspec.json.Decoder(ResponsesRequest)


def read_response_request(body: bytes, _: str) -> Asked:
    request = decoded(_request, body)
    request.check()
    return Asked(
        model=request.model,
        stream=bool(request.stream),
        max_output_tokens=request.max_output_tokens,
        attachments=len(request.parts),
        offers_tools=bool(request.tools),
        asks_retrieval=request.asks_retrieval,
        needs=request.needs,
        user=request.safety_identifier or request.user,
    )
