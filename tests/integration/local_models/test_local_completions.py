import json
from typing import Any

import pytest

from adapters.providers.local.provider import LocalProvider
from domain.inference.errors import ContextLengthExceededError
from domain.shared.errors import InvalidError
from tests.fakes.local_models import completion_request, read_events

pytestmark = pytest.mark.local_model

PROMPT = "The capital of France is"


async def complete(provider: LocalProvider, **body: Any) -> dict[str, Any]:
    answer = await provider.complete(completion_request(**body))
    decoded: dict[str, Any] = json.loads(answer.body)
    return decoded


async def test_completes_a_text(provider: LocalProvider) -> None:
    body = await complete(provider, prompt=PROMPT, temperature=0, max_tokens=1)

    assert body["object"] == "text_completion"
    assert body["id"].startswith("cmpl-")
    assert body["choices"] == [
        {"index": 0, "text": " Paris", "logprobs": None, "finish_reason": "length"}
    ]


async def test_numbers_the_choices_of_several_prompts(provider: LocalProvider) -> None:
    body = await complete(
        provider, prompt=[PROMPT, "One, two,"], n=2, max_tokens=2, temperature=0, echo=True
    )

    texts = [choice["text"] for choice in body["choices"]]
    assert [choice["index"] for choice in body["choices"]] == [0, 1, 2, 3]
    assert [text.startswith(PROMPT) for text in texts] == [True, True, False, False]
    assert body["usage"]["completion_tokens"] == 8


async def test_takes_token_ids(provider: LocalProvider) -> None:
    body = await complete(provider, prompt=[504, 3575, 282, 4649, 314], temperature=0, max_tokens=1)

    assert body["choices"][0]["text"] == " Paris"
    assert body["usage"]["prompt_tokens"] == 5


async def test_reports_log_probabilities_in_the_legacy_shape(provider: LocalProvider) -> None:
    body = await complete(provider, prompt=PROMPT, temperature=0, max_tokens=2, logprobs=2)

    logprobs = body["choices"][0]["logprobs"]
    assert logprobs["tokens"][0] == " Paris"
    assert logprobs["text_offset"] == [0, 6]
    assert len(logprobs["token_logprobs"]) == 2
    assert all(len(top) == 2 for top in logprobs["top_logprobs"])


async def test_streams_a_completion(provider: LocalProvider) -> None:
    stream = await provider.open_stream(
        completion_request(stream=True, prompt=PROMPT, temperature=0, max_tokens=3, echo=True)
    )

    events = await read_events(stream)

    text = "".join(choice["text"] for event in events for choice in event["choices"])
    assert text.startswith(f"{PROMPT} Paris")
    assert events[-1]["usage"]["completion_tokens"] == 3
    assert stream.report.finish_reason == "length"


async def test_refuses_a_prompt_that_does_not_fit(provider: LocalProvider) -> None:
    with pytest.raises(ContextLengthExceededError) as raised:
        await complete(provider, prompt="hello " * 3000)

    assert raised.value.param == "prompt"


@pytest.mark.parametrize("token", [99_999_999, 2**40, -1])
async def test_refuses_tokens_that_do_not_exist(provider: LocalProvider, token: int) -> None:
    with pytest.raises(InvalidError) as raised:
        await complete(provider, prompt=[token])

    assert raised.value.param == "prompt"
