from collections.abc import Sequence

from adapters.dialects.bedrock.blocks import BlockWriter, cache_point
from adapters.dialects.bedrock.families import Family
from adapters.dialects.fields import unsupported
from domain.inference.conversation.parts import Text
from domain.inference.conversation.request import JsonObject, Role, Turn

_SYSTEM = (Role.SYSTEM, Role.DEVELOPER)


def system_blocks(turns: Sequence[Turn], family: Family) -> list[JsonObject]:
    """There is one place for instructions, so all of them stand there in their order."""
    written: list[JsonObject] = []
    for index, turn in enumerate(turns):
        for part in turn.parts if turn.role in _SYSTEM else ():
            if not isinstance(part, Text):
                raise unsupported(f"messages[{index}].content", "instructions must be text")
            if part.text:
                written.append({"text": part.text})
            written += cache_point(part.cache, family)
    return written


def messages(turns: Sequence[Turn], family: Family) -> list[JsonObject]:
    """User and assistant take turns here, so what follows in the same role is one message; the
    results of tools are the user's."""
    writer = BlockWriter(family)
    written: list[JsonObject] = []
    for index, turn in enumerate(turns):
        if turn.role in _SYSTEM:
            continue
        path = f"messages[{index}].content"
        if turn.name is not None and turn.role is not Role.TOOL:
            raise unsupported(f"messages[{index}].name")
        blocks = [block for part in turn.parts for block in writer.write(part, path)]
        role = "assistant" if turn.role is Role.ASSISTANT else "user"
        if written and written[-1]["role"] == role:
            written[-1]["content"] += blocks
        elif blocks:
            written.append({"role": role, "content": blocks})
    return written
