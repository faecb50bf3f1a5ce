"""Does it do what is no text: rank, judge, draw, hear and speak? Each check looks for a model that
can, and is skipped where there is none."""

import re
import struct
from collections.abc import Mapping

from entrypoints.selftest.expectations import OK, expect, expect_status
from entrypoints.selftest.target import Answer, CheckSkippedError, Target

# What Stoa's own servers call whatever model the team prefers.
DEFAULT = "default"
MAX_TRIED = 4
DOCUMENTS = ["A garden.", "A painted porch.", "A tavern."]
_RATE = 8000
_BOUNDARY = "stoa-selftest-boundary-of-a-recording"


async def ranks(target: Target) -> str:
    body = {"query": "a painted porch", "documents": DOCUMENTS, "top_n": 2}
    model, answer = await _first(target, "/rerank", body, "rank")
    results = answer.json().get("results") or []
    expect(len(results) == 2, "'top_n' 2 does not give two results")  # noqa: PLR2004
    known = all(result.get("index") in range(len(DOCUMENTS)) for result in results)
    expect(known, "an index is none of the documents'")
    scores = [result.get("relevance_score") for result in results]
    expect(all(isinstance(score, int | float) for score in scores), "a result has no score")
    expect(scores == sorted(scores, reverse=True), "the best result is not the first")
    return f"{model}: {scores[0]:.2f} for the best"


async def judges(target: Target) -> str:
    body = {"input": ["A painted porch.", "A garden."]}
    model, answer = await _first(target, "/moderations", body, "moderat|guard|judge")
    results = answer.json().get("results") or []
    expect(len(results) == len(body["input"]), "there is not one result for each input")
    expect(isinstance(results[0].get("flagged"), bool), "a result does not say 'flagged'")
    expect(isinstance(results[0].get("categories"), dict), "a result has no categories")
    return f"{model}: {len(results[0]['categories'])} categories"


async def draws(target: Target) -> str:
    body = {"prompt": "A painted porch."}
    model, answer = await _first(target, "/images/generations", body, "image|dall|paint|flux")
    data = answer.json().get("data") or [{}]
    expect(data[0].get("b64_json") or data[0].get("url"), "there is neither 'b64_json' nor 'url'")
    return f"{model}: {len(answer.body)} bytes"


async def speaks(target: Target) -> str:
    body = {"input": "A painted porch.", "voice": "alloy"}
    model, answer = await _first(target, "/audio/speech", body, "tts|speech|speak|voice")
    content_type = answer.headers.get("content-type", "")
    expect(content_type.startswith("audio/"), f"the content type is '{content_type}'")
    expect(answer.body, "there is no sound")
    return f"{model}: {len(answer.body)} bytes of {content_type}"


async def hears(target: Target) -> str:
    model, answer = await _first(
        target, "/audio/transcriptions", _silence(), "whisper|transcri|listen|voxtral"
    )
    text = answer.json().get("text")
    expect(isinstance(text, str), "there is no text")
    return f"{model}: {len(text or '')} characters"


async def _first(
    target: Target, path: str, body: Mapping[str, object] | bytes, likely: str
) -> tuple[str, Answer]:
    """The first model that does not refuse, of those whose names sound like it."""
    names = [name for name in target.models if re.search(likely, name, re.IGNORECASE)]
    answer = None
    for model in (DEFAULT, *names[:MAX_TRIED]):
        answer = await _ask(target, path, body, model)
        if answer.status == OK:
            return model, answer
    if names and answer is not None:
        expect_status(answer, OK)
    raise CheckSkippedError("no model of the list sounds as if it could")


async def _ask(target: Target, path: str, body: Mapping[str, object] | bytes, model: str) -> Answer:
    if not isinstance(body, bytes):
        return await target.post(path, {"model": model, **body})
    named = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="model"\r\n\r\n{model}\r\n'
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
        "Content-Type: audio/wav\r\n\r\n"
    )
    form = b"".join([named.encode(), head.encode(), body, f"\r\n--{_BOUNDARY}--\r\n".encode()])
    return await target.post(path, form, content_type=f"multipart/form-data; boundary={_BOUNDARY}")


def _silence() -> bytes:
    """A second of it, as WAV."""
    samples = bytes(2 * _RATE)
    head = (b"RIFF", 36 + len(samples), b"WAVE", b"fmt ", 16, 1, 1, _RATE, 2 * _RATE, 2, 16)
    return struct.pack("<4sI4s4sIHHIIHH4sI", *head, b"data", len(samples)) + samples
