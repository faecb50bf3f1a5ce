"""How many tokens a prompt has, where its provider cannot say: an estimate by length."""

import msgspec

from domain.inference.conversation.parts import (
    Audio,
    File,
    Foreign,
    Image,
    Inline,
    Part,
    ToolResult,
)
from domain.inference.conversation.request import FunctionTool, GenerationRequest

_CHARACTERS_PER_TOKEN = 4
_PER_TURN = 4
# What providers count for an image of ordinary size, and for a page.
_PER_IMAGE = 1_600
_PER_FILE = 3_000
_BASE64_CHARACTERS_PER_TOKEN = 40


def estimate(request: GenerationRequest) -> int:
    """Four characters to the token, a little for each turn, and lump sums for what is no text."""
    turns = sum(_PER_TURN + sum(map(_of_part, turn.parts)) for turn in request.turns)
    tools = sum(
        _of_text(msgspec.json.encode(tool if isinstance(tool, FunctionTool) else tool.definition))
        for tool in request.tools
    )
    return turns + tools


def _of_part(part: Part) -> int:
    match part:
        case Image():
            return _PER_IMAGE
        case File():
            return _of_file(part)
        case Audio():
            return len(part.data) // _BASE64_CHARACTERS_PER_TOKEN
        case ToolResult():
            return _PER_TURN + sum(map(_of_part, part.parts))
        case Foreign():
            return _of_text(part.json)
    texts = (getattr(part, name, "") for name in ("text", "name", "arguments"))
    return sum(map(_of_text, texts))


def _of_file(file: File) -> int:
    size = len(file.source.data) if isinstance(file.source, Inline) else 0
    return max(_PER_FILE, size // _BASE64_CHARACTERS_PER_TOKEN)


def _of_text(text: str | bytes) -> int:
    return -(-len(text) // _CHARACTERS_PER_TOKEN)
