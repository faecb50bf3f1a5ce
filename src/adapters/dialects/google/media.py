"""Pictures, sounds and files as Gemini takes them: inline, or by an address that it reads."""

from mimetypes import guess_type
from urllib.parse import unquote_to_bytes, urlsplit

from adapters.dialects.fields import unsupported
from domain.inference.conversation.parts import Audio, Inline, Source, StoredFile, Url
from domain.inference.conversation.request import JsonObject

_BASE64 = ";base64"


def media_part(source: Source, path: str) -> JsonObject:
    if isinstance(source, StoredFile):
        raise unsupported(path, "it names a file that another provider keeps")
    if isinstance(source, Inline):
        return {"inlineData": {"mimeType": source.media_type, "data": source.data}}
    if source.url.startswith("data:"):
        return media_part(_inline(source, path), path)
    part: JsonObject = {"fileUri": source.url}
    media_type, _ = guess_type(urlsplit(source.url).path)
    if media_type is not None:
        part["mimeType"] = media_type
    return {"fileData": part}


def audio_part(audio: Audio) -> JsonObject:
    return {"inlineData": {"mimeType": f"audio/{audio.format}", "data": audio.data}}


def _inline(source: Url, path: str) -> Inline:
    head, comma, data = source.url.removeprefix("data:").partition(",")
    if not comma or not head.endswith(_BASE64):
        raise unsupported(path, "it has a data URL that is not in base64")
    media_type = head.removesuffix(_BASE64).partition(";")[0]
    return Inline(media_type=media_type, data=unquote_to_bytes(data).decode("ascii", "replace"))
