"""Requests with an idempotency key whose clients do not wait for the answer."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from adapters.http.data_plane.hangup import HANGUP, Hangup
from adapters.http.data_plane.idempotency import Idempotency
from adapters.http.presented import Presented
from application.operations.idempotency.answer_once import AnswerOnce
from application.operations.records.error_reporter import ErrorReporter
from domain.operations.idempotency_errors import IdempotencyInProgressError
from tests.builders import a_key, a_membership, a_team, a_user
from tests.fakes.authentication import authenticate
from tests.fakes.clock import FrozenClock
from tests.fakes.errors import RecordingErrorLog
from tests.fakes.gate import Gate, held_at
from tests.fakes.idempotency import InMemoryIdempotentRequests
from tests.fakes.identity_state import InMemoryIdentity
from tests.fakes.ids import SequentialIds
from tests.fakes.runtime_settings import InMemoryRuntimeSettings
from tests.fakes.secret_box import ReversibleSecretBox

SECRET = "sk-stoa-correct-horse-battery-staple"
SHOWN = Presented(bearer=SECRET)


class Client:
    """Sends one request, and may leave before it is answered."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.leave: Callable[[], None] | None = None
        self.left = asyncio.Event()
        self._bodies = [{"type": "http.request", "body": b"asked", "more_body": False}]
        self.scope: Any = {
            "type": "http",
            "method": "POST",
            "path": "/v1/chat/completions",
            "query_string": b"",
            "headers": [],
            "state": {},
            "extensions": {HANGUP: self._listen},
        }

    def _listen(self, on_gone: Callable[[], None] | None) -> None:
        self.leave = on_gone

    async def receive(self) -> Any:
        if self._bodies:
            return self._bodies.pop()
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.got.append(message)


class Door:
    """Answers when its work is done, unless it hears that nobody waits any more."""

    def __init__(self) -> None:
        self.work = Gate()
        self.answers = 0

    async def answer(self, scope: Any, receive: Any, send: Any) -> None:
        assert await receive() == {"type": "http.request", "body": b"asked", "more_body": False}
        async with Hangup(scope, receive):
            await self.work.passed()
            self.answers += 1
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"done", "more_body": False})


@pytest.fixture
def idempotency() -> Idempotency:
    database, clock = InMemoryIdentity(), FrozenClock()
    team, user, membership, key = a_team(), a_user(), a_membership(), a_key(secret=SECRET)
    state = database.committed
    state.teams[team.id], state.users[user.id], state.keys[key.id] = team, user, key
    state.memberships[team.id, user.id] = membership
    return Idempotency(
        authenticate=authenticate(database, clock),
        once=AnswerOnce(
            requests=InMemoryIdempotentRequests(),
            box=ReversibleSecretBox(),
            settings=InMemoryRuntimeSettings(),
            clock=clock,
            reporter=ErrorReporter(errors=RecordingErrorLog(), clock=clock, ids=SequentialIds()),
        ),
        max_body_bytes=1000,
    )


async def ask(idempotency: Idempotency, client: Client, door: Door) -> None:
    await idempotency.answer(
        "key", client.scope, client.receive, client.send, inner=door.answer, shown=SHOWN
    )


@pytest.mark.parametrize("tells", [True, False], ids=["told", "received"])
async def test_who_leaves_and_comes_again_gets_the_answer_that_was_made_meanwhile(
    idempotency: Idempotency, tells: bool
) -> None:
    door, first, second = Door(), Client(), Client()
    if not tells:
        del first.scope["extensions"]
    asking = await held_at(door.work, ask(idempotency, first, door))

    # Whoever listens hears of it now.
    first.left.set()
    await asyncio.sleep(0)
    if first.leave is not None:
        first.leave()
    with pytest.raises(IdempotencyInProgressError):
        await ask(idempotency, Client(), door)
    door.work.open()
    await asking
    await ask(idempotency, second, door)

    assert door.answers == 1
    assert [message.get("body") for message in second.got] == [None, b"done"]


async def test_a_server_that_stops_leaves_the_key_free(idempotency: Idempotency) -> None:
    door, client, again = Door(), Client(), Client()
    asking = await held_at(door.work, ask(idempotency, client, door))

    asking.cancel()
    await asyncio.wait([asking])
    door.work.open()
    await ask(idempotency, again, door)

    assert [message.get("body") for message in again.got] == [None, b"done"]
