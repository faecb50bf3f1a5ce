import pytest

from domain.shared.errors import FieldError, InvalidError
from domain.shared.names import MAX_NAME_LENGTH, check_name


def test_a_name_loses_the_space_around_it() -> None:
    assert check_name("  ci \n") == "ci"


def test_the_longest_name_is_accepted() -> None:
    longest = "x" * MAX_NAME_LENGTH

    assert check_name(f" {longest} ") == longest


@pytest.mark.parametrize("name", ["", "  \t", "x" * (MAX_NAME_LENGTH + 1)])
def test_a_name_that_is_too_short_or_too_long_is_refused(name: str) -> None:
    with pytest.raises(InvalidError) as refused:
        check_name(name)

    assert refused.value.param == "name"
    assert refused.value.errors == (FieldError("name", "must have 1 to 100 characters"),)


@pytest.mark.parametrize("name", ["a\x00b", "two\nlines", "\x1b[31mred"])
def test_a_name_that_a_terminal_could_not_show_is_refused(name: str) -> None:
    with pytest.raises(InvalidError) as refused:
        check_name(name)

    assert refused.value.errors == (FieldError("name", "must not contain control characters"),)


def test_a_name_may_be_of_any_script() -> None:
    assert check_name("Ключ 👩\u200d💻 鍵") == "Ключ 👩\u200d💻 鍵"
