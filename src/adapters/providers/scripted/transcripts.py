"""What a scripted model hears: the transcript of its options, spread over the recording."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from adapters.dialects.audio_length import seconds_of
from adapters.dialects.multipart import Form, read_form
from adapters.providers.scripted.options import ScriptedOptions
from adapters.providers.scripted.pictures import event
from adapters.providers.scripted.pieces import Pieces
from adapters.providers.scripted.wire import request_id
from application.inference.ports import EVENTS, JSON, ProviderAnswer, ProviderRequest
from domain.inference.errors import UnsupportedByModelError
from domain.shared.errors import InvalidError
from domain.shared.usage import Usage

_TEXT, _VTT = "text/plain; charset=utf-8", "text/vtt; charset=utf-8"


def transcribe(request: ProviderRequest, options: ScriptedOptions) -> ProviderAnswer:
    form = read_form(request.body, request.content_type)
    seconds = _length(form)
    text = _heard(options, seconds)
    body, content_type = _written(form, text, seconds)
    return ProviderAnswer(
        body=body,
        usage=Usage(seconds=seconds),
        content_type=content_type,
        provider_request_id=f"scripted-{request_id(request)}",
    )


def transcribe_in_pieces(request: ProviderRequest, options: ScriptedOptions) -> Pieces:
    form = read_form(request.body, request.content_type)
    if form.text("response_format") not in (None, "json"):
        raise UnsupportedByModelError("Only JSON can be streamed.", param="response_format")
    seconds = _length(form)
    blocks = _events(_heard(options, seconds), seconds)
    return Pieces(blocks=blocks, usage=Usage(seconds=seconds), content_type=EVENTS)


def _events(text: str, seconds: Decimal) -> Iterator[bytes]:
    for word in text.split(" "):
        yield event("transcript.text.delta", {"delta": f"{word} "})
    members = {"text": text, "usage": _usage(seconds)}
    yield event("transcript.text.done", members)


def _written(form: Form, text: str, seconds: Decimal) -> tuple[bytes, str]:
    match form.text("response_format"):
        case None | "json":
            return msgspec.json.encode({"text": text, "usage": _usage(seconds)}), JSON
        case "verbose_json":
            return msgspec.json.encode(_verbose(form, text, seconds)), JSON
        case "text":
            return f"{text}\n".encode(), _TEXT
        case "srt":
            times = f"{_clock(Decimal(0), ',')} --> {_clock(seconds, ',')}"
            return f"1\n{times}\n{text}\n\n".encode(), _TEXT
        case "vtt":
            times = f"{_clock(Decimal(0), '.')} --> {_clock(seconds, '.')}"
            return f"WEBVTT\n\n{times}\n{text}\n\n".encode(), _VTT
        case other:
            raise UnsupportedByModelError(
                f"A scripted model does not write '{other}'.", param="response_format"
            )


def _verbose(form: Form, text: str, seconds: Decimal) -> dict[str, Any]:
    end = float(seconds)
    return {
        "task": "transcribe",
        "language": form.text("language") or "english",
        "duration": end,
        "text": text,
        "segments": [{"id": 0, "start": 0.0, "end": end, "text": text}],
        "usage": _usage(seconds),
    }


def _heard(options: ScriptedOptions, seconds: Decimal) -> str:
    return options.transcript or f"A recording of {seconds} seconds."


def _length(form: Form) -> Decimal:
    file = form.file("file")
    if file is None:
        raise InvalidError("Missing required parameter: 'file'.", param="file")
    return seconds_of(file.content)


def _usage(seconds: Decimal) -> dict[str, Any]:
    return {"type": "duration", "seconds": float(seconds)}


def _clock(seconds: Decimal, mark: str) -> str:
    whole, thousandths = divmod(int(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{mark}{thousandths:03}"
