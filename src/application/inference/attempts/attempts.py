import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from application.inference.attempts.begun_stream import BegunStream, begun
from application.inference.attempts.course import Course
from application.inference.attempts.deployment_limits import DeploymentLimitCheck
from application.inference.attempts.refusals import forget_estimate
from application.inference.attempts.time_limits import within
from application.inference.call_allowances import Reservation
from application.inference.call_in_flight import CallInFlight
from application.inference.ports import (
    ModelProvider,
    ModelProviders,
    ProviderAnswer,
    ProviderRequest,
)
from application.inference.routing.deployments import Deployments, Pulse
from application.inference.routing.ports import Pauses
from domain.models.served_model import DeploymentLimits, ServedModel
from domain.shared.errors import StoaError, TechnicalError

JITTER = 0.5
CANCELLED = "cancelled"

T = TypeVar("T", ProviderAnswer, BegunStream)
Begin = Callable[[ModelProvider, ProviderRequest, CallInFlight], Awaitable[T]]


class Begun(NamedTuple, Generic[T]):
    """An attempt that a deployment has begun to answer."""

    result: T
    model: ServedModel
    pulse: Pulse
    began_ms: float
    reserved: Reservation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """Asks the models of a call's plan until one begins to answer.

    A model that fails makes room for the next one, in the order of the plan; where all had their
    turn, those are asked again whose failure may pass. The client's own mistakes end it at once,
    and so does a client that goes away. Nothing of it is seen by the client, since nothing was sent
    yet.
    """

    providers: ModelProviders
    deployments: Deployments
    limits: DeploymentLimitCheck
    pauses: Pauses

    async def answer(self, flight: CallInFlight) -> ProviderAnswer:
        return await self._in_time(flight, _complete)

    async def stream(self, flight: CallInFlight) -> BegunStream:
        return await self._in_time(flight, _begin)

    async def _in_time(self, flight: CallInFlight, begin: Begin[T]) -> T:
        plan = flight.plan
        if plan.hedge_after_s is None:
            work = self._try_all(flight, begin)
        else:
            work = self._try_two(flight, begin, plan.hedge_after_s)
        if plan.timeouts.total is None:
            return await work
        return await within(plan.timeouts.total, "total", flight, work)

    async def _try_all(self, flight: CallInFlight, begin: Begin[T]) -> T:
        model = flight.plan.first
        try:
            found = await self._attempt(flight, model, begin)
        except StoaError as error:
            course = self._course(flight)
            course.learn(model, error)
            return await self._go_on(flight, begin, course, model)
        return _accepted(flight, found)

    async def _go_on(
        self, flight: CallInFlight, begin: Begin[T], course: Course, model: ServedModel
    ) -> T:
        while (step := course.next()) is not None:
            if step.pause_s:
                await self.pauses.pause(step.pause_s, jitter=JITTER)
            model = step.model
            try:
                return _accepted(flight, await self._attempt(flight, model, begin))
            except StoaError as error:
                course.learn(model, error)
        flight.failed_at(model)
        raise course.verdict

    async def _try_two(self, flight: CallInFlight, begin: Begin[T], after_s: float) -> T:
        """Ask a second model if the first has not begun to answer in time, and take whichever
        begins first; the other one is let go."""
        course = self._course(flight)
        first = flight.plan.first
        tasks: dict[asyncio.Task[Begun[T]], ServedModel]
        tasks = {self._start(flight, first, begin): first}
        winner: Begun[T] | None = None
        try:
            done, _ = await asyncio.wait(tasks, timeout=after_s)
            second = None if done else course.next()
            if second is not None:
                tasks[self._start(flight, second.model, begin)] = second.model
            winner = await _first_to_begin(tasks, course)
        finally:
            for begun in await _let_go(tasks):
                if begun is not winner:
                    await self._discard(flight, begun)
        if winner is None:
            return await self._go_on(flight, begin, course, [*tasks.values()][-1])
        return _accepted(flight, winner)

    def _start(
        self, flight: CallInFlight, model: ServedModel, begin: Begin[T]
    ) -> "asyncio.Task[Begun[T]]":
        return asyncio.create_task(self._attempt(flight, model, begin))

    async def _discard(self, flight: CallInFlight, loser: "Begun[T]") -> None:
        """It had begun to answer when it was no longer wanted."""
        if isinstance(loser.result, BegunStream):
            await loser.result.aclose()
        self.deployments.end(loser.pulse)
        if loser.reserved is not None:
            loser.reserved.settle(flight.call)
        flight.note(loser.model, loser.began_ms, CANCELLED)

    async def _attempt(
        self, flight: CallInFlight, model: ServedModel, begin: Begin[T]
    ) -> "Begun[T]":
        began_ms = flight.elapsed_ms
        reserved: Reservation | None = None
        if model.limits is not None:
            reserved = await self._reserve(flight, model, model.limits, began_ms)
        pulse = self.deployments.of(model)
        self.deployments.begin(pulse)
        flight.awaited = None
        try:
            result = await begin(self.providers.get(model), flight.request_for(model), flight)
        except BaseException as error:
            forget_estimate(flight, error)
            self._end(flight, pulse, began_ms, error)
            if reserved is not None:
                reserved.settle(flight.call)
            raise
        took_ms = flight.elapsed_ms - began_ms
        self.deployments.answered(pulse, took_ms)
        _trace(flight, took_ms)
        return Begun(result, model, pulse, began_ms, reserved)

    async def _reserve(
        self, flight: CallInFlight, model: ServedModel, terms: DeploymentLimits, began_ms: float
    ) -> Reservation:
        estimate = flight.estimate_for(model)
        try:
            return await self.limits.take(flight.call.id, model, terms, estimate)
        except StoaError as error:
            flight.note(model, began_ms, error.code)
            raise

    def _end(
        self, flight: CallInFlight, pulse: Pulse, began_ms: float, error: BaseException
    ) -> None:
        self.deployments.end(pulse)
        outcome = error.code if isinstance(error, StoaError) else TechnicalError.code
        if isinstance(error, asyncio.CancelledError):
            outcome = CANCELLED
        self.deployments.failed(pulse, error)
        flight.note(pulse.model, began_ms, outcome)
        _trace(flight, flight.elapsed_ms - began_ms)

    def _course(self, flight: CallInFlight) -> Course:
        return Course(flight.plan, self.deployments.admits)


