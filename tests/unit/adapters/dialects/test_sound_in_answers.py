"""What a model says aloud reaches clients whose format has a place for it, and no other client
believes that it said nothing."""

from typing import Any

import msgspec
import pytest

from adapters.dialects.anthropic.dialect import Anthropic
from adapters.dialects.dialect import DoorDialect
from adapters.dialects.openai_chat.dialect import OpenAIChat
from adapters.dialects.openai_responses.dialect import OpenAIResponsesDialect
from domain.inference.conversation.answer import Choice, GenerationAnswer, StopReason
from domain.inference.conversation.events import Started, Stopped, StreamEvent, WholePart
from domain.inference.conversation.parts import Audio, Part, Text
from domain.inference.conversation.request import GenerationRequest, Role, Turn
from domain.inference.errors import ProviderFailedError, UnsupportedByModelError
from tests.fakes.openai_wire import chunk_event

SOUND = Audio(data="aGk=", format="wav", id="audio_1", transcript="hi")
EVENTS: list[StreamEvent] = [
    Started(id="a", model="m", created=5),
    WholePart(index=0, part=SOUND),
    WholePart(index=1, part=Audio(data="aGk=", format="wav")),
    Stopped(reason=StopReason.END),
]
CHAT = OpenAIChat()


def asked(dialect: DoorDialect) -> GenerationRequest:
    turns = (Turn(role=Role.USER, parts=(Text(text="hello"),)),)
    return GenerationRequest(dialect=dialect.name, model="large", turns=turns)


def an_answer(*parts: Part) -> GenerationAnswer:
    return GenerationAnswer(
        id="a", model="m", choices=(Choice(parts=parts, stop=StopReason.END),), created=5
    )


def message_of(answer: GenerationAnswer) -> dict[str, Any]:
    body = msgspec.json.decode(CHAT.write_answer(answer, asked(CHAT)))
    message: dict[str, Any] = body["choices"][0]["message"]
    return message


def test_a_chat_has_a_place_for_sound() -> None:
    message = message_of(an_answer(SOUND))

    assert message["content"] is None
    assert message["audio"] == {
        "id": "audio_1",
        "data": "aGk=",
        "expires_at": 5,
        "transcript": "hi",
        "format": "wav",
    }


def test_sound_that_came_in_pieces_is_one() -> None:
    message = message_of(an_answer(Text(text="so:"), SOUND, Audio(data="IQ==", format="wav")))

    assert message["content"] == "so:"
    assert message["audio"]["data"] == "aGkh"


def test_sound_that_is_none_is_the_providers_fault() -> None:
    with pytest.raises(ProviderFailedError):
        message_of(an_answer(SOUND, Audio(data="?", format="wav")))


def test_a_streamed_chat_has_a_place_for_sound() -> None:
    writer = CHAT.stream_writer(asked(CHAT))

    written = writer.write(EVENTS).split(b"\n\n")

    deltas = [msgspec.json.decode(one[6:])["choices"][0]["delta"] for one in written if one]
    assert [one["audio"]["data"] for one in deltas if "audio" in one] == ["aGk=", "aGk="]
    assert deltas[1]["audio"]["transcript"] == "hi"


def test_sound_of_a_chat_is_read() -> None:
    message = {"role": "assistant", "content": None, "audio": {"id": "x", "data": "aGk="}}
    body = {"id": "a", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}

    answer = CHAT.read_answer(msgspec.json.encode(body))

    assert answer.choices[0].parts == (Audio(data="aGk=", format="", id="x"),)


def test_sound_of_a_streamed_chat_is_read() -> None:
    events = CHAT.stream_reader().feed(chunk_event({"audio": {"transcript": "hi"}}))

    assert events[1:] == [
        WholePart(index=0, part=Audio(data="", format="", transcript="hi")),
    ]


@pytest.mark.parametrize("sound", [{"data": 1}, [], "x"])
def test_sound_of_a_wrong_type_is_the_providers_fault(sound: object) -> None:
    message = {"role": "assistant", "content": None, "audio": sound}
    body = {"id": "a", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}

    with pytest.raises(ProviderFailedError):
        CHAT.read_answer(msgspec.json.encode(body))


@pytest.mark.parametrize("dialect", [Anthropic(), OpenAIResponsesDialect()])
def test_other_formats_say_that_they_have_no_place_for_it(dialect: DoorDialect) -> None:
    with pytest.raises(UnsupportedByModelError, match="audio") as whole:
        dialect.write_answer(an_answer(SOUND), asked(dialect))
    with pytest.raises(UnsupportedByModelError, match="audio") as streamed:
        dialect.stream_writer(asked(dialect)).write(EVENTS)

    assert whole.value.param == streamed.value.param == "model"
