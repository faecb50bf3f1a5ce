"""What is written down of an exception: where it came from, and no more of what it says than is
certainly neither a secret nor the content of a request."""

import hashlib
import linecache
import re
import traceback
from collections import deque
from collections.abc import Iterable, Iterator
from types import CodeType, TracebackType

from application.shared.masking import OMITTED, mask_text
from domain.shared.errors import TechnicalError

MAX_MESSAGE = 1000
MAX_STACK = 16_000

_OWN = frozenset({"domain", "application", "adapters", "entrypoints"})
# So many of our innermost frames tell one fault from another; how it was reached does not.
_TELLING_FRAMES = 5
_SHOWN_FRAMES = 40
_LONGEST_CHAIN = 5
# What others quote in their messages may be anything that somebody sent.
_QUOTED = re.compile(r"(?<!\w)['\"`](?:.*['\"`]|.*)")


def fingerprint(code: str, error: BaseException, route: str | None) -> str:
    """The same for every occurrence of one fault, also when lines have moved."""
    own = [
        f"{module}:{function}"
        for module, function, _, _ in _frames(error.__traceback__)
        if module.partition(".")[0] in _OWN
    ]
    # A recursion is as deep as it happens to be.
    places = [place for n, place in enumerate(own) if n == 0 or place != own[n - 1]]
    parts = (code, exception_name(error), route or "", *places[-_TELLING_FRAMES:])
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def message_of(error: BaseException, *, in_the_open: bool) -> str:
    """Our own words for it, or of another's what is not quoted; unless it is ``in_the_open``, of
    another's nothing at all."""
    if isinstance(error, TechnicalError):
        said = error.message
    elif in_the_open:
        first = next(iter(str(error).splitlines()), "")
        said = _QUOTED.sub(OMITTED, first)
    else:
        said = OMITTED
    return _clean(mask_text(said), MAX_MESSAGE)


def stack_of(error: BaseException, *, in_the_open: bool) -> str:
    """The frames of the error and of what caused it, without the values of variables."""
    lines: list[str] = []
    for one in reversed(list(_chain(error))):
        lines += [
            f"  {module}:{line} in {function}\n    {code}"
            for module, function, line, code in _frames(one.__traceback__)
        ]
        lines.append(f"{exception_name(one)}: {message_of(one, in_the_open=in_the_open)}")
        lines += [f"  {note}" for note in _notes(one)]
    return _clean(mask_text("\n".join(lines)), MAX_STACK)


def _frames(trace: TracebackType | None) -> Iterable[tuple[str, str, int, str]]:
    """Module, function, line and its code, the innermost last."""
    walked = deque(traceback.walk_tb(trace), maxlen=_SHOWN_FRAMES)
    for frame, number in walked:
        code: CodeType = frame.f_code
        line = linecache.getline(code.co_filename, number, frame.f_globals).strip()
        yield str(frame.f_globals.get("__name__", "?")), code.co_qualname, number, line


def _chain(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    for _ in range(_LONGEST_CHAIN):
        if one is None:
            return
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _notes(error: BaseException) -> list[str]:
    # Our own errors are given notes for the operator; what others note is unknown.
    return list(getattr(error, "__notes__", ())) if isinstance(error, TechnicalError) else []


def exception_name(error: BaseException) -> str:
    kind = type(error)
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def _clean(text: str, limit: int) -> str:
    """Without what Postgres cannot store, and from a long text the end, where the fault is."""
    stored = text.replace("\0", "").encode("utf-8", "replace").decode()
    return stored if len(stored) <= limit else f"…{stored[1 - limit :]}"
