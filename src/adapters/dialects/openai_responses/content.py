"""The parts of messages and of what tools give back."""

from adapters.dialects.fields import Fields, unsupported
from domain.inference.conversation.parts import (
    Audio,
    File,
    Image,
    Inline,
    Part,
    Refusal,
    Source,
    StoredFile,
    Text,
    Url,
)
from domain.inference.conversation.request import JsonObject

_TEXTS = frozenset({"input_text", "output_text", "text"})
_DATA_URL = "data:"
_BASE64 = ";base64"
_UNNAMED = "application/pdf"
# What parts of answers say of their text, which is nothing to a model.
_REMARKS = ("type", "annotations", "logprobs")


def read_content(fields: Fields, name: str, *, is_strict: bool) -> list[Part]:
    """A text, or an array of parts. ``is_strict`` is for requests: what is unknown there raises
    ``UnsupportedByModelError``."""
    value = fields.peek(name)
    if isinstance(value, str):
        fields.raw(name)
        return [Text(text=value)]
    return [_read_part(part, is_strict=is_strict) for part in fields.objects(name)]


def _read_part(fields: Fields, *, is_strict: bool) -> Part:
    kind = fields.needed("type")
    cache = _cache_of(fields)
    part: Part
    if kind in _TEXTS:
        part = Text(text=fields.needed("text"), cache=cache)
    elif kind == "refusal":
        part = Refusal(text=fields.needed("refusal"))
    elif kind == "input_image":
        detail = fields.text("detail")
        part = Image(
            source=_image_source(fields), detail=None if detail == "auto" else detail, cache=cache
        )
    elif kind == "input_file":
        part = File(source=_file_source(fields), name=fields.text("filename"), cache=cache)
    elif kind == "input_audio":
        audio = fields.object("input_audio") or Fields({}, fields.path("input_audio"))
        part = Audio(data=audio.needed("data"), format=audio.needed("format"))
    else:
        raise fields.wrong("type", "a type of content that is known here")
    if is_strict:
        fields.end(*_REMARKS)
    return part


def write_part(part: Part) -> JsonObject:
    """A part of what somebody other than the model says."""
    match part:
        case Text():
            return {"type": "input_text", "text": part.text}
        case Image():
            return {"type": "input_image", "detail": part.detail or "auto"} | _written_image(part)
        case File():
            named = {} if part.name is None else {"filename": part.name}
            return {"type": "input_file"} | named | _written_file(part.source)
        case Audio():
            audio = {"data": part.data, "format": part.format}
            return {"type": "input_audio", "input_audio": audio}
        case _:
            raise unsupported("input", f"no message can hold a {type(part).__name__} here")


def write_said(part: Text | Refusal) -> JsonObject:
    """A part of what the model says."""
    if isinstance(part, Refusal):
        return {"type": "refusal", "refusal": part.text}
    return {"type": "output_text", "text": part.text, "annotations": []}


def logprobs_in(value: object) -> list[object]:
    """Those of a chat, which servers lay out in many ways; what is no list is none."""
    content = value.get("content") if isinstance(value, dict) else None
    return content if isinstance(content, list) else []


def data_url(source: Inline) -> str:
    return f"{_DATA_URL}{source.media_type}{_BASE64},{source.data}"


def _written_image(part: Image) -> JsonObject:
    match part.source:
        case StoredFile(id=file_id):
            return {"file_id": file_id}
        case Inline():
            return {"image_url": data_url(part.source)}
        case Url(url=url):
            return {"image_url": url}


def _written_file(source: Source) -> JsonObject:
    match source:
        case StoredFile(id=file_id):
            return {"file_id": file_id}
        case Inline():
            return {"file_data": data_url(source)}
        case Url(url=url):
            return {"file_url": url}


def _image_source(fields: Fields) -> Source:
    file_id, url = fields.text("file_id"), fields.text("image_url")
    if file_id is not None:
        return StoredFile(id=file_id)
    if url is None:
        raise fields.missing("image_url")
    return _inline(url) or Url(url=url)


def _file_source(fields: Fields) -> Source:
    file_id, data, url = fields.text("file_id"), fields.text("file_data"), fields.text("file_url")
    # A hint to those who render pages, and to nobody else.
    fields.text("detail")
    if file_id is not None:
        return StoredFile(id=file_id)
    if data is not None:
        return _inline(data) or Inline(media_type=_UNNAMED, data=data)
    if url is None:
        raise fields.missing("file_data")
    return _inline(url) or Url(url=url)


def _inline(url: str) -> Inline | None:
    head, comma, data = url.partition(",")
    if not comma or not head.startswith(_DATA_URL) or not head.endswith(_BASE64):
        return None
    return Inline(media_type=head.removeprefix(_DATA_URL).removesuffix(_BASE64), data=data)


def _cache_of(fields: Fields) -> str | None:
    breakpoint_ = fields.object("prompt_cache_breakpoint")
    if breakpoint_ is None:
        return None
    return "1h" if breakpoint_.text("ttl") == "12h" else "5m"
