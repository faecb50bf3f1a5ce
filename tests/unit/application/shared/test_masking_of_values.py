from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from application.shared.masking import MASK, OMITTED, mask


@dataclass
class Login:
    user: str
    secret: str


@pytest.mark.parametrize("value", [None, True, False])
def test_whether_there_is_a_secret_may_be_known(value: object) -> None:
    assert mask(value, name="password") is value


def test_numbers_are_kept_unless_they_are_secrets() -> None:
    assert mask(42, name="max_tokens") == 42
    assert mask(1.5, name="ttft_ms") == 1.5
    assert mask(1234, name="password") == MASK


@pytest.mark.parametrize("name", ["prompt", "messages", "Content"])
def test_contents_are_left_out(name: str) -> None:
    assert mask("a secret diagnosis", name=name) == OMITTED


def test_other_values_are_written_as_text_without_credentials() -> None:
    assert mask(Decimal("0.00007")) == "0.00007"
    assert mask(Path("/data")) == "/data"
    assert mask(ValueError("password=hunter2")) == f"password={MASK}"


def test_a_class_is_written_by_its_name() -> None:
    assert mask(Login) == str(Login)


def test_lists_of_any_sort_are_masked_item_by_item() -> None:
    assert mask(("sk-stoa-Abc_def-123456", 1)) == [f"sk-stoa-{MASK}", 1]
    assert mask(frozenset({"x"})) == ["x"]
