import asyncio
import threading
from typing import Any

import pytest

from adapters.providers.local.admission import Admission
from adapters.providers.local.chat_answer import ChatAnswer
from adapters.providers.local.chat_request import read_chat
from adapters.providers.local.engine import GenerationCall
from adapters.providers.local.generation import Generation
from adapters.providers.local.hosted_model import HostedModel, ModelState
from adapters.providers.local.local_stream import LocalStream
from adapters.providers.local.pieces import UsageTally
from adapters.providers.local.workers import Workers
from domain.inference.errors import (
    ModelLoadingError,
    ProviderBusyError,
    ProviderFailedError,
)
from domain.shared.errors import InvalidError
from tests.fakes.local_models import QUESTION, ScriptedEngine, engine_chunk, read_events

CALL = GenerationCall(chat=True, body={}, prompt_param="messages")
USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 3}}


def generation(engine: ScriptedEngine, admission: Admission | None = None) -> Generation:
    admission = admission or Admission("m", slots=1, queue_size=1)
    return Generation([CALL], engine=engine, admission=admission, workers=Workers())


def stream(engine: ScriptedEngine, **body: Any) -> LocalStream:
    plan = read_chat({"messages": QUESTION} | body, {})
    running = Generation(
        plan.calls,
        engine=engine,
        admission=Admission("m", slots=1, queue_size=1),
        workers=Workers(),
    )
    running.begin()
    answer = ChatAnswer(plan, head={"id": "chatcmpl-1"}, new_call_id=lambda: "call_1")
    tally = UsageTally(counts_prompt=[call.counts_prompt for call in plan.calls])
    return LocalStream(running, answer, tally, request_id="chatcmpl-1", include_usage=True)


async def test_a_stream_translates_chunks_and_keeps_its_report() -> None:
    timings = {"prompt_n": 2, "cache_n": 3, "predicted_n": 1}
    answer = stream(
        ScriptedEngine(
            engine_chunk(prompt_progress={"total": 5, "cache": 3}),
            engine_chunk("Hi", timings=timings),
            engine_chunk(finish="stop"),
            {"choices": [], "usage": USAGE},
        )
    )

    events = await read_events(answer)

    deltas = [(c["delta"], c["finish_reason"]) for e in events for c in e["choices"]]
    assert deltas == [
        ({"role": "assistant", "content": "", "refusal": None}, None),
        ({"content": "Hi"}, None),
        ({}, "stop"),
    ]
    assert events[-1]["usage"]["prompt_tokens_details"] == {"cached_tokens": 3}
    assert (answer.report.finish_reason, answer.report.usage.counted) == ("stop", False)
    assert answer.report.provider_request_id == "chatcmpl-1"


async def test_a_stream_that_is_left_early_has_counted_its_tokens() -> None:
    timings = {"prompt_n": 2, "cache_n": 3, "predicted_n": 7}
    answer = stream(ScriptedEngine(engine_chunk("Hi", timings=timings), endless=True))

    await anext(aiter(answer))
    await answer.aclose()

    usage = answer.report.usage
    assert (usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens) == (5, 3, 7)
    assert usage.counted


async def test_a_stream_without_an_end_is_a_failure() -> None:
    answer = stream(ScriptedEngine(engine_chunk("Hi")))

    with pytest.raises(ProviderFailedError):
        await read_events(answer)


async def test_a_failure_after_the_first_words_ends_the_stream() -> None:
    answer = stream(ScriptedEngine(engine_chunk("Hi"), error=ProviderFailedError("gone")))
    blocks = aiter(answer)

    first = await anext(blocks)

    assert b"Hi" in first
    with pytest.raises(ProviderFailedError, match="gone"):
        await anext(blocks)


async def test_acceptance_raises_what_the_engine_has_against_the_request() -> None:
    refused = generation(ScriptedEngine(error=InvalidError("no", param="messages")))
    refused.begin()

    with pytest.raises(InvalidError, match="no"):
        await refused.accepted(5)


async def test_acceptance_does_not_wait_for_ever() -> None:
    admission = Admission("m", slots=1, queue_size=1)
    first, second = (generation(ScriptedEngine(endless=True), admission) for _ in range(2))
    first.begin()
    await asyncio.sleep(0.01)
    second.begin()

    await second.accepted(0.01)

    await first.aclose()
    await second.aclose()


async def test_a_full_queue_refuses_and_a_cancelled_wait_leaves_it() -> None:
    admission = Admission("m", slots=1, queue_size=1)
    engines = [ScriptedEngine(endless=True) for _ in range(3)]
    first, second, third = (generation(engine, admission) for engine in engines)
    first.begin()
    await first.accepted(0.05)
    second.begin()
    await asyncio.sleep(0)

    with pytest.raises(ProviderBusyError):
        third.begin()
    await second.aclose()
    third.begin()
    await first.aclose()
    await first.aclose()
    await asyncio.sleep(0.05)
    ran = [engine.running for engine in engines]
    await third.aclose()

    assert ran == [0, 0, 1]
    assert admission.waiting == 0
    assert not engines[1].finished


async def test_calls_are_served_in_the_order_of_their_coming() -> None:
    admission = Admission("m", slots=1, queue_size=8)
    served: list[int] = []

    async def call(number: int) -> None:
        async with admission.turn():
            served.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*(call(number) for number in range(5)))

    assert served == [0, 1, 2, 3, 4]


async def test_stopped_workers_abort_what_runs_and_what_comes() -> None:
    workers = Workers()
    running = asyncio.create_task(workers.call(lambda abort: abort.wait(10), name="job"))
    await asyncio.sleep(0.02)

    ended = await asyncio.to_thread(workers.stop, 2)

    assert ended
    assert await running
    assert await workers.call(lambda abort: abort.is_set(), name="late")


def hosted(load: Any, *, timeout_s: float = 5) -> HostedModel[ScriptedEngine]:
    return HostedModel(
        "m",
        load,
        admission=Admission("m", slots=1, queue_size=1),
        workers=Workers(),
        load_timeout_s=timeout_s,
    )


async def test_a_call_waits_for_a_model_that_loads() -> None:
    loaded = ScriptedEngine()
    model = hosted(lambda _: loaded)

    model.start()

    states = [model.status.state]
    engine = await model.engine()
    states.append(model.status.state)
    assert engine is loaded
    assert states == [ModelState.LOADING, ModelState.READY]


async def test_a_stopped_model_is_closed() -> None:
    loaded = ScriptedEngine()
    model = hosted(lambda _: loaded)
    model.start()
    await model.engine()

    await model.stop(1)
    await model.stop(1)

    assert loaded.closed
    with pytest.raises(ProviderFailedError, match="stopping"):
        await model.engine()


async def test_a_call_does_not_wait_longer_than_agreed() -> None:
    model = hosted(lambda abort: abort.wait(10), timeout_s=0.02)
    model.start()

    with pytest.raises(ModelLoadingError) as raised:
        await model.engine()
    await model.stop(1)

    assert raised.value.retry_after
    assert model.status.state is ModelState.STOPPED


@pytest.mark.parametrize(
    ("error", "reason"),
    [(ProviderFailedError("bad file"), "bad file"), (MemoryError("x"), "MemoryError: x")],
    ids=["known", "unknown"],
)
async def test_a_failed_load_says_so_at_every_call(error: Exception, reason: str) -> None:
    def fail(_: threading.Event) -> ScriptedEngine:
        raise error

    model = hosted(fail)
    model.start()

    for _ in range(2):
        with pytest.raises(ProviderFailedError, match=reason):
            await model.engine()
    assert (model.status.state, model.status.reason) == (ModelState.FAILED, reason)
