"""Pictures, sounds and documents as Converse takes them: inline, or from S3."""

import re
from mimetypes import guess_type
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from adapters.dialects.fields import unsupported
from domain.inference.conversation.parts import Audio, File, Image, Inline, Source, Url
from domain.inference.conversation.request import JsonObject

_IMAGES = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
_DOCUMENTS = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
_BASE64 = ";base64"
_STRANGE = re.compile(r"[^A-Za-z0-9\s\-()\[\]]+")
_MAX_NAME = 200


def image_block(image: Image, path: str) -> JsonObject:
    source = _unpacked(image.source, path)
    return {"image": {"format": _format(_IMAGES, source, path), "source": _where(source, path)}}


def audio_block(audio: Audio) -> JsonObject:
    return {"audio": {"format": audio.format, "source": {"bytes": audio.data}}}


def document_block(file: File, path: str, number: int) -> JsonObject:
    """Names must be given, tell documents apart, and have few characters."""
    source = _unpacked(file.source, path)
    name = _STRANGE.sub(" ", PurePosixPath(file.name or "").stem)
    return {
        "document": {
            "format": _format(_DOCUMENTS, source, path, file.name),
            "name": " ".join(name.split())[:_MAX_NAME] or f"document-{number}",
            "source": _where(source, path),
        }
    }


def _format(known: dict[str, str], source: Source, path: str, name: str | None = None) -> str:
    told = source.media_type if isinstance(source, Inline) else None
    link = urlsplit(source.url).path if isinstance(source, Url) else ""
    for media_type in (told, guess_type(name or "")[0], guess_type(link)[0]):
        if media_type is not None and media_type in known:
            return known[media_type]
    raise unsupported(path, f"it must be one of {', '.join(known.values())}")


def _where(source: Source, path: str) -> JsonObject:
    if isinstance(source, Inline):
        return {"bytes": source.data}
    if isinstance(source, Url) and source.url.startswith("s3://"):
        return {"s3Location": {"uri": source.url}}
    raise unsupported(path, "it must be inline, because Bedrock fetches no addresses")


def _unpacked(source: Source, path: str) -> Source:
    if not isinstance(source, Url) or not source.url.startswith("data:"):
        return source
    head, comma, data = source.url.removeprefix("data:").partition(",")
    if not comma or not head.endswith(_BASE64):
        raise unsupported(path, "a data URL must be in base64")
    return Inline(media_type=head.removesuffix(_BASE64).partition(";")[0], data=unquote(data))
