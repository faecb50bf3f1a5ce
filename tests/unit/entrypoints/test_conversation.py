import click
import pytest

from entrypoints.cli.conversation import read_messages, request_body


def read(
    *words: str, system: str | None = None, standard_input: str | None = None
) -> list[dict[str, str]]:
    return read_messages(words, system=system, standard_input=standard_input)


def test_one_word_is_a_message_of_the_user() -> None:
    assert read("hello") == [{"role": "user", "content": "hello"}]


def test_instructions_come_first() -> None:
    assert read("hello", system="be brief") == [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "hello"},
    ]


def test_several_words_are_pairs_of_role_and_content() -> None:
    assert read("system", "s", "user", "u", "ai", "a", "user", "v") == [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": "a"},
        {"role": "user", "content": "v"},
    ]


def test_what_is_piped_in_is_the_message() -> None:
    assert read(standard_input="a diff\n") == [{"role": "user", "content": "a diff\n"}]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "Give a message"),
        (("user", "a", "user"), "has no content"),
        (("hello", "world"), "not a role"),
        (("",), "Give a message"),
        (("\udcff",), "UTF-8"),
        (("system", "\udcff", "user", "hi"), "UTF-8"),
    ],
    ids=["nothing", "odd", "no role", "empty", "bytes", "bytes in a pair"],
)
def test_what_makes_no_conversation_is_a_usage_error(words: tuple[str, ...], says: str) -> None:
    with pytest.raises(click.UsageError, match=says):
        read(*words)


def test_what_is_not_asked_for_is_left_to_the_model() -> None:
    body = request_body("m", read("hi"), stream=False, temperature=None, max_tokens=None)

    assert body == {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def test_a_stream_asks_for_its_usage() -> None:
    body = request_body("m", read("hi"), stream=True, temperature=0.5, max_tokens=7)

    assert body["stream_options"] == {"include_usage": True}
    assert (body["temperature"], body["max_tokens"]) == (0.5, 7)
