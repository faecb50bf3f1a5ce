"""The place for what stands between a call and its providers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from application.inference.interception import AnswerFilter, Interceptor, Passage
from application.inference.model_command import InvokeModelCommand
from application.inference.ports import ProviderAnswer, ProviderStream, StreamReport
from application.inference.routing.plan import Plan
from domain.inference.call import CacheUse, CallStatus, GuardrailVerdict
from domain.inference.errors import ProviderFailedError, ProviderTimedOutError
from domain.models.route import RouteTimeouts
from domain.shared.errors import InvalidError
from tests.fakes.gate import Gate, held_at
from tests.fakes.providers import DONE, USAGE, ScriptedProviderStream
from tests.unit.application.inference.routing.route_scene import RouteScene, a_route, a_target
from tests.unit.application.inference.scene import cancelled

A = a_target("a")
ANSWER = ProviderAnswer(body=b"remembered", usage=USAGE)


@dataclass
class Doing(Interceptor):
    what: Callable[[Passage], None]
    seen: list[Passage] = field(default_factory=list)

    def concerns(self, command: InvokeModelCommand, plan: Plan) -> bool:
        return True

    async def intercept(self, passage: Passage) -> None:
        self.seen.append(passage)
        self.what(passage)


class Brooding(AnswerFilter, ProviderStream):
    """Keeps everything back until all is there."""

    def __init__(self, source: ProviderStream | None = None) -> None:
        self._source = source or ScriptedProviderStream()

    async def answer(self, answer: ProviderAnswer) -> ProviderAnswer:
        return answer

    def stream(self, source: ProviderStream) -> ProviderStream:
        return Brooding(source)

    @property
    def report(self) -> StreamReport:
        return self._source.report

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"".join([block async for block in self._source])

    async def aclose(self) -> None:
        await self._source.aclose()


class Shouting(AnswerFilter, ProviderStream):
    """Makes everything that comes out loud, and cannot stand ``swear``."""

    def __init__(self, source: ProviderStream | None = None) -> None:
        self._source = source or ScriptedProviderStream()

    async def answer(self, answer: ProviderAnswer) -> ProviderAnswer:
        return replace(answer, body=self._loud(answer.body))

    def stream(self, source: ProviderStream) -> ProviderStream:
        return Shouting(source)

    @property
    def report(self) -> StreamReport:
        return self._source.report

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for block in self._source:
            yield self._loud(block)

    async def aclose(self) -> None:
        await self._source.aclose()

    def _loud(self, words: bytes) -> bytes:
        if b"swear" in words:
            raise InvalidError("It swore.")
        return words.upper() + b"!"


def a_scene(what: Callable[[Passage], None]) -> RouteScene:
    return RouteScene(A, a_route("a"), interceptors=(Doing(what),))


def remember(passage: Passage) -> None:
    passage.call.cache, passage.call.saved = CacheUse.HIT, Decimal("0.5")
    passage.instead = ScriptedProviderStream(b"re", b"played") if passage.command.stream else ANSWER


def shout(passage: Passage) -> None:
    passage.filters.append(Shouting())


def shout_twice(passage: Passage) -> None:
    passage.filters += [Shouting(), Shouting()]


def refuse(passage: Passage) -> None:
    passage.call.guardrails = (GuardrailVerdict(stage="input", rule="denied", action="refused"),)
    raise InvalidError("Not that.")


def rewrite(passage: Passage) -> None:
    passage.body = b"rewritten"


def nothing(_passage: Passage) -> None:
    """Let it pass."""


async def test_a_call_may_be_refused_with_the_reason_on_its_row() -> None:
    scene = a_scene(refuse)

    with pytest.raises(InvalidError):
        await scene.ask()

    assert scene.row.status is CallStatus.REFUSED
    assert [verdict.rule for verdict in scene.row.guardrails] == ["denied"]
    assert scene.asked() == {}


async def test_a_body_may_be_rewritten() -> None:
    scene = a_scene(rewrite)

    await scene.ask()
    await scene.ask(trace=None)

    assert [request.body for request in scene.providers["a"].requests] == [b"rewritten"] * 2


async def test_an_answer_may_be_there_already_and_costs_nothing() -> None:
    later = Doing(nothing)
    scene = RouteScene(A, a_route("a"), interceptors=(Doing(remember), later))

    assert await scene.ask() == "remembered"
    assert (scene.row.status, scene.row.cache) == (CallStatus.SUCCEEDED, CacheUse.HIT)
    assert (scene.row.cost, scene.row.saved) == (Decimal(0), Decimal("0.5"))
    assert (scene.row.deployment, scene.row.usage) == (None, USAGE)
    assert scene.asked() == {}
    assert later.seen == []


async def test_a_stream_may_be_there_already() -> None:
    scene = a_scene(remember)

    assert await scene.relay() == [b"re", b"played"]
    assert (scene.row.cost, scene.row.cache) == (Decimal(0), CacheUse.HIT)


async def test_what_stands_in_has_to_be_of_the_sort_that_was_asked_for() -> None:
    def mistake(passage: Passage) -> None:
        passage.instead = ANSWER if passage.command.stream else ScriptedProviderStream(b"x")

    scene = a_scene(mistake)

    with pytest.raises(TypeError):
        await scene.ask()
    with pytest.raises(TypeError):
        await scene.stream()
    assert scene.row.error_code == "INTERNAL_ERROR"


async def test_answers_pass_the_filters_from_the_last_to_the_first() -> None:
    scene = a_scene(shout_twice)

    assert await scene.ask() == "A!!"
    assert await scene.relay() == [b"A!!", DONE.upper() + b"!!"]
    assert scene.row.usage == USAGE


async def test_a_filter_may_stop_an_answer() -> None:
    scene = a_scene(shout)
    scene.feel(a=ScriptedProviderStream(b"fine", b"swear"))

    with pytest.raises(InvalidError):
        await scene.relay()

    assert (scene.row.status, scene.row.error_code) == (CallStatus.FAILED, "VALIDATION_ERROR")
    assert scene.providers["a"].streams[0].closes == 1


async def test_a_filter_may_stop_a_stream_before_it_begins() -> None:
    scene = a_scene(shout)
    scene.feel(a=ScriptedProviderStream(b"swear"))

    with pytest.raises(InvalidError):
        await scene.stream()

    assert scene.row.status is CallStatus.FAILED
    assert scene.row.usage is not None
    assert scene.providers["a"].streams[0].closes >= 1


async def test_a_stream_without_a_block_passes_too() -> None:
    scene = a_scene(shout)
    scene.feel(a=ScriptedProviderStream())

    assert await scene.relay() == []
    assert scene.row.status is CallStatus.SUCCEEDED


async def test_a_client_that_leaves_while_a_filter_waits_has_cancelled() -> None:
    thinking = Gate()

    def hold(passage: Passage) -> None:
        passage.filters.append(Buffering())

    scene = a_scene(hold)
    scene.feel(a=ScriptedProviderStream(b"one", thinking, b"two"))
    task = await held_at(thinking, scene.stream())

    await cancelled(task)

    assert scene.row.status is CallStatus.CANCELLED
    assert scene.providers["a"].streams[0].closes >= 1


class Buffering(Shouting):
    """Lets nothing through before it has seen all."""

    def stream(self, source: ProviderStream) -> ProviderStream:
        return Buffering(source)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"".join([block async for block in self._source])


async def test_what_breaks_behind_a_filter_fails_the_call() -> None:
    scene = a_scene(shout)
    scene.feel(a=ScriptedProviderStream(b"one", ProviderFailedError("It broke.")))

    with pytest.raises(ProviderFailedError):
        await scene.relay()

    assert scene.row.error_code == "PROVIDER_ERROR"


async def test_a_filter_that_keeps_everything_back_keeps_no_time_limit_from_ending() -> None:
    limits = RouteTimeouts(between_tokens=0.02)
    brooding = Doing(lambda passage: passage.filters.append(Brooding()))
    scene = RouteScene(A, a_route("a", timeouts=limits), interceptors=(brooding,))
    stuck = Gate()
    stuck.shut()
    scene.feel(a=ScriptedProviderStream(b"one", stuck))

    with pytest.raises(ProviderTimedOutError, match="said nothing"):
        await asyncio.wait_for(scene.relay(), 10)

    assert scene.row.error_code == "PROVIDER_TIMEOUT"
    assert scene.providers["a"].streams[0].closes
