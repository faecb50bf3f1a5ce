"""The data plane's door on fakes: what goes over the wire, and what the ledger says of it."""

import asyncio
import json
from collections import deque
from collections.abc import MutableMapping
from typing import Any

import pytest

from adapters.http.data_plane.door import InferenceDoor
from adapters.http.data_plane.gate import Gate as DoorGate
from adapters.http.data_plane.use_cases import UseCases
from adapters.http.failures import Failures
from adapters.http.openai.served import OPENAI
from application.inference.call_allowances import CallAllowances
from application.inference.ports import Operation
from application.inference.rate_limit_check import RateLimitCheck
from application.inference.refuse_call import RefuseCall
from application.inference.show_limits import ShowLimits
from application.operations.readiness import Readiness
from application.operations.records.error_reporter import ErrorReporter
from domain.inference.call import CallStatus
from domain.inference.errors import ProviderFailedError, ProviderRejectedError
from tests.builders import a_key, a_model, a_team
from tests.fakes.authentication import authenticate
from tests.fakes.clock import FrozenClock
from tests.fakes.data_plane import DataPlane
from tests.fakes.errors import RecordingErrorLog
from tests.fakes.gate import Gate
from tests.fakes.identity_state import InMemoryIdentity
from tests.fakes.ids import SequentialIds
from tests.fakes.inference import InMemoryLedger
from tests.fakes.models import InMemoryModelCatalog
from tests.fakes.providers import DONE, RecordingProvider, ScriptedModelProviders, Step
from tests.fakes.providers import ScriptedProviderStream as Script
from tests.fakes.rate_limits import InMemoryRateLimits
from tests.fakes.runtime_settings import InMemoryRuntimeSettings
from tests.fixtures.patience import PATIENCE_S, until

SECRET = "sk-stoa-of-the-door"
HEARTBEAT_S = 0.02
FIRST = b'data: {"n":1}\n\n'
Message = MutableMapping[str, Any]


class Wire:
    """A client of one request; ``hang_up`` closes its connection."""

    def __init__(self, *parts: bytes) -> None:
        last = len(parts) - 1
        self._incoming = deque(
            {"type": "http.request", "body": part, "more_body": index < last}
            for index, part in enumerate(parts)
        )
        self._gone = asyncio.Event()
        self.sent: list[Message] = []

    async def receive(self) -> Any:
        if self._incoming:
            return self._incoming.popleft()
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    def hang_up(self) -> None:
        self._gone.set()

    @property
    def status(self) -> int:
        status: int = self.sent[0]["status"]
        return status

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    @property
    def is_complete(self) -> bool:
        return self.sent[-1].get("more_body") is False


class House:
    """A door with a provider, a ledger and one key behind it."""

    def __init__(self, *, ready: bool = True) -> None:
        clock, identity = FrozenClock(), InMemoryIdentity()
        team, key = a_team(), a_key(secret=SECRET)
        identity.committed.teams[team.id] = team
        identity.committed.keys[key.id] = key
        self.ledger = InMemoryLedger()
        self.limits = InMemoryRateLimits()
        self.provider = RecordingProvider()
        providers = ScriptedModelProviders(acme=self.provider)
        plane = DataPlane(
            clock=clock,
            ledger=self.ledger,
            settings=InMemoryRuntimeSettings(),
            catalog=InMemoryModelCatalog(a_model(name="large")),
            providers=providers,
        )
        plane.allowances = CallAllowances((RateLimitCheck(limits=self.limits),))
        invoke, stream = plane.use_cases()
        readiness = Readiness()
        self.errors = RecordingErrorLog()
        reporter = ErrorReporter(errors=self.errors, clock=clock, ids=SequentialIds())
        self.gate = DoorGate(readiness, Failures(reporter), OPENAI)
        if ready:
            readiness.open()
        self.gate.open(
            InferenceDoor(
                authenticate=authenticate(identity, clock),
                usual=UseCases(invoke=invoke, stream=stream),
                refuse=RefuseCall(ledger=self.ledger, clock=clock),
                show_limits=ShowLimits(limits=self.limits),
                max_body_bytes=1000,
                heartbeat_s=HEARTBEAT_S,
            )
        )

    async def answer(self, wire: Wire, *, method: str = "POST", key: str = SECRET) -> None:
        scope: Any = {
            "type": "http",
            "method": method,
            "path": "/v1/chat/completions",
            "headers": [
                (b"authorization", b"Bearer " + key.encode()),
                (b"x-stoa-tags", b"night, batch"),
            ],
            "state": {"request_id": SequentialIds().new(), "correlation_id": "c-1"},
        }
        await self.gate.answer(Operation.CHAT, scope, wire.receive, wire.send)

    @property
    def outcome(self) -> tuple[CallStatus, str | None]:
        row = self.ledger.the_row()
        return row.status, row.error_code


def a_request(**fields: Any) -> bytes:
    body = {"model": "large", "messages": [{"role": "user", "content": "hi"}], **fields}
    return json.dumps(body).encode()


