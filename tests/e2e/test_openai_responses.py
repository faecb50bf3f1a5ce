"""The official client against ``/v1/responses``."""

import time
from typing import Any

import httpx
import openai as sdk
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.responses import Response, ResponseFunctionToolCall, ResponseStreamEvent
from pydantic import BaseModel

from tests.fixtures.ledger import call_of
from tests.fixtures.patience import PATIENCE_S

WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class City(BaseModel):
    name: str


def test_answers_the_official_client(openai: OpenAI) -> None:
    answer = openai.responses.create(
        model="echo", input="hello there world", instructions="Be brief.", metadata={"a": "b"}
    )

    assert answer.output_text == "hello there world"
    assert (answer.object, answer.model, answer.status) == ("response", "echo", "completed")
    assert answer.id.startswith("resp_")
    assert abs(answer.created_at - time.time()) < 60
    assert answer.completed_at is not None
    assert (answer.instructions, answer.metadata) == ("Be brief.", {"a": "b"})
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    Response.model_validate(answer.model_dump())


async def test_answers_the_official_async_client(async_openai: AsyncOpenAI) -> None:
    answer = await async_openai.responses.create(model="echo", input="hello")

    assert answer.output_text == "hello"


def test_the_call_is_in_the_ledger_under_the_responses_id(
    openai: OpenAI, http: httpx.Client
) -> None:
    answer = openai.responses.create(model="echo", input="one two")

    call = call_of(http, answer.id.removeprefix("resp_"))

    assert call["endpoint"] == "/v1/responses"
    assert call["status"] == "succeeded"
    assert call["completion_tokens"] == 2


def test_a_tools_loop_goes_on_from_the_call(openai: OpenAI) -> None:
    first = openai.responses.create(model="caller", input="Paris?", tools=[WEATHER])
    (called,) = first.output
    assert isinstance(called, ResponseFunctionToolCall)
    second = openai.responses.create(
        model="caller",
        previous_response_id=first.id,
        input=[{"type": "function_call_output", "call_id": called.call_id, "output": "rain"}],
        tools=[WEATHER],
    )

    assert (called.name, called.arguments) == ("get_weather", '{"city":"Paris"}')
    assert second.output_text == "Paris?"
    assert second.previous_response_id == first.id
    assert [tool.type for tool in second.tools] == ["function"]


def test_a_tools_loop_works_without_anything_kept(openai: OpenAI) -> None:
    conversation: list[Any] = [{"role": "user", "content": "Paris?"}]
    first = openai.responses.create(
        model="caller", input=conversation, tools=[WEATHER], store=False
    )
    conversation += first.output
    called = first.output[0]
    assert isinstance(called, ResponseFunctionToolCall)
    conversation.append(
        {"type": "function_call_output", "call_id": called.call_id, "output": "rain"}
    )

    second = openai.responses.create(
        model="caller", input=conversation, tools=[WEATHER], store=False
    )

    assert second.output_text == "Paris?"
    with pytest.raises(sdk.NotFoundError):
        openai.responses.retrieve(second.id)


def test_an_answer_is_parsed_by_its_schema(openai: OpenAI) -> None:
    answer = openai.responses.parse(model="echo", input='{"name": "Ulm"}', text_format=City)

    assert answer.output_parsed == City(name="Ulm")
    assert answer.text is not None
    assert answer.text.format is not None
    assert answer.text.format.type == "json_schema"


def test_images_and_thinking_are_asked_for(openai: OpenAI) -> None:
    content: Any = [
        {"type": "input_text", "text": "what is this"},
        {"type": "input_image", "image_url": PIXEL, "detail": "auto"},
    ]

    answer = openai.responses.create(
        model="echo",
        input=[{"role": "user", "content": content}],
        reasoning={"effort": "low", "summary": "auto"},
        max_output_tokens=3,
    )

    assert answer.output_text == "what is this"
    assert answer.reasoning is not None
    assert answer.reasoning.effort == "low"
    assert answer.max_output_tokens == 3


def test_an_answer_that_is_cut_is_incomplete(openai: OpenAI) -> None:
    answer = openai.responses.create(model="echo", input="one two three", max_output_tokens=2)

    assert answer.status == "incomplete"
    assert answer.incomplete_details is not None
    assert answer.incomplete_details.reason == "max_output_tokens"
    assert answer.output_text == "one two"


def test_streams_typed_events_in_their_order(openai: OpenAI) -> None:
    stream = openai.responses.create(model="echo", input="hello there", stream=True)
    events: list[ResponseStreamEvent] = list(stream)

    kinds = [event.type for event in events]
    deltas = kinds.count("response.output_text.delta")
    assert kinds == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        *["response.output_text.delta"] * deltas,
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    last = events[-1]
    assert last.type == "response.completed"
    assert last.response.output_text == "hello there"
    assert last.response.usage is not None
    first = events[0]
    assert first.type == "response.created"
    assert first.response.id == last.response.id
    assert first.response.status == "in_progress"
    assert openai.responses.retrieve(last.response.id).output_text == "hello there"


def test_the_streaming_helper_follows(openai: OpenAI) -> None:
    with openai.responses.stream(model="caller", input="Paris?", tools=[WEATHER]) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()

    assert "response.function_call_arguments.delta" in kinds
    (called,) = final.output
    assert called.type == "function_call"
    assert called.arguments == '{"city":"Paris"}'


