"""What waits in the ledger's queues, and who waits for it."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import IntEnum
from typing import Protocol

from adapters.postgres.inference.deadlines import Deadlines
from application.inference.ports import WriteAhead
from domain.inference.errors import LedgerUnavailableError
from domain.shared.ids import CallId


class Item(Protocol):
    """Something that a lane writes: ``payload`` is read when it takes off."""

    payload: bytes
    has_content: bool

    def take_off(self, is_handed_over: Callable[[], bool]) -> bool:
        """Called right before the write; returns whether somebody waits for its being sent."""
        ...

    def hand_over(self) -> None: ...


class RowState(IntEnum):
    QUEUED = 0
    FLYING = 1
    DURABLE = 2
    REFUSED = 3


class LedgerRow(WriteAhead):
    """The row of one call from its queueing to its being durable.

    A future is made only for those who must wait, and for each of them his own, since a cancelled
    task cancels the future that it waits for.
    """

    __slots__ = (
        "_durable_by",
        "_is_handed_over",
        "_sent_by",
        "_waiting_for_durable",
        "_waiting_for_sent",
        "closes",
        "error",
        "has_content",
        "outcome",
        "payload",
        "state",
    )

    def __init__(
        self, payload: bytes, has_content: bool, sent_by: Deadlines, durable_by: Deadlines
    ) -> None:
        self.payload = payload
        self.has_content = has_content
        self.state = RowState.QUEUED
        self.error: LedgerUnavailableError | None = None
        self.outcome: Outcome | None = None
        # The call whose outcome is in the row itself.
        self.closes: CallId | None = None
        self._is_handed_over: Callable[[], bool] | None = None
        self._sent_by = sent_by
        self._durable_by = durable_by
        self._waiting_for_sent: list[asyncio.Future[None]] | None = None
        self._waiting_for_durable: list[asyncio.Future[None]] | None = None

    @property
    async def sent(self) -> None:
        if self.is_sent:
            return
        if self.state is RowState.FLYING:
            # In one turn, a loop that has put the writing off does it.
            await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        if not self.is_sent:
            await self._wait_for_sent()

    @property
    async def committed(self) -> None:
        if self.error is not None:
            raise self.error
        if self.state is not RowState.DURABLE:
            await self._wait_for_durable()

    @property
    def is_sent(self) -> bool:
        if self.state is RowState.FLYING:
            return self._is_handed_over is not None and self._is_handed_over()
        return self.state is RowState.DURABLE

    def _wait_for_sent(self) -> asyncio.Future[None]:
        future = self._sent_by.future()
        if self._waiting_for_sent is None:
            self._waiting_for_sent = []
        self._waiting_for_sent.append(future)
        return future

    def _wait_for_durable(self) -> asyncio.Future[None]:
        future = self._durable_by.future()
        if self._waiting_for_durable is None:
            self._waiting_for_durable = []
        self._waiting_for_durable.append(future)
        return future

    def take_off(self, is_handed_over: Callable[[], bool]) -> bool:
        self.state = RowState.FLYING
        self._is_handed_over = is_handed_over
        return self._waiting_for_sent is not None

    def hand_over(self) -> None:
        waiting, self._waiting_for_sent = self._waiting_for_sent, None
        _release(waiting, None)

    def land(self) -> None:
        self.state = RowState.DURABLE
        self._is_handed_over = None
        self._release_all(None)

    def refuse(self, error: LedgerUnavailableError) -> None:
        self.state = RowState.REFUSED
        self.error = error
        self._is_handed_over = None
        self._release_all(error)

    def _release_all(self, error: LedgerUnavailableError | None) -> None:
        if self._waiting_for_sent is not None:
            _release(self._waiting_for_sent, error)
            self._waiting_for_sent = None
        if self._waiting_for_durable is not None:
            _release(self._waiting_for_durable, error)
            self._waiting_for_durable = None


class Outcome:
    """The settlement of a call whose row is durable or about to be."""

    __slots__ = ("call_id", "has_content", "payload")

    def __init__(self, call_id: CallId, payload: bytes, has_content: bool) -> None:
        self.call_id = call_id
        self.payload = payload
        self.has_content = has_content

    def take_off(self, is_handed_over: Callable[[], bool]) -> bool:
        return False

    def hand_over(self) -> None:
        """Nobody waits for an outcome to be sent."""


class NotWritten(WriteAhead):
    """The answer to a call that did not even get into the queue."""

    __slots__ = ("_error",)

    def __init__(self, error: LedgerUnavailableError) -> None:
        self._error = error

    @property
    def sent(self) -> Awaitable[None]:
        return self._fail()

    @property
    def committed(self) -> Awaitable[None]:
        return self._fail()

    async def _fail(self) -> None:
        raise self._error


def _release(
    waiting: list[asyncio.Future[None]] | None, error: LedgerUnavailableError | None
) -> None:
    for future in waiting or ():
        if future.done():
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
