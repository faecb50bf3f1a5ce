from enum import StrEnum
from typing import Any

import pytest

from application.shared.masking import is_secret_name
from domain.operations.errors import SettingNotFoundError
from domain.operations.runtime_setting import RuntimeSetting, SettingGroup, SettingScope
from domain.operations.runtime_settings import ENABLE_TOOLS, REGISTRY, RUNTIME_SETTINGS
from domain.operations.setting_values import (
    BoolType,
    ChoiceType,
    IntType,
    TextListType,
    TextType,
    ValueType,
    json_of,
    text_of,
)
from domain.shared.errors import FieldError, InvalidError


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


WHOLE = IntType(minimum=-1, maximum=10)
NAME = TextType(what="a name", pattern="[a-z ]+", max_length=5)
CHOICE = ChoiceType(choices=Colour)
LIST = TextListType(item=TextType(max_length=3), max_items=2)


def a_setting(kind: ValueType[Any]) -> RuntimeSetting[Any]:
    return RuntimeSetting(
        name="some_name",
        group=SettingGroup.CACHE,
        scope=SettingScope.SERVER,
        type=kind,
        default=None,
        description="",
    )


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [
        (BoolType(), True, True),
        (BoolType(), " Off", False),
        (BoolType(), "1", True),
        (WHOLE, 10, 10),
        (WHOLE, "-1", -1),
        (NAME, " ab c ", "ab c"),
        (CHOICE, "RED", Colour.RED),
        (LIST, ["a", "b"], ("a", "b")),
        (LIST, "a, b,", ("a", "b")),
        (LIST, '["a,b"]', ("a,b",)),
        (LIST, "", ()),
    ],
)
def test_text_and_json_are_read(kind: ValueType[Any], raw: object, expected: object) -> None:
    value = a_setting(kind).parse(raw)

    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (BoolType(), 1),
        (BoolType(), "maybe"),
        (BoolType(), None),
        (WHOLE, True),
        (WHOLE, 11),
        (WHOLE, "-2"),
        (WHOLE, "1.0"),
        (WHOLE, 1.0),
        (NAME, ""),
        (NAME, "   "),
        (NAME, "abcdef"),
        (NAME, "ABC"),
        (NAME, "a\nb"),
        (NAME, 5),
        (CHOICE, "green"),
        (CHOICE, None),
        (LIST, ["a", "b", "c"]),
        (LIST, ["long"]),
        (LIST, [1]),
        (LIST, '["a"'),
        pytest.param(LIST, "[" * 100_000, id="deep"),
        pytest.param(WHOLE, "9" * 10_000, id="long"),
        (LIST, 5),
        (LIST, {"a": 1}),
    ],
)
def test_what_is_no_value_is_refused_by_the_name_of_the_setting(
    kind: ValueType[Any], raw: object
) -> None:
    with pytest.raises(InvalidError) as refused:
        a_setting(kind).parse(raw)

    assert refused.value.param == "some_name"
    assert refused.value.errors == (FieldError("some_name", f"must be {kind.expected}"),)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (BoolType(), False),
        (WHOLE, 0),
        (NAME, "abc"),
        (CHOICE, Colour.BLUE),
        (LIST, ("a,", '"')),
        (LIST, ()),
    ],
)
def test_a_value_is_read_back_from_the_text_that_is_stored(
    kind: ValueType[Any], value: object
) -> None:
    assert kind.parse(text_of(value)) == value
    assert kind.parse(json_of(value)) == value


def test_the_bounds_can_be_told() -> None:
    assert (WHOLE.bounds.minimum, WHOLE.bounds.maximum) == (-1, 10)
    assert NAME.bounds.max_length == 5
    assert CHOICE.bounds.choices == ("red", "blue")
    assert (LIST.bounds.max_items, LIST.bounds.max_length) == (2, 3)


def test_a_setting_is_found_by_its_name() -> None:
    assert REGISTRY.find("enable_tools") is ENABLE_TOOLS
    assert ENABLE_TOOLS.variable == "STOA_ENABLE_TOOLS"
    with pytest.raises(SettingNotFoundError):
        REGISTRY.find("enable_everything")


@pytest.mark.parametrize("setting", RUNTIME_SETTINGS.values(), ids=lambda setting: setting.name)
def test_what_is_registered_is_consistent(setting: RuntimeSetting[Any]) -> None:
    if setting.default is not None:
        assert setting.parse(text_of(setting.default)) == setting.default
    # Logs and audit rows mask by the name.
    assert is_secret_name(setting.name) == setting.secret
    assert not setting.secret or setting.default is None
