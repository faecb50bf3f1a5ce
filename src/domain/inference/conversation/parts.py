"""What the turns of a conversation are made of, in no provider's format.

Binary content is base64 text, as it came and as it will leave. ``cache`` is how long a provider may
keep the prompt up to and with this part (``5m`` or ``1h``); it is a hint, which changes no answer.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Url:
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inline:
    """``data`` is base64; ``media_type`` such as ``image/png``."""

    media_type: str
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file that the provider itself keeps; no other provider knows it."""

    id: str


Source = Url | Inline | StoredFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    text: str
    cache: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """``detail`` is OpenAI's ``low``, ``high`` or ``auto``, a hint."""

    source: Source
    detail: str | None = None
    cache: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio:
    """``format`` is ``wav``, ``mp3`` and so on, empty where a model does not say what it speaks in;
    ``data`` is base64. What a model says aloud may have an ``id`` and a ``transcript``."""

    data: str
    format: str
    id: str | None = None
    transcript: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A document, for instance a PDF."""

    source: Source
    name: str | None = None
    cache: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """``arguments`` is JSON text as the model wrote it, which need not be valid. ``opaque`` is what
    a provider wants back with the call (Gemini's thought signature), and ``opaque_of`` the dialect
    that understands it."""

    id: str
    name: str
    arguments: str
    opaque: str | None = None
    opaque_of: str | None = None
    cache: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What a tool gave back. ``name`` is the tool's where the dialect says it."""

    call_id: str
    parts: "tuple[Text | Image | File, ...]"
    name: str | None = None
    is_error: bool = False
    cache: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinking:
    """What a model thought before it answered. ``opaque`` is the signature or the encrypted thought
    that its maker wants back, ``opaque_of`` the dialect that understands it; ``is_redacted`` where
    there is nothing else."""

    text: str = ""
    id: str | None = None
    opaque: str | None = None
    opaque_of: str | None = None
    is_redacted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """Something that only one dialect has (the result of a provider's own search, say): JSON as it
    came. It goes back to that dialect, and to no other."""

    dialect: str
    json: str


Part = Text | Image | Audio | File | ToolCall | ToolResult | Thinking | Refusal | Foreign
