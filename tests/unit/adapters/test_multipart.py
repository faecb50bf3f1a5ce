import pytest

from adapters.dialects.multipart import Form, read_form
from domain.shared.errors import InvalidError

TYPE = "multipart/form-data; boundary=xYz"
SOUND = b"RIFF\r\n--xY\r\n\x00\xff--x"


def form_of(*parts: bytes) -> bytes:
    return b"".join(b"--xYz\r\n%b\r\n" % part for part in parts) + b"--xYz--\r\n"


def field(name: str, value: str) -> bytes:
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()


FILE = (
    b'content-disposition: form-data; name="file"; filename="a \\"b\\".wav"\r\n'
    b"Content-Type: audio/wav\r\n\r\n" + SOUND
)


def read(*parts: bytes) -> Form:
    return read_form(form_of(*parts), TYPE)


def test_fields_and_files_are_read_as_they_are() -> None:
    form = read(field("model", "whisper"), FILE, field("prompt", "Grüße\r\nan alle"))

    file = form.file("file")
    assert form.text("model") == "whisper"
    assert form.text("prompt") == "Grüße\r\nan alle"
    assert file is not None
    assert bytes(file.content) == SOUND
    assert file.filename == 'a \\"b\\".wav'
    assert file.content_type == "audio/wav"


def test_what_is_not_there_is_none() -> None:
    form = read(field("model", "whisper"))

    assert form.text("language") is None
    assert form.file("file") is None


def test_written_anew_only_the_changed_field_differs() -> None:
    form = read(field("model", "public"), FILE, field("temperature", "0"))

    again = read_form(form.written({"model": "upstream"}), TYPE)

    assert again.text("model") == "upstream"
    assert again.text("temperature") == "0"
    file = again.file("file")
    assert file is not None
    assert bytes(file.content) == SOUND
    assert file.filename == 'a \\"b\\".wav'
    assert file.content_type == "audio/wav"


def test_a_quoted_boundary_is_understood() -> None:
    form = read_form(form_of(field("a", "1")), 'Multipart/Form-Data; boundary="xYz"')

    assert form.text("a") == "1"


def test_a_second_boundary_is_not_passed_on() -> None:
    form = read_form(form_of(field("a", "1")), f"{TYPE}; boundary=other")

    assert form.content_type == TYPE


def test_a_boundary_that_needs_quotes_has_them() -> None:
    form = read_form(b"--a:b--\r\n", 'multipart/form-data; boundary="a:b"')

    assert form.content_type == 'multipart/form-data; boundary="a:b"'


def test_a_line_break_in_a_name_is_no_name() -> None:
    with pytest.raises(InvalidError, match="well-formed"):
        read(b'Content-Disposition: form-data; name="a\\\rb"\r\n\r\n1')


def test_a_name_with_escapes_is_none_since_others_may_read_another_name() -> None:
    with pytest.raises(InvalidError):
        read(field("model", "cheap"), field("mo\\del", "dear"))


def test_a_list_may_stand_more_than_once_but_what_the_gateway_reads_may_not() -> None:
    form = read(
        field("tags[]", "a"), field("tags[]", "b"), field("model", "a"), field("model", "b")
    )

    assert form.written({}).count(b'"tags[]"') == 2
    with pytest.raises(InvalidError, match="'model' stands twice"):
        form.text("model")


def test_a_field_is_no_file_and_a_file_no_field() -> None:
    form = read(field("file", "path"), FILE.replace(b'"file"', b'"model"'))

    with pytest.raises(InvalidError, match="'file' must be a file"):
        form.file("file")
    with pytest.raises(InvalidError, match="'model' must be a field"):
        form.text("model")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "multipart/form-data",
        "multipart/mixed; boundary=xYz",
        "multipart/form-data; boundary=x Yz{}",
        'multipart/form-data; boundary="xYz',
        "multipart/form-data; xboundary=xYz",
        "",
    ],
)
def test_other_types_are_refused(content_type: str) -> None:
    with pytest.raises(InvalidError, match="multipart/form-data"):
        read_form(form_of(field("a", "1")), content_type)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--xYz",
        b"--xYz\r\n",
        b"hello" + form_of(field("a", "1")),
        form_of(field("a", "1"))[:-10],
        form_of(b"no head"),
        form_of(b"Content-Disposition: form-data\r\n\r\n1"),
        form_of(b'Content-Disposition: attachment; name="a"\r\n\r\n1'),
        form_of(b'Content-Disposition: form-data; name="a"\r\nno colon\r\n\r\n1'),
        form_of(
            b'Content-Disposition: form-data; name="a"\r\n'
            b'content-disposition: form-data; name="model"\r\n\r\n1'
        ),
        form_of(field("a", "1") + b"\r\n--xYzz"),
        form_of(b'Content-Disposition: form-data; name="a"\r\nContent-Type: a\nb\r\n\r\n1'),
        form_of(*[field("a", "1")] * 101),
    ],
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidError, match="well-formed"):
        read_form(body, TYPE)


def test_a_form_without_parts_is_one() -> None:
    assert read_form(b"--xYz--\r\n", TYPE).parts == ()
