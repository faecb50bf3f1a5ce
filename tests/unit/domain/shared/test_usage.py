import pytest

from domain.shared.usage import Usage


def test_nothing_is_counted_at_first() -> None:
    usage = Usage()

    assert (usage.prompt_tokens, usage.completion_tokens, usage.counted) == (0, 0, False)


def test_cached_tokens_are_never_more_than_the_prompt() -> None:
    usage = Usage(prompt_tokens=10, cached_tokens=11)

    assert usage == Usage(prompt_tokens=10, cached_tokens=10)


def test_parts_are_never_more_than_the_whole() -> None:
    usage = Usage(
        prompt_tokens=10,
        audio_input_tokens=11,
        completion_tokens=10,
        reasoning_tokens=7,
        audio_output_tokens=4,
    )

    assert (usage.audio_input_tokens, usage.audio_output_tokens) == (10, 3)
    assert Usage(completion_tokens=10, reasoning_tokens=11).reasoning_tokens == 10


@pytest.mark.parametrize(
    "usage",
    [
        Usage(prompt_tokens=-1),
        Usage(cached_tokens=-1),
        Usage(completion_tokens=-1),
        Usage(reasoning_tokens=-1),
    ],
    ids=["prompt", "cached", "completion", "reasoning"],
)
def test_no_number_is_negative(usage: Usage) -> None:
    assert usage == Usage()
