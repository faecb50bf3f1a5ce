"""What a request asks for that a team may have switched off."""

import json
from typing import Any

import pytest

from adapters.http.openai.requests import AnyRequest, parse
from application.inference.ports import Operation
from domain.shared.errors import InvalidError


def a_chat(**fields: Any) -> AnyRequest:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **fields}
    return parse(Operation.CHAT, json.dumps(body).encode())


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"tools": [{}], "tool_choice": "none"},
        {"functions": [{"name": "f"}]},
    ],
)
def test_tools_and_functions_are_offered(fields: dict[str, Any]) -> None:
    request = a_chat(**fields)

    assert request.offers_tools
    assert not request.asks_retrieval


@pytest.mark.parametrize(
    "fields",
    [
        {"web_search_options": {}},
        {"tools": [{"type": "file_search"}]},
        {"tools": [{"type": "function"}, {"type": "web_search_preview_2026_01_01"}]},
        {"tools": [{"type": "retrieval"}]},
    ],
)
def test_a_search_is_asked_for(fields: dict[str, Any]) -> None:
    assert a_chat(**fields).asks_retrieval


def test_the_spelling_of_a_type_hides_nothing() -> None:
    tools = b'"tools":[{"type": "\\u0066ile_search"}]'
    body = b'{"model":"m","messages":[{"role":"user","content":"x"}],%b}' % tools

    assert parse(Operation.CHAT, body).asks_retrieval


@pytest.mark.parametrize("fields", [{}, {"tools": []}, {"tools": None, "web_search_options": None}])
def test_nothing_is_asked_for(fields: dict[str, Any]) -> None:
    request = a_chat(**fields)

    assert not request.offers_tools
    assert not request.asks_retrieval


def test_only_chats_can_ask() -> None:
    completion = parse(Operation.COMPLETION, b'{"model":"m","prompt":"x","tools":[{}]}')
    embedding = parse(Operation.EMBEDDING, b'{"model":"m","input":"x","tools":[{}]}')

    assert not completion.offers_tools
    assert not embedding.offers_tools


def test_what_cannot_be_understood_is_refused() -> None:
    with pytest.raises(InvalidError) as refused:
        a_chat(web_search_options="yes")

    assert refused.value.param == "web_search_options"
