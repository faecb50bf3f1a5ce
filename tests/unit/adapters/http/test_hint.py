import pytest

from adapters.http.data_plane.hint import hint
from tests.fakes.media_wire import a_form, a_sound


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"model": "m", "stream": true, "messages": 5}', ("m", True)),
        (b'{"model": 5}', ("", False)),
        (b"", ("", False)),
        (b"--", ("", False)),
        (b"--" + b"x" * 100, ("", False)),
        (b'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nm\r\n', ("", False)),
    ],
)
def test_what_can_be_read_of_a_refused_request_is(body: bytes, found: tuple[str, bool]) -> None:
    assert hint(body) == found


def test_a_form_that_was_refused_tells_its_model() -> None:
    assert hint(a_form(a_sound(), model="listener", stream="true", odd="1")) == ("listener", True)
    twice = a_form(a_sound(), model="a").replace(b'"file"; filename="a.wav"', b'"model"')
    assert hint(twice) == ("", False)


def test_what_a_broken_form_has_in_the_place_of_a_model_is_no_name() -> None:
    said = "listener\r\n--other\r\nContent-Disposition: form-data; name=prompt\r\n\r\na secret"

    assert hint(a_form(a_sound(), model=said, stream="true")) == ("", True)
