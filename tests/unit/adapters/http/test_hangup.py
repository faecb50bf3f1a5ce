import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from adapters.http.data_plane.hangup import HANGUP, Hangup

GONE = {"type": "http.disconnect"}
# Of a server that has no other way to tell it.
SCOPE: Any = {"type": "http"}


def saying(*messages: dict[str, Any], after: asyncio.Event) -> Callable[[], Awaitable[Any]]:
    """A server that hands out the messages when the event has come."""
    left = list(messages)

    async def receive() -> Any:
        await after.wait()
        await asyncio.sleep(0)
        return left.pop(0)

    return receive


async def test_work_ends_when_its_client_goes_away() -> None:
    leaving = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, leaving.set)
    hangup = Hangup(SCOPE, saying(GONE, after=leaving))

    async with hangup:
        await asyncio.sleep(10)

    assert hangup.gone
    assert asyncio.current_task() is not None
    await asyncio.sleep(0)


async def test_what_a_client_sends_behind_its_request_ends_nothing() -> None:
    more = asyncio.Event()
    more.set()
    hangup = Hangup(SCOPE, saying({"type": "http.request"}, GONE, after=more))

    async with hangup:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not hangup.gone
        await asyncio.sleep(1)

    assert hangup.gone


async def test_a_client_that_stays_is_listened_to_no_longer_than_the_work_takes() -> None:
    leaving = asyncio.Event()

    async with Hangup(SCOPE, saying(GONE, after=leaving)) as hangup:
        await asyncio.sleep(0)
    leaving.set()
    for _ in range(5):
        await asyncio.sleep(0)

    assert not hangup.gone


async def test_a_client_that_is_gone_already_does_not_end_what_needs_no_wait() -> None:
    async def receive() -> Any:
        return GONE

    async with Hangup(SCOPE, receive) as hangup:
        answered = True

    await asyncio.sleep(0)
    assert answered
    assert not hangup.gone


async def test_a_cancellation_from_elsewhere_goes_on() -> None:
    hangup = Hangup(SCOPE, saying(GONE, after=asyncio.Event()))

    async def work() -> None:
        async with hangup:
            await asyncio.sleep(10)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert not hangup.gone


async def test_a_server_that_tells_of_hang_ups_is_not_asked_for_them() -> None:
    told: list[Any] = []
    scope: Any = {"type": "http", "extensions": {HANGUP: told.append}}

    async with Hangup(scope, saying(after=asyncio.Event())) as hangup:
        asyncio.get_running_loop().call_soon(told[0])
        await asyncio.Event().wait()

    assert hangup.gone
    assert told[1:] == [None]


async def test_a_server_that_tells_nothing_cancels_nothing() -> None:
    told: list[Any] = []
    scope: Any = {"type": "http", "extensions": {HANGUP: told.append}}

    async with Hangup(scope, saying(after=asyncio.Event())) as hangup:
        await asyncio.sleep(0)

    assert not hangup.gone
    assert told[1:] == [None]
