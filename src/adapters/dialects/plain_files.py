"""Files that are text, for providers that read nothing else."""

import base64

from domain.inference.conversation.parts import File, Inline

_TEXT = "text/"
_TEXTS = frozenset({"application/json", "application/xml", "application/yaml"})


def text_of(file: File) -> str | None:
    """What a file says, under its name; ``None`` for one that is no text or not at hand."""
    source = file.source
    if not isinstance(source, Inline) or not _is_text(source.media_type):
        return None
    try:
        text = base64.b64decode(source.data).decode()
    except ValueError:
        return None
    return text if file.name is None else f"{file.name}:\n{text}"


def _is_text(media_type: str) -> bool:
    kind = media_type.partition(";")[0].strip().casefold()
    return kind.startswith(_TEXT) or kind in _TEXTS
