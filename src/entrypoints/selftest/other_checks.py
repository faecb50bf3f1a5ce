"""Does it refuse what is wrong in the way that clients understand, and does it embed?"""

import re
import struct
from base64 import b64decode

from entrypoints.selftest.access_checks import MISSING_MODEL, NOT_FOUND
from entrypoints.selftest.expectations import (
    OK,
    expect,
    expect_envelope,
    expect_status,
    expect_usage,
)
from entrypoints.selftest.target import CheckSkippedError, Target

CHAT = "/chat/completions"
BAD_REQUEST = 400
UNPROCESSABLE = 422
# Listings do not say which models embed, so the ones whose names do are tried first.
MAX_TRIED = 8
_LIKELY = re.compile("embed|vector|minilm|bge|e5|gte", re.IGNORECASE)
TOLERANCE = 1e-3
FLOAT_SIZE = 4


async def refuses_malformed_json(target: Target) -> str:
    expect_envelope(await target.post(CHAT, b'{"model": '), BAD_REQUEST)
    return "400 with the error envelope"


async def refuses_unknown_model(target: Target) -> str:
    messages = [{"role": "user", "content": "hello"}]
    body = {"model": MISSING_MODEL, "messages": messages}
    expect_envelope(await target.post(CHAT, body), NOT_FOUND, BAD_REQUEST)
    return "refused with the error envelope"


async def refuses_wrong_types(target: Target) -> str:
    body = {"model": target.chat_model or MISSING_MODEL, "messages": "hello"}
    error = expect_envelope(await target.post(CHAT, body), BAD_REQUEST, UNPROCESSABLE)
    named = error["param"] or "not named"
    return f"refused; the parameter is {named}"


async def embeds(target: Target) -> str:
    likely_first = sorted(target.models, key=lambda name: not _LIKELY.search(name))
    for name in likely_first[:MAX_TRIED]:
        if name != target.chat_model:
            answer = await target.post("/embeddings", {"model": name, "input": ["hello", "stoa"]})
            if answer.status == OK:
                return await _check_embedding(target, name)
    raise CheckSkippedError("no model of the list embeds")


async def _check_embedding(target: Target, model: str) -> str:
    texts = ["hello", "stoa"]
    plain = await target.post("/embeddings", {"model": model, "input": texts})
    expect_status(plain, OK)
    listing = plain.json()
    data = listing.get("data") or []
    expect(listing.get("object") == "list", "'object' is not 'list'")
    expect([item.get("index") for item in data] == [0, 1], "the indexes are not 0 and 1")
    vectors = [item.get("embedding") for item in data]
    expect(all(isinstance(v, list) and v for v in vectors), "an embedding is no list of numbers")
    expect(len({len(v) for v in vectors}) == 1, "the embeddings differ in length")
    expect_usage(listing.get("usage"), output=False)
    coded = await target.post(
        "/embeddings", {"model": model, "input": texts, "encoding_format": "base64"}
    )
    expect_status(coded, OK)
    text = coded.json()["data"][0]["embedding"]
    expect(isinstance(text, str), "encoding_format base64 gives no text")
    raw = b64decode(text)
    expect(len(raw) % FLOAT_SIZE == 0, "base64 gives no list of 32-bit numbers")
    decoded = struct.unpack(f"<{len(raw) // FLOAT_SIZE}f", raw)
    near = len(decoded) == len(vectors[0]) and all(
        abs(a - b) < TOLERANCE for a, b in zip(decoded, vectors[0], strict=True)
    )
    expect(near, "base64 and float give different vectors")
    return f"{model}: {len(decoded)} dimensions"
