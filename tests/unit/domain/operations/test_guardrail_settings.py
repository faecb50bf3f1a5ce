from typing import Any

import pytest

from domain.models.route import GuardrailPolicy, PiiAction
from domain.operations.guardrail_settings import GUARDRAILS
from domain.operations.setting_values import json_of, text_of
from domain.shared.errors import InvalidError

POLICY = GuardrailPolicy(
    max_input=9, denied=("a b",), pii=("email",), pii_action=PiiAction.REFUSE, on_output=False
)
MEMBERS: dict[str, Any] = {
    "max_input": 9,
    "denied": ["a b"],
    "pii": ["email"],
    "pii_action": "refuse",
    "on_output": False,
}


def test_guardrails_are_read_from_json_and_text() -> None:
    assert GUARDRAILS.parse(MEMBERS) == GUARDRAILS.parse(text_of(POLICY)) == POLICY
    assert json_of(POLICY) == MEMBERS
    assert GUARDRAILS.parse({}) == GuardrailPolicy()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("{", "must be an object with some of 'max_input'"),
        (["email"], "must be an object"),
        ({"output_schema": {}}, "must be an object"),
        ({"pii": "email"}, "'pii' must be a list of texts"),
        ({"pii": ["shoe_size"]}, "'pii' must be among"),
        ({"denied": [" "]}, "'denied' must not be blank"),
        ({"max_input": 0}, "'max_input' must be a whole number from 1"),
        ({"max_input": True}, "'max_input' must be a whole number"),
        ({"pii_action": "ignore"}, "'pii_action' must be one of"),
        ({"on_input": 1}, "'on_input' must be true or false"),
    ],
)
def test_what_are_no_guardrails_is_refused(wrong: object, told: str) -> None:
    with pytest.raises(InvalidError, match=told) as error:
        GUARDRAILS.parse(wrong)

    assert error.value.param == "guardrails"
