import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from adapters.dialects.decoding import decoded
from adapters.providers.scripted.options import ScriptedOptions
from adapters.providers.scripted.reply import count_tokens
from adapters.providers.scripted.wire import request_id
from application.inference.ports import ProviderAnswer, ProviderRequest
from domain.shared.usage import Usage

CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
_WORD = re.compile(r"\w+")


class _Part(msgspec.Struct):
    type: str = "text"
    text: str = ""


class _Body(msgspec.Struct):
    input: str | list[str | _Part]
    model: str | None = None


_DECODER = msgspec.json.Decoder(_Body)


def moderate(request: ProviderRequest, options: ScriptedOptions) -> ProviderAnswer:
    """Flags texts with one of the words that the options list for a category. Parts of an input are
    judged together, as OpenAI does; images are never flagged."""
    body = decoded(_DECODER, request.body)
    texts = _texts(body)
    usage = Usage(prompt_tokens=sum(count_tokens(text) for text in texts))
    if options.usage is not None:
        usage = options.usage.usage()
    answer = {
        "id": f"modr-{request_id(request)}",
        "model": body.model or request.model.name,
        "results": [_result(text, options.flagged_words) for text in texts],
    }
    return ProviderAnswer(
        body=msgspec.json.encode(answer),
        usage=usage,
        provider_request_id=f"scripted-{request_id(request)}",
    )


def _texts(body: _Body) -> list[str]:
    if isinstance(body.input, str):
        return [body.input]
    parts = [piece.text for piece in body.input if isinstance(piece, _Part)]
    texts = [piece for piece in body.input if isinstance(piece, str)]
    return [*texts, " ".join(parts)] if parts else texts


def _result(text: str, flagged: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    said = {word.casefold() for word in _WORD.findall(text)}
    found = {
        category: any(word.casefold() in said for word in words)
        for category, words in flagged.items()
    }
    categories = dict.fromkeys(CATEGORIES, False) | found
    return {
        "flagged": any(categories.values()),
        "categories": categories,
        "category_scores": {name: 1.0 if hit else 0.0 for name, hit in categories.items()},
        "category_applied_input_types": {name: ["text"] for name in categories},
    }
