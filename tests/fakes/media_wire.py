"""Requests and answers of OpenAI's operations beside texts, after its documentation."""

import io
import wave

import msgspec

from application.inference.ports import Operation, ProviderRequest
from tests.fakes.openai_wire import PUBLIC_NAME, a_model

BOUNDARY = "stoa-test-boundary"
FORM_TYPE = f"multipart/form-data; boundary={BOUNDARY}"

IMAGE_USAGE = {
    "total_tokens": 100,
    "input_tokens": 50,
    "output_tokens": 50,
    "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
}


def a_sound(seconds: float = 2.0) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\x00\xff" * int(seconds * 8000))
    return file.getvalue()


def a_form(sound: bytes, **fields: str) -> bytes:
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
        "Content-Type: audio/wav\r\n\r\n"
    )
    return b"".join([*parts, head.encode(), sound, f"\r\n--{BOUNDARY}--\r\n".encode()])


def an_upload(sound: bytes, *, stream: bool = False, **fields: str) -> ProviderRequest:
    if stream:
        fields["stream"] = "true"
    return ProviderRequest(
        operation=Operation.TRANSCRIPTION,
        model=a_model(),
        body=a_form(sound, **({"model": PUBLIC_NAME} | fields)),
        content_type=FORM_TYPE,
        correlation_id="c-1",
        stream=stream,
    )


def a_typed_event(type_name: str, **members: object) -> bytes:
    data = msgspec.json.encode({"type": type_name} | members)
    return b"event: %b\ndata: %b\n\n" % (type_name.encode(), data)
