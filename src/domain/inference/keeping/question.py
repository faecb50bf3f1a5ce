"""What makes two calls the same question."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

# Members of a request that change how an answer is delivered, accounted for or stored, but not
# what it says. How it is delivered is part of the key in another place.
WITHOUT_EFFECT = frozenset(
    {
        "stream",
        "stream_options",
        "user",
        "metadata",
        "store",
        "safety_identifier",
        "prompt_cache_key",
        "prompt_cache_retention",
    }
)
# An answer of this kind repeats all its parameters, so that all but these count.
WITHOUT_EFFECT_ON_RESPONSES = frozenset({"stream", "stream_options"})

_TURNS = ("messages", "input")
_TEXT_PARTS = frozenset({"text", "input_text"})


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a question means: its ``text``, and the ``scope`` of everything else, in which texts may
    be compared."""

    scope: bytes
    text: str


def read_question(body: bytes, without: frozenset[str]) -> dict[str, Any] | None:
    """The request without the members that have no effect; ``None`` if it is no JSON object, one
    that is nested too deeply to be looked at, or one with a member that stands there twice: nobody
    knows which of the two the model will go by."""
    try:
        question = json.loads(body, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        return None
    if not isinstance(question, dict):
        return None
    return {name: value for name, value in question.items() if name not in without}


def key_of(facts: Iterable[object], question: Mapping[str, Any]) -> bytes:
    """The same for equal facts and questions, whatever the order of their members."""
    written = json.dumps([*facts, question], sort_keys=True, separators=(",", ":"), default=str)
    return sha256(written.encode()).digest()


def key_in_form(key: bytes, form: str) -> bytes:
    """The key of an answer that comes in one of several forms."""
    return sha256(key + form.encode()).digest()


def likeness_of(facts: Iterable[object], question: Mapping[str, Any]) -> Likeness | None:
    """``None`` unless a text by the user ends the conversation: nothing else can be compared."""
    turns_in = next((name for name in _TURNS if question.get(name)), None)
    if turns_in is None:
        return None
    turns = question[turns_in]
    if isinstance(turns, str):
        text, earlier = turns, []
    elif isinstance(turns, list) and isinstance(turns[-1], dict):
        last = dict(turns[-1])
        text, earlier = _text_of(last.pop("content", None)), [*turns[:-1], last]
        if last.get("role") != "user":
            return None
    else:
        return None
    if not text:
        return None
    return Likeness(key_of(facts, {**question, turns_in: earlier}), text)


def _text_of(content: object) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts: list[str] = []
    for part in content:
        # What else a part says is part of the question, and would be lost.
        if not isinstance(part, dict) or part.get("type") not in _TEXT_PARTS or len(part) > 2:  # noqa: PLR2004
            return ""
        if not isinstance(part.get("text"), str):
            return ""
        texts.append(part["text"])
    return "\n".join(texts)


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        raise ValueError("A member stands there twice.")
    return found