def test_the_streaming_helper_parses_a_schema(openai: OpenAI) -> None:
    with openai.responses.stream(model="echo", input='{"name": "Ulm"}', text_format=City) as stream:
        final = stream.until_done().get_final_response()

    assert final.output_parsed == City(name="Ulm")


def test_a_stream_that_breaks_tells_so_and_is_kept_as_failed(openai: OpenAI) -> None:
    stream = openai.responses.create(model="cut", input="x", stream=True)
    events: list[ResponseStreamEvent] = []

    with stream, pytest.raises(sdk.APIError) as broken:
        events.extend(stream)

    assert "terminator" in broken.value.message
    assert broken.value.code == "provider_error"
    failed = events[-1]
    assert failed.type == "response.failed"
    assert failed.response.error is not None
    assert failed.response.error.code == "server_error"
    kept = _kept(openai, failed.response.id)
    assert kept.status == "failed"
    assert kept.output_text == "one two three"


def test_what_was_said_before_a_hang_up_is_kept(openai: OpenAI) -> None:
    with openai.responses.create(model="stuck", input="x", stream=True) as stream:
        for event in stream:
            if event.type == "response.created":
                response_id = event.response.id
            if event.type == "response.output_text.delta":
                break

    kept = _kept(openai, response_id)

    assert kept.status == "cancelled"
    assert kept.output_text.startswith("one")


def _kept(openai: OpenAI, response_id: str) -> Response:
    """The response as soon as it is stored, which nobody waits for when a stream breaks off."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return openai.responses.retrieve(response_id)
        except sdk.NotFoundError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_kept_response_is_shown_as_it_was_answered(openai: OpenAI) -> None:
    answer = openai.responses.create(model="echo", input="hello", metadata={"a": "b"})

    shown = openai.responses.retrieve(answer.id)

    assert shown == answer


def test_a_deleted_response_is_gone(openai: OpenAI) -> None:
    answer = openai.responses.create(model="echo", input="hello")

    openai.responses.delete(answer.id)

    with pytest.raises(sdk.NotFoundError) as gone:
        openai.responses.retrieve(answer.id)
    assert f"Response with id '{answer.id}' not found." in gone.value.message
    assert gone.value.code == "response_not_found"
    with pytest.raises(sdk.NotFoundError):
        openai.responses.delete(answer.id)


def test_input_items_are_listed_page_by_page(openai: OpenAI) -> None:
    said: list[Any] = [{"role": "user", "content": f"item {number}"} for number in range(5)]
    answer = openai.responses.create(model="echo", input=said)

    newest_first = [
        item.to_dict()["content"][0]["text"]  # type: ignore[index]  # messages are all there is
        for item in openai.responses.input_items.list(answer.id, limit=2)
    ]
    page = openai.responses.input_items.list(answer.id, order="asc", limit=3)

    assert newest_first == [f"item {number}" for number in (4, 3, 2, 1, 0)]
    assert page.has_more
    assert [item.type for item in page.data] == ["message"] * 3


def test_only_the_items_of_the_response_itself_are_listed(openai: OpenAI) -> None:
    first = openai.responses.create(model="echo", input="one")
    second = openai.responses.create(model="echo", input="two", previous_response_id=first.id)

    items = list(openai.responses.input_items.list(second.id))

    assert len(items) == 1


def test_an_item_can_be_named_instead_of_sent(openai: OpenAI) -> None:
    first = openai.responses.create(model="echo", input="the first thing")
    (item,) = openai.responses.input_items.list(first.id).data

    second = openai.responses.create(
        model="echo", input=[{"type": "item_reference", "id": item.id}]
    )

    assert second.output_text == "the first thing"
    with pytest.raises(sdk.BadRequestError):
        openai.responses.create(model="echo", input=[{"type": "item_reference", "id": "msg_x"}])


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"background": True}, "background"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"input": [{"role": "nobody", "content": "x"}]}, "input[0].role"),
        ({"tools": [{"type": "web_search"}]}, "tools[0]"),
        ({"truncation": "auto"}, "truncation"),
    ],
)
def test_what_is_not_offered_is_refused_by_name(
    openai: OpenAI, members: dict[str, Any], param: str
) -> None:
    with pytest.raises(sdk.BadRequestError) as refused:
        openai.responses.create(**({"model": "echo", "input": "hi"} | members))

    assert refused.value.param == param


def test_an_unknown_response_to_go_on_from_is_a_wrong_parameter(openai: OpenAI) -> None:
    with pytest.raises(sdk.BadRequestError) as refused:
        openai.responses.create(model="echo", input="hi", previous_response_id="resp_none")

    assert refused.value.code == "previous_response_not_found"
    assert refused.value.param == "previous_response_id"


def test_a_kept_response_is_neither_streamed_again_nor_cancelled(
    openai: OpenAI, http: httpx.Client
) -> None:
    answer = openai.responses.create(model="echo", input="hello")

    streamed = http.get(f"/v1/responses/{answer.id}", params={"stream": "true"})

    assert (streamed.status_code, streamed.json()["error"]["param"]) == (400, "stream")
    with pytest.raises(sdk.BadRequestError):
        openai.responses.cancel(answer.id)