async def _complete(
    provider: ModelProvider, request: ProviderRequest, _: CallInFlight
) -> ProviderAnswer:
    return await provider.complete(request)


async def _begin(
    provider: ModelProvider, request: ProviderRequest, flight: CallInFlight
) -> BegunStream:
    seconds = flight.plan.timeouts.first_token
    if seconds is None:
        return await _open(provider, request, flight)
    return await within(seconds, "first_token", flight, _open(provider, request, flight))


async def _open(
    provider: ModelProvider, request: ProviderRequest, flight: CallInFlight
) -> BegunStream:
    source = await provider.open_stream(request)
    flight.awaited = source.report
    return await begun(source)


def _accepted(flight: CallInFlight, begun: "Begun[T]") -> T:
    flight.answered_by(begun.pulse, begun.model, begun.began_ms, begun.reserved)
    return begun.result


def _trace(flight: CallInFlight, took_ms: float) -> None:
    if flight.trace is not None:
        flight.trace.attempts += 1
        flight.trace.upstream_ms += took_ms


async def _first_to_begin(
    tasks: "dict[asyncio.Task[Begun[T]], ServedModel]", course: Course
) -> "Begun[T] | None":
    """The first of them that does not fail; the course learns of those that do."""
    waiting = set(tasks)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        # Of two that begin at once the one that was asked first wins.
        for task in filter(done.__contains__, tasks):
            error = task.exception()
            if error is None:
                return task.result()
            if not isinstance(error, StoaError):
                raise error
            course.learn(tasks[task], error)
    return None


async def _let_go(tasks: "dict[asyncio.Task[Begun[T]], ServedModel]") -> "list[Begun[T]]":
    """End those that still run, and return what had begun all the same."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    return [task.result() for task in tasks if not task.cancelled() and task.exception() is None]
