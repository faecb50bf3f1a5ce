import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.providers.openai_compatible.request import upstream_body
from application.inference.ports import Operation, ProviderRequest
from domain.shared.errors import InvalidError
from tests.fakes.openai_wire import PUBLIC_NAME, UPSTREAM_NAME, a_model

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


def a_request(body: bytes, *, stream: bool = False) -> ProviderRequest:
    return ProviderRequest(
        operation=Operation.CHAT, model=a_model(), body=body, correlation_id="c", stream=stream
    )


def test_every_other_value_is_kept_byte_for_byte() -> None:
    messages = b'[ {"role":"user", "content":"\\u00e9 \xc3\xa9 1.0E+2"} ]'
    body = b'{ "model" : "large","temperature":1.0e0 , "messages":%b,"seed":1e400}' % messages

    sent = upstream_body(a_request(body))

    assert sent.body == (
        b'{"model":"acme-large-2","temperature":1.0e0,"messages":%b,"seed":1e400}' % messages
    )
    assert sent.public_name == PUBLIC_NAME


@given(fields=st.dictionaries(st.text(), JSON))
def test_unknown_fields_arrive_as_they_came(fields: dict[str, object]) -> None:
    given_fields = {k: v for k, v in fields.items() if k.casefold() not in ("model", "stream")}

    sent = upstream_body(a_request(json.dumps({"model": "large"} | given_fields).encode()))

    assert json.loads(sent.body) == {"model": UPSTREAM_NAME} | given_fields


def test_a_body_under_the_providers_own_name_keeps_every_value_too() -> None:
    body = b'{ "model":"acme-large-2", "messages": [ 1.0e0 ] }'

    assert upstream_body(a_request(body)).body == b'{"model":"acme-large-2","messages":[ 1.0e0 ]}'


@pytest.mark.parametrize("name", ["large", "acme-large-2"])
def test_a_member_that_stands_twice_goes_out_once_as_it_was_read(name: str) -> None:
    body = b'{"model":"expensive","m\\u006fdel":"%b","n":1,"stream":true,"stream":false,"n":2}'

    sent = upstream_body(a_request(body % name.encode())).body

    assert sent == b'{"model":"acme-large-2","n":2,"stream":false}'


@pytest.mark.parametrize("name", ["Model", "MODEL", "Stream", "\u017ftream", "Max_Tokens"])
def test_a_member_that_other_decoders_take_for_ours_is_refused(name: str) -> None:
    body = json.dumps({"model": "large", name: "expensive"}).encode()

    with pytest.raises(InvalidError) as caught:
        upstream_body(a_request(body))

    assert caught.value.param == name


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (b"", b'{"include_usage":true}'),
        (b',"stream_options":null', b'{"include_usage":true}'),
        (b',"stream_options":{"include_usage":false}', b'{"include_usage":true}'),
        (b',"stream_options":{"x": [1.0]}', b'{"x":[1.0],"include_usage":true}'),
    ],
    ids=["none", "null", "refused", "others"],
)
def test_a_stream_always_asks_for_usage(options: bytes, expected: bytes) -> None:
    body = b'{"model":"large","stream":true%b}' % options

    sent = upstream_body(a_request(body, stream=True)).body

    assert sent == b'{"model":"acme-large-2","stream":true,"stream_options":%b}' % expected


def test_the_kind_of_call_wins_over_the_field() -> None:
    whole = upstream_body(a_request(b'{"model":"large","stream":true}')).body
    stream = upstream_body(a_request(b'{"model":"large"}', stream=True)).body

    assert json.loads(whole)["stream"] is False
    assert json.loads(stream)["stream"] is True


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        (b'{"model":"large","messages":[{"role":"user"}]}', 5),
        (b'{"model":"large","prompt":"0123456789"}', 3),
        (b'{"model":"large","input":["a"]}', 2),
        (b'{"model":"large"}', 0),
    ],
)
def test_the_prompt_is_estimated_by_its_length(body: bytes, tokens: int) -> None:
    assert upstream_body(a_request(body)).prompt_tokens == tokens


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"model":1}', b'{"model":"large"'])
def test_refuses_what_is_no_request(body: bytes) -> None:
    with pytest.raises(InvalidError):
        upstream_body(a_request(body))


def test_refuses_stream_options_of_another_type() -> None:
    with pytest.raises(InvalidError) as caught:
        upstream_body(a_request(b'{"model":"large","stream_options":[1]}', stream=True))

    assert caught.value.param == "stream_options"