async def streamed(house: House, *steps: Step) -> Wire:
    house.provider.stream = Script(*steps)
    wire = Wire(a_request(stream=True))
    await house.answer(wire)
    return wire


async def test_hands_the_providers_answer_out_as_it_is() -> None:
    house, wire = House(), Wire(a_request())

    await house.answer(wire)

    assert (wire.status, wire.body) == (200, house.provider.answer.body)
    assert house.outcome == (CallStatus.SUCCEEDED, None)


async def test_puts_a_body_in_pieces_together() -> None:
    house, whole = House(), a_request()
    wire = Wire(whole[:10], whole[10:20], whole[20:])

    await house.answer(wire)

    assert house.provider.requests[0].body == whole


async def test_streams_the_providers_blocks_as_they_are() -> None:
    wire = await streamed(house := House(), FIRST, DONE)

    assert wire.body == FIRST + DONE
    assert wire.is_complete
    assert house.outcome == (CallStatus.SUCCEEDED, None)


async def test_a_stream_without_a_single_block_is_an_empty_answer() -> None:
    house = House()

    wire = await streamed(house)

    assert (wire.status, wire.body, wire.is_complete) == (200, b"", True)


async def test_a_failure_before_the_first_block_keeps_its_status() -> None:
    wire = await streamed(house := House(), ProviderFailedError("It broke."))

    assert wire.status == 502
    assert json.loads(wire.body)["error"]["message"] == "It broke."
    assert house.outcome == (CallStatus.FAILED, "PROVIDER_ERROR")


async def test_a_failure_in_the_middle_is_told_as_an_event() -> None:
    wire = await streamed(house := House(), FIRST, ProviderFailedError("It broke."))

    events = wire.body.removeprefix(FIRST)
    assert json.loads(events.removeprefix(b"data: "))["error"]["message"] == "It broke."
    assert wire.is_complete
    assert house.outcome == (CallStatus.FAILED, "PROVIDER_ERROR")


async def test_what_nobody_foresaw_in_the_middle_says_nothing_of_the_inside() -> None:
    wire = await streamed(house := House(), FIRST, ZeroDivisionError("the inside"))

    assert b"api_error" in wire.body
    assert b"the inside" not in wire.body
    assert wire.is_complete
    assert house.outcome == (CallStatus.FAILED, "INTERNAL_ERROR")


@pytest.mark.parametrize(
    ("fields", "known"),
    [
        ({"messages": 5, "stream": True}, ("large", True)),
        ({"stream": "yes"}, ("large", False)),
        ({"model": 7, "stream": True}, ("", True)),
        ({"model": "m" * 300}, ("m" * 300, False)),
    ],
    ids=["messages", "stream", "model", "name"],
)
async def test_a_refusal_records_what_could_be_read_and_how_long_it_took(
    fields: dict[str, Any], known: tuple[str, bool]
) -> None:
    house = House()

    await house.answer(Wire(a_request(**fields)))

    row = house.ledger.the_row()
    assert house.outcome == (CallStatus.REFUSED, "VALIDATION_ERROR")
    assert (row.model, row.stream) == known
    assert row.latency_ms is not None
    assert row.latency_ms > 0
    assert row.settled_at is not None
    assert row.created_at < row.settled_at


async def test_keeps_the_connection_alive_while_the_model_thinks() -> None:
    house, thinking = House(), Gate()
    house.provider.stream = Script(thinking, FIRST, DONE)
    thinking.shut()
    wire = Wire(a_request(stream=True))
    task = asyncio.create_task(house.answer(wire))

    await until(lambda: bool(wire.body))
    thinking.open()
    await task

    pings, _, rest = wire.body.partition(b"data: ")
    assert pings.startswith(b": ping\n\n")
    assert b"data: " + rest == FIRST + DONE
    # What the headers could not say any more.
    late = pings.removeprefix(b": ping\n\n" * pings.count(b": ping\n\n")).decode()
    assert late.startswith(f": x-stoa-call-id: {house.ledger.the_row().id}\n")
    assert ": x-stoa-model: large\n: x-stoa-deployment: " in late
    assert late.endswith("\n\n")


async def test_a_failure_after_a_heartbeat_tells_where_it_was() -> None:
    house, thinking = House(), Gate()
    house.provider.working = thinking
    thinking.shut()
    wire = Wire(a_request(stream=True))
    task = asyncio.create_task(house.answer(wire))

    await until(lambda: bool(wire.body))
    thinking.fail(ProviderRejectedError("No."))
    await task

    comments, _, rest = wire.body.partition(b"data: ")
    assert b": x-stoa-attempts: 1\n" in comments
    assert b'"error"' in rest


async def test_a_hang_up_cancels_the_work_and_says_nothing_more() -> None:
    for stream in (False, True):
        house = House()
        house.provider.working.shut()
        wire = Wire(a_request(stream=stream))
        task = asyncio.create_task(house.answer(wire))
        await house.provider.working.reached.wait()

        wire.hang_up()
        await asyncio.wait_for(task, PATIENCE_S)

        assert wire.sent == []
        assert house.outcome == (CallStatus.CANCELLED, "CANCELLED")


