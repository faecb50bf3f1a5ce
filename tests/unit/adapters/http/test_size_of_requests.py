"""What a request says of its own cost."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from adapters.http.openai.requests import parse
from application.inference.ports import Operation
from domain.shared.errors import InvalidError

TEXT = {"type": "text", "text": "look"}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
SOUND = {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}


def chat(content: Any = "hi", **fields: Any) -> Any:
    body = {"model": "m", "messages": [{"role": "user", "content": content}], **fields}
    return parse(Operation.CHAT, msgspec.json.encode(body))


def completion(prompt: Any, **fields: Any) -> Any:
    return parse(
        Operation.COMPLETION, msgspec.json.encode({"model": "m", "prompt": prompt, **fields})
    )


@pytest.mark.parametrize(
    ("fields", "limit"),
    [
        ({}, None),
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 7}, 7),
        ({"max_completion_tokens": 1, "max_tokens": 100_000}, 100_000),
    ],
)
def test_the_larger_limit_counts_since_a_provider_may_know_just_one(
    fields: dict[str, int], limit: int | None
) -> None:
    assert chat(**fields).output_limit == limit


def test_parts_that_are_no_text_are_attachments() -> None:
    assert chat("hi").attachments == 0
    assert chat([TEXT, IMAGE, SOUND, IMAGE]).attachments == 3


def test_every_choice_of_a_chat_counts() -> None:
    assert chat().choices == 1
    assert chat(n=3).choices == 3


@pytest.mark.parametrize(
    ("prompt", "fields", "choices"),
    [
        ("one", {}, 1),
        (["one", "two"], {}, 2),
        ([1, 2, 3], {}, 1),
        ([[1, 2], [3]], {"n": 2}, 4),
        ("one", {"n": 1, "best_of": 5}, 5),
        ([], {}, 1),
    ],
)
def test_every_answer_to_every_prompt_counts(
    prompt: Any, fields: dict[str, int], choices: int
) -> None:
    assert completion(prompt, **fields).choices == choices


@pytest.mark.parametrize("ask", [lambda: chat(n=10**9), lambda: completion("one", best_of=129)])
def test_more_choices_than_anybody_wants_are_refused(ask: Callable[[], Any]) -> None:
    with pytest.raises(InvalidError) as caught:
        ask()

    assert caught.value.param in ("n", "best_of")


def test_an_embedding_has_one_answer_and_no_limit() -> None:
    request = parse(Operation.EMBEDDING, b'{"model":"m","input":["a","b"]}')

    assert (request.choices, request.attachments, request.output_limit) == (1, 0, None)
