"""START / FINISH / FAIL around use cases, in one place.

The container serves ``instrumented(IssueKey)`` wherever ``IssueKey`` is asked for. Model calls are
not instrumented: the ledger has a row for each.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from inspect import signature
from time import perf_counter
from typing import Any, TypeVar

import structlog

from application.shared.masking import mask
from domain.shared.errors import FunctionalError

log = structlog.get_logger()

UseCase = TypeVar("UseCase")


def instrumented(use_case: type[UseCase]) -> type[UseCase]:
    """A subclass that logs how each call went; it is built and called like the original."""
    call = use_case.__call__
    return type(
        use_case.__name__,
        (use_case,),
        {
            "__slots__": (),
            "__module__": use_case.__module__,
            "__qualname__": use_case.__qualname__,
            "__doc__": use_case.__doc__,
            "__call__": _logged(use_case.__name__, call),
        },
    )


def _logged(name: str, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    parameters = tuple(signature(call).parameters)[1:]

    @wraps(call)
    async def logged(self: object, *args: object, **kwargs: object) -> object:
        if log.is_enabled_for(logging.DEBUG):
            log.debug("START", use_case=name, **_shown(parameters, args, kwargs))
        started = perf_counter()
        try:
            result = await call(self, *args, **kwargs)
        except BaseException as error:
            _log_failure(name, error, started, _shown(parameters, args, kwargs))
            raise
        log.info("FINISH", use_case=name, duration_ms=_elapsed_ms(started))
        return result

    return logged


def _log_failure(
    name: str, error: BaseException, started: float, shown: Mapping[str, object]
) -> None:
    facts = {"use_case": name, "duration_ms": _elapsed_ms(started), **shown}
    if isinstance(error, FunctionalError):
        log.warning("FAIL", code=error.code, error=error.message, **facts)
    elif isinstance(error, Exception):
        log.error("FAIL", error=type(error).__name__, exc_info=error, **facts)
    else:
        log.info("FAIL", error=type(error).__name__, **facts)


def _shown(
    names: tuple[str, ...], args: tuple[object, ...], kwargs: Mapping[str, object]
) -> dict[str, object]:
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    return {"parameters": {key: mask(value, name=key) for key, value in given.items()}}


def _elapsed_ms(started: float) -> float:
    return round((perf_counter() - started) * 1000, 2)
