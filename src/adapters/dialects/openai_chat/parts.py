"""The parts that a message of OpenAI's chat has."""

from collections.abc import Sequence
from mimetypes import guess_type

import msgspec

from adapters.dialects.fields import Fields, unsupported
from adapters.dialects.openai_chat.words import NAME
from domain.inference.conversation.parts import (
    Audio,
    File,
    Foreign,
    Image,
    Inline,
    Part,
    Refusal,
    Source,
    StoredFile,
    Text,
    ToolCall,
    Url,
)
from domain.inference.conversation.request import JsonObject

_DEFAULT_CACHE = "5m"


def read_parts(message: Fields) -> tuple[Part, ...]:
    """The ``content``: a text, an array of parts, or nothing."""
    content = message.peek("content")
    if isinstance(content, str):
        message.raw("content")
        return (Text(text=content),)
    return tuple(_read_part(part) for part in message.objects("content"))


def read_images(message: Fields) -> list[Image]:
    """The ``images`` that a model has made: OpenAI's own chats have none, but other gateways' and
    their clients know them there."""
    found: list[Image] = []
    for entry in message.objects("images"):
        entry.raw("index")
        part = _read_part(entry)
        if not isinstance(part, Image):
            raise message.wrong("images", "an array of images")
        found.append(part)
    return found


def write_images(images: Sequence[Image], path: str, first: int = 0) -> JsonObject:
    """The member of a message that has them; none for none."""
    entries = [
        {"index": index} | write_part(image, path) for index, image in enumerate(images, first)
    ]
    return {"images": entries} if entries else {}


def read_call(call: Fields, position: int) -> ToolCall | Foreign:
    """One of the ``tool_calls``."""
    if call.peek("type") not in (None, "function"):
        return Foreign(dialect=NAME, json=msgspec.json.encode(call.rest()).decode())
    function = call.object("function")
    if function is None:
        raise call.missing("function")
    opaque_of, opaque = _read_signature(call)
    return ToolCall(
        id=call.text("id") or f"call_{position}",
        name=function.needed("name"),
        arguments=function.text("arguments") or "",
        opaque=opaque,
        opaque_of=opaque_of,
    )


def write_call(call: ToolCall) -> JsonObject:
    written: JsonObject = {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }
    if call.opaque is not None:
        written |= write_signature(call.opaque_of or "", call.opaque)
    return written


def write_signature(of: str, opaque: str) -> JsonObject:
    """Where Google's servers have what they want back with a call."""
    return {"extra_content": {of: {"thought_signature": opaque}}}


def write_part(part: Part, path: str, *, with_cache: bool = False) -> JsonObject:
    """Raises ``UnsupportedByModelError`` for a part that this kind of message cannot have."""
    written = _written(part, path)
    cache = getattr(part, "cache", None)
    if with_cache and cache is not None:
        written["cache_control"] = {"type": "ephemeral", "ttl": cache}
    return written


def _written(part: Part, path: str) -> JsonObject:
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Image():
            return {"type": "image_url", "image_url": _image(part, path)}
        case Audio():
            audio = {"data": part.data, "format": part.format}
            return {"type": "input_audio", "input_audio": audio}
        case File():
            return {"type": "file", "file": _file(part)}
        case Refusal():
            return {"type": "refusal", "refusal": part.text}
        case _:
            raise unsupported(path, "a part of it can only be said in another format")


def read_cache(fields: Fields) -> str | None:
    control = fields.object("cache_control")
    return None if control is None else control.text("ttl") or _DEFAULT_CACHE


def _read_part(part: Fields) -> Part:
    kind = part.needed("type")
    cache = read_cache(part)
    found: Part
    match kind:
        case "text":
            found = Text(text=part.needed("text"), cache=cache)
        case "image_url":
            found = _read_image(part, cache)
        case "input_audio":
            found = _read_audio(part)
        case "file":
            found = _read_file(part, cache)
        case "refusal":
            found = Refusal(text=part.needed("refusal"))
        case _:
            raise unsupported(part.path("type"), f"parts of the type '{kind[:40]}' are unknown")
    part.end()
    return found


def _read_image(part: Fields, cache: str | None) -> Image:
    image = part.object("image_url")
    if image is None:
        raise part.missing("image_url")
    found = Image(source=_of_url(image.needed("url")), detail=image.text("detail"), cache=cache)
    image.end()
    return found


def _read_audio(part: Fields) -> Audio:
    audio = part.object("input_audio")
    if audio is None:
        raise part.missing("input_audio")
    found = Audio(data=audio.needed("data"), format=audio.needed("format"))
    audio.end()
    return found


def _read_file(part: Fields, cache: str | None) -> File:
    file = part.object("file")
    if file is None:
        raise part.missing("file")
    name, stored = file.text("filename"), file.text("file_id")
    source: Source = StoredFile(id=stored) if stored else _of_data(file.needed("file_data"), name)
    file.end()
    return File(source=source, name=name, cache=cache)


def _of_url(url: str) -> Source:
    head, comma, data = url.partition(",")
    if comma and head.startswith("data:") and head.endswith(";base64"):
        return Inline(media_type=head[5:-7], data=data)
    return Url(url=url)


def _of_data(data: str, name: str | None) -> Source:
    if data.startswith(("data:", "http://", "https://")):
        return _of_url(data)
    # Bare base64, which only the name says the type of.
    media_type = guess_type(name or "")[0] or "application/octet-stream"
    return Inline(media_type=media_type, data=data)


def _url_of(source: Url | Inline) -> str:
    if isinstance(source, Inline):
        return f"data:{source.media_type};base64,{source.data}"
    return source.url


def _image(image: Image, path: str) -> JsonObject:
    if isinstance(image.source, StoredFile):
        raise unsupported(path, "it has an image that another provider keeps")
    written: JsonObject = {"url": _url_of(image.source)}
    if image.detail is not None:
        written["detail"] = image.detail
    return written


def _file(file: File) -> JsonObject:
    written: JsonObject = {}
    if isinstance(file.source, StoredFile):
        written["file_id"] = file.source.id
    else:
        written["file_data"] = _url_of(file.source)
    if file.name is not None:
        written["filename"] = file.name
    return written


def _read_signature(call: Fields) -> tuple[str | None, str | None]:
    extra = call.object("extra_content")
    for of in extra.rest() if extra is not None else ():
        found = extra.object(of) if extra is not None else None
        signature = found.text("thought_signature") if found is not None else None
        if signature is not None:
            return of, signature
    return None, None
