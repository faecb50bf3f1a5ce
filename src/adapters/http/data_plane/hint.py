import msgspec
from msgspec import Raw, Struct

from adapters.dialects.multipart import read_form
from domain.shared.errors import InvalidError

_FORM = b"--"
_LONGEST_BOUNDARY = 70


class _Hint(Struct):
    model: Raw = Raw(b'""')
    stream: Raw = Raw(b"false")


_hint_decoder = msgspec.json.Decoder(_Hint)
_text_decoder = msgspec.json.Decoder(str)


def hint(body: bytes) -> tuple[str, bool]:
    """The model and the stream flag of a request that was refused, as far as readable."""
    if body.startswith(_FORM):
        return _of_a_form(body)
    try:
        found = _hint_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "", False
    stream = bytes(found.stream) == b"true"
    try:
        return _text_decoder.decode(found.model), stream
    except (msgspec.ValidationError, UnicodeDecodeError):
        return "", stream


def _of_a_form(body: bytes) -> tuple[str, bool]:
    """The boundary is what the form itself begins with, whatever was said of it."""
    boundary, _, _ = body[len(_FORM) :][: _LONGEST_BOUNDARY + 2].partition(b"\r\n")
    said = f'multipart/form-data; boundary="{boundary.decode("latin-1")}"'
    try:
        form = read_form(body, said)
        model = form.text("model") or ""
        # Where the form is broken, the rest of it may pass for the name: files, and what was said.
        return model if model.isprintable() else "", form.text("stream") == "true"
    except InvalidError:
        return "", False
