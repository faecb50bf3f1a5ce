import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Gate:
    """A point that a fake has to pass, where a test can hold it up or make it fail.

    It is open at first. ``reached`` is set as soon as anybody has come to it.
    """

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self._opened = asyncio.Event()
        self._opened.set()
        self._error: BaseException | None = None

    def shut(self) -> None:
        self.reached.clear()
        self._opened.clear()

    def open(self) -> None:
        self._opened.set()

    def fail(self, error: BaseException) -> None:
        """Open it, but raise the error in whoever passes."""
        self._error = error
        self._opened.set()

    async def passed(self) -> None:
        self.reached.set()
        await self._opened.wait()
        if self._error is not None:
            raise self._error


async def held_at(gate: Gate, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
    """Shut the gate, start the work, and return when the work stands before the gate."""
    gate.shut()
    task = asyncio.create_task(work)
    await gate.reached.wait()
    return task
