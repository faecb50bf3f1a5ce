"""What the data plane reads of a request in Anthropic's format.

Only the members that Stoa itself acts on are typed here; everything else goes to the provider, so
these structs must never forbid unknown fields.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from adapters.dialects.anthropic.errors import THREAD
from adapters.dialects.decoding import decoded
from adapters.http.data_plane.asked import Asked
from domain.inference.errors import UnsupportedByModelError
from domain.models.served_model import Capability

JsonObject = dict[str, Raw]

_CAPABILITIES = {"image": Capability.IMAGES, "document": Capability.FILES}
# Tools that search in the web, whatever the date at the end of their type.
_RETRIEVAL_TOOLS = ("web_search", "web_fetch")
_texts = msgspec.json.Decoder(str)
_blocks = msgspec.json.Decoder(list[JsonObject])


class Message(Struct):
    role: Literal["user", "assistant", "system"]
    content: str | list[JsonObject]


class OutputConfig(Struct):
    format: JsonObject | None = None


class Metadata(Struct):
    user_id: str | None = None


class CountTokensRequest(Struct, kw_only=True):
    """The members that both operations share."""

    model: Annotated[str, Meta(min_length=1, max_length=256)]
    messages: Annotated[list[Message], Meta(min_length=1)]
    system: str | list[JsonObject] | None = None
    tools: list[JsonObject] | None = None
    tool_choice: JsonObject | None = None
    mcp_servers: list[JsonObject] | None = None
    output_config: OutputConfig | None = None


class MessagesRequest(CountTokensRequest, kw_only=True):
    max_tokens: Annotated[int, Meta(ge=0)]
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    metadata: Metadata | None = None
    thread: JsonObject | None = None

    @property
    def attachments(self) -> list[str]:
        """The types of the blocks that are no text, those that tools gave back among them."""
        return [
            kind
            for message in self.messages
            if isinstance(message.content, list)
            for block in message.content
            for kind in _attached(block)
        ]

    @property
    def asks_retrieval(self) -> bool:
        return any(_type(tool).startswith(_RETRIEVAL_TOOLS) for tool in self.tools or ())

    def asked(self) -> Asked:
        """Raises ``UnsupportedByModelError`` for a conversation that a provider should keep: Stoa
        would see only its ends, and any of several providers may answer the next turn."""
        if self.thread is not None:
            raise UnsupportedByModelError(
                "Conversations are not kept by a provider. Send the whole of it without 'thread'.",
                param=THREAD,
            )
        attachments = self.attachments
        needs = {_CAPABILITIES[kind] for kind in attachments}
        offers_tools = bool(self.tools or self.mcp_servers)
        if offers_tools:
            needs.add(Capability.TOOLS)
        if self.output_config is not None and self.output_config.format is not None:
            needs.add(Capability.JSON_SCHEMA)
        return Asked(
            model=self.model,
            stream=bool(self.stream),
            include_usage=True,
            max_output_tokens=self.max_tokens,
            attachments=len(attachments),
            offers_tools=offers_tools,
            asks_retrieval=self.asks_retrieval,
            needs=frozenset(needs),
            user=self.metadata.user_id if self.metadata is not None else None,
        )


_messages = msgspec.json.Decoder(MessagesRequest)
_count_tokens = msgspec.json.Decoder(CountTokensRequest)


def read_messages(body: bytes, _: str) -> Asked:
    """Raises ``InvalidError`` that names the parameter."""
    return decoded(_messages, body).asked()


def read_count_tokens(body: bytes, _: str) -> Asked:
    """Counting uses no tokens; a limit is only said so that nothing is set aside for an answer.
    Raises ``InvalidError`` that names the parameter."""
    request = decoded(_count_tokens, body)
    return Asked(model=request.model, max_output_tokens=1, prompt_bytes=0)


def _attached(block: JsonObject) -> list[str]:
    kind = _type(block)
    if kind == "tool_result" and bytes(block.get("content", b"")).startswith(b"["):
        try:
            inner = _blocks.decode(block["content"])
        except msgspec.ValidationError:
            # What is wrong with it is for the provider to say.
            return []
        return [found for one in inner for found in _attached(one)]
    return [kind] if kind in _CAPABILITIES else []


def _type(members: JsonObject) -> str:
    try:
        return _texts.decode(members["type"])
    except (KeyError, msgspec.DecodeError, UnicodeDecodeError):
        return ""
