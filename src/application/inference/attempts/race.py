"""Attempts that run at the same time."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import TypeVar

from application.inference.attempts.course import Course
from domain.models.served_model import ServedModel
from domain.shared.errors import StoaError

T = TypeVar("T")


async def first_to_begin(
    tasks: "Mapping[asyncio.Task[T], ServedModel]", course: Course
) -> "asyncio.Task[T] | None":
    """The first of them that does not fail; the course learns of those that do."""
    waiting = set(tasks)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        # Of two that begin at once the one that was asked first wins.
        for task in filter(done.__contains__, tasks):
            error = task.exception()
            if error is None:
                return task
            if not isinstance(error, StoaError):
                raise error
            course.learn(tasks[task], error)
    return None


async def let_go(tasks: "Iterable[asyncio.Task[T]]") -> bool:
    """End those that still run. Returns whether the caller was cancelled meanwhile: it has to see
    to what has begun before it gives in."""
    running = set(tasks)
    for task in running:
        task.cancel()
    is_cancelled = False
    while running:
        try:
            _, running = await asyncio.wait(running)
        except asyncio.CancelledError:
            is_cancelled = True
    return is_cancelled
