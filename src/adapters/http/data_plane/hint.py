import msgspec
from msgspec import Raw, Struct


class _Hint(Struct):
    model: Raw = Raw(b'""')
    stream: Raw = Raw(b"false")


_hint_decoder = msgspec.json.Decoder(_Hint)
_text_decoder = msgspec.json.Decoder(str)


def hint(body: bytes) -> tuple[str, bool]:
    """The model and the stream flag of a request that was refused, as far as readable."""
    try:
        found = _hint_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "", False
    stream = bytes(found.stream) == b"true"
    try:
        return _text_decoder.decode(found.model), stream
    except (msgspec.ValidationError, UnicodeDecodeError):
        return "", stream