async def test_a_hang_up_in_the_middle_of_a_stream_closes_the_providers_stream() -> None:
    house, thinking = House(), Gate()
    house.provider.stream = source = Script(FIRST, thinking, DONE)
    thinking.shut()
    wire = Wire(a_request(stream=True))
    task = asyncio.create_task(house.answer(wire))
    await thinking.reached.wait()

    wire.hang_up()
    await asyncio.wait_for(task, PATIENCE_S)

    assert source.closes == 1
    assert house.outcome == (CallStatus.CANCELLED, "CANCELLED")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_call_that_a_shutdown_cuts_is_told_so(stream: bool) -> None:
    house, wire = House(), Wire(a_request(stream=stream))
    house.provider.working.shut()
    task = asyncio.create_task(house.answer(wire))
    await house.provider.working.reached.wait()

    task.cancel()
    await asyncio.wait_for(task, PATIENCE_S)

    assert wire.status == 503
    assert json.loads(wire.body)["error"]["message"] == "The server is stopping."
    assert house.outcome == (CallStatus.CANCELLED, "CANCELLED")


async def test_a_stream_that_a_shutdown_cuts_ends_with_an_event() -> None:
    house, thinking = House(), Gate()
    house.provider.stream = source = Script(FIRST, thinking, DONE)
    thinking.shut()
    wire = Wire(a_request(stream=True))
    task = asyncio.create_task(house.answer(wire))
    await thinking.reached.wait()

    task.cancel()
    await asyncio.wait_for(task, PATIENCE_S)

    events = wire.body.removeprefix(FIRST)
    assert json.loads(events.removeprefix(b"data: "))["error"]["type"] == "api_error"
    assert wire.is_complete
    assert source.closes == 1
    assert house.outcome == (CallStatus.CANCELLED, "CANCELLED")


async def test_a_client_that_leaves_while_it_is_asking_leaves_no_row() -> None:
    house, wire = House(), Wire()
    wire.hang_up()

    await house.answer(wire)

    assert wire.sent == []
    assert not house.ledger.rows.calls


async def test_a_wrong_request_has_a_row_that_names_its_model() -> None:
    house, wire = House(), Wire(a_request(stream="yes"))

    await house.answer(wire)

    assert wire.status == 400
    assert house.outcome == (CallStatus.REFUSED, "VALIDATION_ERROR")
    assert house.ledger.the_row().tags == ("night", "batch")


async def test_a_body_that_is_too_long_is_refused_before_it_is_read_whole() -> None:
    house, wire = House(), Wire(b"x" * 600, b"x" * 600, b"x" * 600)

    await house.answer(wire)

    assert wire.status == 413
    assert house.outcome == (CallStatus.REFUSED, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"model":"a\xff"}', b'{"model":"a\\ud800"}', b"[" * 900]
)
async def test_a_body_that_cannot_be_read_at_all_is_refused_with_a_row(body: bytes) -> None:
    house, wire = House(), Wire(body)

    await house.answer(wire)

    assert wire.status == 400
    assert house.outcome == (CallStatus.REFUSED, "VALIDATION_ERROR")
    assert house.ledger.the_row().model == ""


@pytest.mark.parametrize("kind", [b'"\xff"', b"1e400"])
async def test_what_the_first_look_at_a_body_passes_over_is_refused_too(kind: bytes) -> None:
    tools = b'"messages":[{"role":"user","content":"x"}],"tools":[{"type":%b}]' % kind
    house, wire = House(), Wire(b'{"model":"large",%b}' % tools)

    await house.answer(wire)

    assert wire.status == 400
    assert house.outcome == (CallStatus.REFUSED, "VALIDATION_ERROR")
    assert house.ledger.the_row().model == "large"


async def test_a_body_of_no_declared_length_is_refused_even_if_it_comes_at_once() -> None:
    house, wire = House(), Wire(b"x" * 1001)

    await house.answer(wire)

    assert wire.status == 413


async def test_a_wrong_key_leaves_no_row() -> None:
    house, wire = House(), Wire(a_request())

    await house.answer(wire, key="sk-stoa-wrong")

    assert wire.status == 401
    assert not house.ledger.rows.calls


async def test_turns_everybody_away_while_it_is_not_ready() -> None:
    house, wire = House(ready=False), Wire(a_request())

    await house.answer(wire)

    assert wire.status == 503
    assert (b"retry-after", b"1") in wire.sent[0]["headers"]


async def test_only_takes_posts() -> None:
    house, wire = House(), Wire()

    await house.answer(wire, method="GET")

    assert wire.status == 405
    assert (b"allow", b"POST") in wire.sent[0]["headers"]


async def test_what_nobody_foresaw_is_on_record_by_the_requests_id() -> None:
    wire = await streamed(house := House(), ZeroDivisionError("the inside"))

    assert wire.status == 500
    assert b"the inside" not in wire.body
    [occurrence] = house.errors.occurrences
    assert (occurrence.id, occurrence.code) == (SequentialIds().new(), "INTERNAL_ERROR")
