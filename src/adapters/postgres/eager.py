import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import Any


def start_now(coroutine: Coroutine[Any, Any, None]) -> asyncio.Future[None]:
    """Run the coroutine up to its first wait before returning, and the rest as a task."""
    try:
        first_wait = coroutine.send(None)
    except StopIteration:
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done
    return asyncio.get_running_loop().create_task(_rest(coroutine, first_wait))


@types.coroutine
def _rest(coroutine: Coroutine[Any, Any, None], wait: Any) -> Generator[Any, Any, None]:
    while True:
        thrown: BaseException | None = None
        try:
            result = yield wait
        except BaseException as error:  # noqa: BLE001 - a cancellation, for one, is the coroutine's
            thrown = error
        try:
            wait = coroutine.send(result) if thrown is None else coroutine.throw(thrown)
        except StopIteration:
            return
