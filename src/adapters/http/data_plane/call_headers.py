"""What a client wishes for its call beside the body, and what it is told of how that was made."""

import re
from functools import lru_cache
from time import perf_counter
from typing import Any, NamedTuple

from litestar.types import HTTPScope

from adapters.http.request_headers import all_of, request_headers
from application.inference.call_trace import CallTrace
from domain.inference.call import Call
from domain.shared.errors import FieldError, InvalidError

Header = tuple[bytes, bytes]
State = dict[str, Any]

MOST_TAGS = 16
LONGEST_TAG = 64
LONGEST_IDENTITY = 256
# Nothing is kept for longer.
LONGEST_AGE_S = 366 * 86_400
LOCAL_ONLY = "local_only"

_STATE = "call_trace"
_CACHE_CONTROL = b"cache-control"
_TOLD = (
    b"x-stoa-tags",
    b"x-stoa-privacy",
    b"x-stoa-user",
    b"x-stoa-conversation",
    _CACHE_CONTROL,
)
_NO_STORE, _NO_CACHE, _MAX_AGE = "no-store", "no-cache", "max-age"
_UNSAFE = re.compile(r"[^\x20-\x7e]")

CALL_HEADER_NAMES = tuple(
    f"x-stoa-{name}"
    for name in (
        "call-id",
        "model",
        "deployment",
        "attempts",
        "reason",
        "arm",
        "cost",
        "cache",
        "guardrails",
        "overhead-ms",
    )
)


class Wishes(NamedTuple):
    tags: tuple[str, ...] = ()
    local_only: bool = False
    user: str | None = None
    conversation: str | None = None
    may_recall: bool = True
    may_keep: bool = True
    max_age_s: int | None = None


_NONE = Wishes()


def wishes_in(scope: HTTPScope) -> Wishes:
    """What the headers say. Raises ``InvalidError`` that names the header."""
    headers = request_headers(scope)
    said = {
        name: headers[name].decode("utf-8", "replace").strip() for name in _TOLD if name in headers
    }
    if not said:
        return _NONE
    directives = _directives(scope) if _CACHE_CONTROL in said else {}
    max_age_s = _seconds(directives.get(_MAX_AGE))
    return Wishes(
        tags=_tags(said.get(b"x-stoa-tags", "")),
        local_only=_is_local_only(said.get(b"x-stoa-privacy", "")),
        user=_identity("x-stoa-user", said.get(b"x-stoa-user")),
        conversation=_identity("x-stoa-conversation", said.get(b"x-stoa-conversation")),
        may_recall=not {_NO_STORE, _NO_CACHE} & directives.keys() and max_age_s != 0,
        may_keep=_NO_STORE not in directives,
        max_age_s=max_age_s,
    )


def _directives(scope: HTTPScope) -> dict[str, str]:
    """What all headers of that name say together."""
    parts = b",".join(all_of(scope, _CACHE_CONTROL)).decode("utf-8", "replace").lower().split(",")
    pairs = [part.partition("=") for part in parts]
    return {name.strip(): value.strip().strip('"') for name, _, value in pairs}


def _seconds(said: str | None) -> int | None:
    """What cannot be understood wants a fresh answer."""
    if said is None:
        return None
    is_number = said.isascii() and said.isdigit() and len(said) < LONGEST_TAG
    return min(int(said), LONGEST_AGE_S) if is_number else 0


def traced(state: State) -> CallTrace:
    """What the call of this request is to be traced with."""
    trace = state[_STATE] = CallTrace()
    return trace


def tags_in(scope: HTTPScope) -> tuple[str, ...]:
    """The tags of a call that is refused; those that are a reason to refuse it are none."""
    try:
        return _tags(request_headers(scope).get(b"x-stoa-tags", b"").decode("utf-8", "replace"))
    except InvalidError:
        return ()


def call_headers(state: State, started: float) -> list[Header]:
    """What can be told when the answer begins. ``started`` is when the request came."""
    trace: CallTrace | None = state.get(_STATE)
    if trace is None or trace.call is None:
        return []
    told = _known(trace, trace.call)
    elapsed_ms = (perf_counter() - started) * 1000
    told.append((b"x-stoa-overhead-ms", b"%.3f" % max(0.0, elapsed_ms - trace.upstream_ms)))
    return told


def late_headers(state: State) -> bytes:
    """The same for a stream that has begun before its model has, as a comment in the stream."""
    trace: CallTrace | None = state.get(_STATE)
    if trace is None or trace.call is None:
        return b""
    lines = [b": %b: %b\n" % header for header in _known(trace, trace.call)]
    return b"".join([*lines, b"\n"])


def _known(trace: CallTrace, call: Call) -> list[Header]:
    told: list[Header] = [(b"x-stoa-call-id", str(call.id).encode())]
    if call.arm is not None:
        told.append((b"x-stoa-arm", _shown(call.arm)))
    if trace.attempts:
        told += _of_attempts(call, trace.attempts)
    if call.cache is not None:
        told += _of_cache(call, trace)
    if call.guardrails:
        told.append((b"x-stoa-guardrails", _shown(", ".join(map(str, call.guardrails)))))
    if call.cost is not None:
        told.append((b"x-stoa-cost", f"{call.cost:f}".encode()))
    elif trace.attempts and (call.price is None or call.usage is not None):
        # Not knowing what a call costs is not the same as its costing nothing.
        told.append((b"x-stoa-cost", b"unpriced"))
    return told


def _of_attempts(call: Call, attempts: int) -> list[Header]:
    told = [
        (b"x-stoa-model", _shown(call.routed_to or call.model)),
        (b"x-stoa-deployment", _shown(call.deployment or "")),
        (b"x-stoa-attempts", b"%d" % attempts),
    ]
    if call.reason is not None:
        told.append((b"x-stoa-reason", _shown(call.reason)))
    return told


def _of_cache(call: Call, trace: CallTrace) -> list[Header]:
    told: list[Header] = [(b"x-stoa-cache", str(call.cache).encode())]
    if trace.age_s is not None:
        told.append((b"age", b"%d" % trace.age_s))
        if call.reason is not None:
            told.append((b"x-stoa-reason", _shown(call.reason)))
    return told


@lru_cache(maxsize=1024)
def _shown(text: str) -> bytes:
    """Names may have any letters, headers may not."""
    return _UNSAFE.sub("?", text).encode()


def _tags(said: str) -> tuple[str, ...]:
    tags = tuple(dict.fromkeys(tag for tag in map(str.strip, said.split(",")) if tag))
    if len(tags) > MOST_TAGS:
        raise _wrong("x-stoa-tags", f"must have at most {MOST_TAGS} tags")
    if any(len(tag) > LONGEST_TAG for tag in tags):
        raise _wrong("x-stoa-tags", f"must have tags of at most {LONGEST_TAG} characters")
    return tags


def _is_local_only(said: str) -> bool:
    if said not in ("", LOCAL_ONLY):
        raise _wrong("x-stoa-privacy", f"must be '{LOCAL_ONLY}'")
    return bool(said)


def _identity(header: str, said: str | None) -> str | None:
    if said is not None and len(said) > LONGEST_IDENTITY:
        raise _wrong(header, f"must have at most {LONGEST_IDENTITY} characters")
    return said or None


def _wrong(header: str, message: str) -> InvalidError:
    return InvalidError(
        f"The header '{header}' {message}.", param=header, errors=(FieldError(header, message),)
    )
