from collections.abc import Iterator

import msgspec

from adapters.dialects.bedrock.blocks import NAME
from adapters.dialects.bedrock.wire import (
    FAULTS,
    WireBlock,
    WireImage,
    WireReasoning,
    WireStop,
    answer_decoder,
    block_decoder,
)
from adapters.dialects.failures import Failures
from adapters.dialects.fields import NOT_JSON
from domain.inference.conversation.answer import Choice, GenerationAnswer
from domain.inference.conversation.parts import (
    Foreign,
    Image,
    Inline,
    Part,
    Text,
    Thinking,
    ToolCall,
)


def read_answer(body: bytes, failures: Failures, thinks_as: str) -> GenerationAnswer:
    """Converse names neither the answer nor the model; ``thinks_as`` is the dialect that
    understands its thoughts."""
    try:
        said = answer_decoder.decode(body)
        parts = tuple(
            part
            for raw in said.output.message.content
            for part in _parts(block_decoder.decode(raw), raw, thinks_as)
        )
    except NOT_JSON as error:
        raise failures.no_answer("answered with something that is no answer") from error
    check_stop(said, failures)
    choice = Choice(parts=parts, stop=said.reason, stop_sequence=said.stop_sequence)
    return GenerationAnswer(id="", model="", choices=(choice,), usage=said.usage.usage())


def check_stop(said: WireStop, failures: Failures) -> None:
    if said.stop_reason in FAULTS:
        raise failures.no_answer(f"answered what cannot be read ({said.stop_reason})")


def _parts(block: WireBlock, raw: msgspec.Raw, thinks_as: str) -> Iterator[Part]:
    if block.text is not None:
        yield Text(text=block.text)
    elif block.tool_use is not None:
        call = block.tool_use
        arguments = msgspec.json.format(bytes(call.input), indent=-1).decode()
        yield ToolCall(id=call.tool_use_id, name=call.name, arguments=arguments)
    elif block.reasoning_content is not None:
        yield _thought(block.reasoning_content, thinks_as)
    elif block.image is not None and block.image.source.bytes is not None:
        yield _image(block.image, block.image.source.bytes)
    elif block.citations_content is not None:
        yield Text(text="".join(one.text for one in block.citations_content.content))
    else:
        yield Foreign(dialect=NAME, json=bytes(raw).decode())


def _thought(reasoning: WireReasoning, thinks_as: str) -> Thinking:
    if reasoning.redacted_content is not None:
        return Thinking(opaque=reasoning.redacted_content, opaque_of=thinks_as, is_redacted=True)
    said = reasoning.reasoning_text
    if said is None:
        return Thinking()
    signature = said.signature
    return Thinking(text=said.text, opaque=signature, opaque_of=signature and thinks_as)


def _image(image: WireImage, data: str) -> Image:
    return Image(source=Inline(media_type=f"image/{image.format}", data=data))
