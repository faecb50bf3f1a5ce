import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity.model_patterns import (
    ANY_MODEL,
    MAX_PATTERN_LENGTH,
    MAX_PATTERNS,
    allows,
    check_patterns,
)
from domain.shared.errors import InvalidError

plain_names = st.text(st.characters(exclude_characters="*?[]"), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("pattern", "name", "covered"),
    [
        ("gpt-5", "gpt-5", True),
        ("gpt-5", "gpt-5-mini", False),
        ("gpt-*", "gpt-5-mini", True),
        ("gpt-*", "gpt-", True),
        ("*-mini", "gpt-5-mini", True),
        ("*/llama-*-q8", "ollama/llama-3-q8", True),
        ("*/llama-*-q8", "ollama/llama-3-q4", False),
        ("GPT-*", "gpt-5", False),
        ("gpt.5", "gpt-5", False),
    ],
)
def test_a_star_stands_for_any_run_of_characters(pattern: str, name: str, covered: bool) -> None:
    assert allows((pattern,), name) is covered


def test_one_pattern_of_several_is_enough() -> None:
    assert allows(("claude-*", "gpt-*"), "gpt-5")


def test_an_empty_list_covers_nothing() -> None:
    assert not allows((), "gpt-5")


@given(plain_names)
def test_every_name_is_covered_by_itself_and_by_any(name: str) -> None:
    assert allows((name,), name)
    assert allows(ANY_MODEL, name)
    assert allows(("nothing", "*"), name)


@given(plain_names, plain_names)
def test_a_pattern_without_a_star_covers_only_itself(pattern: str, name: str) -> None:
    assert allows((pattern,), name) is (pattern == name)


@given(plain_names, plain_names)
def test_a_prefix_with_a_star_covers_whatever_follows_it(prefix: str, rest: str) -> None:
    assert allows((f"{prefix}*",), prefix + rest)


def test_good_patterns_come_back_unchanged() -> None:
    patterns = ("*", "gpt-*", "x" * MAX_PATTERN_LENGTH)

    assert check_patterns(patterns) == patterns
    assert check_patterns(()) == ()
    assert len(check_patterns(("x",) * MAX_PATTERNS)) == MAX_PATTERNS


@pytest.mark.parametrize(
    ("patterns", "reason"),
    [
        (("x",) * (MAX_PATTERNS + 1), "must have at most 100 entries"),
        (("",), "entries must have 1 to 200 characters"),
        (("x" * (MAX_PATTERN_LENGTH + 1),), "entries must have 1 to 200 characters"),
        (("gpt-[45]",), "entries may use '*' as the only wildcard"),
        (("good", "gpt-?"), "entries may use '*' as the only wildcard"),
        (("gpt\0",), "entries must not contain spaces or control characters"),
        (("gpt-4, gpt-5",), "entries must not contain spaces or control characters"),
    ],
    ids=["too many", "empty", "too long", "brackets", "question mark", "control", "spaces"],
)
def test_bad_patterns_are_refused(patterns: tuple[str, ...], reason: str) -> None:
    with pytest.raises(InvalidError) as refused:
        check_patterns(patterns)

    assert refused.value.param == "allowed_models"
    assert [(wrong.field, wrong.message) for wrong in refused.value.errors] == [
        ("allowed_models", reason)
    ]
