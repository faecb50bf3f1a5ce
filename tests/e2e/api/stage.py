"""One application for all worlds that are built alike: to build one takes longer than most tests.

It holds nothing of any world, but stand-ins that turn to the world whose request it is.
"""

from collections.abc import Awaitable, Callable, Hashable
from contextvars import ContextVar
from dataclasses import Field, dataclass, fields
from typing import Any, TypeVar, cast

from dishka import AsyncContainer
from litestar.types import Receive, Scope, Send

from adapters.http.app import HttpParts
from adapters.http.frame import Frame
from application.operations.readiness import Readiness

Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Cast:
    """What an application asks of one world."""

    parts: HttpParts
    container: AsyncContainer


Build = Callable[[AsyncContainer, HttpParts], Frame]


@dataclass(frozen=True, slots=True)
class Stage:
    """``readiness`` is its own, since Litestar would know a stand-in from it; ``build`` is kept for
    what it holds, whose ids are part of the likeness."""

    frame: Frame
    readiness: Readiness
    build: Build


_CAST: ContextVar[Cast] = ContextVar("cast")
_STAGES: dict[Hashable, Stage] = {}


def play(
    cast_: Cast, likeness: Hashable, build: Build
) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The application for the cast; ``build`` makes the first one of its likeness."""

    async def played(scope: Scope, receive: Receive, send: Send) -> None:
        token = _CAST.set(cast_)
        try:
            if likeness not in _STAGES:
                container, parts = _understudies()
                _STAGES[likeness] = Stage(build(container, parts), parts.readiness, build)
            stage = _STAGES[likeness]
            stage.readiness.wait_for(cast_.parts.readiness.reason)
            await stage.frame(scope, receive, send)
        finally:
            _CAST.reset(token)

    return played


def _understudies() -> tuple[AsyncContainer, HttpParts]:
    parts = {field.name: _stand_in_of_part(field) for field in fields(HttpParts)}
    parts["readiness"] = Readiness()
    return _stand_in(AsyncContainer, lambda: _CAST.get().container), HttpParts(**parts)


def _stand_in_of_part(field: Field[Any]) -> Any:
    return _stand_in(cast("type[Any]", field.type), lambda: getattr(_CAST.get().parts, field.name))


def _stand_in(kind: type[Kind], find: Callable[[], Any]) -> Kind:
    """An object of the kind that does nothing itself."""

    def look_up(_self: object, name: str) -> Any:
        found = getattr(find(), name)
        if not callable(found):
            return found

        def found_then(*args: Any, **named: Any) -> Any:
            # Whoever keeps a method shall not keep that of one world.
            return getattr(find(), name)(*args, **named)

        return found_then

    def call(_self: object, *args: Any, **named: Any) -> Any:
        return find()(*args, **named)

    understudy = type(kind.__name__, (kind,), {"__getattribute__": look_up, "__call__": call})
    return cast("Kind", object.__new__(understudy))
