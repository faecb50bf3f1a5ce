import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from application.inference.attempts.begun_stream import BegunStream, begun
from application.inference.attempts.course import Course, Step
from application.inference.attempts.deployment_limits import (
    DeploymentLimitCheck,
    DeploymentReservation,
)
from application.inference.attempts.race import first_to_begin, let_go
from application.inference.attempts.time_limits import punctual, within
from application.inference.attempts.trial import Trial, was_at_it
from application.inference.call_in_flight import CANCELLED, CallInFlight
from application.inference.ports import (
    ModelProvider,
    ModelProviders,
    ProviderAnswer,
    ProviderRequest,
)
from application.inference.routing.deployments import Deployments
from application.inference.routing.ports import Pauses
from domain.inference.errors import ProviderTimedOutError
from domain.models.served_model import DeploymentLimits, ServedModel
from domain.shared.errors import StoaError, TechnicalError

LET_GO = CANCELLED.lower()

T = TypeVar("T", ProviderAnswer, BegunStream)
Begin = Callable[[ModelProvider, ProviderRequest, Trial], Awaitable[T]]


class Begun(NamedTuple, Generic[T]):
    """An attempt that a deployment has begun to answer."""

    result: T
    trial: Trial


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

    # Not a coroutine of its own, like all that every call goes through and nothing happens in.
    def answer(self, flight: CallInFlight) -> Coroutine[Any, Any, ProviderAnswer]:
        return self._in_time(flight, _complete)

    def stream(self, flight: CallInFlight) -> Coroutine[Any, Any, BegunStream]:
        limits = flight.plan.timeouts
        work = self._in_time(flight, _begin)
        if limits.between_tokens is None and limits.total is None:
            return work
        return _punctual(flight, work)

    def _in_time(self, flight: CallInFlight, begin: Begin[T]) -> Coroutine[Any, Any, T]:
        plan = flight.plan
        if plan.hedge_after_s is None:
            work = self._try_all(flight, begin)
        else:
            work = self._try_two(flight, begin, plan.hedge_after_s)
        if plan.timeouts.total is None:
            return work
        return within(plan.timeouts.total, "total", flight, work)

    async def _try_all(self, flight: CallInFlight, begin: Begin[T]) -> T:
        course, model = self._first(flight)
        try:
            found = await self._attempt(flight, model, begin)
        except StoaError as error:
            course = course or self._course(flight)
            course.learn(model, error)
            return await self._go_on(flight, begin, course)
        return _accepted(flight, found)

    def _first(self, flight: CallInFlight) -> tuple[Course | None, ServedModel]:
        """Much may have happened since the plan was made: many calls may have been planned for a
        deployment that only one is to try."""
        plan = flight.plan
        if plan.reason is None or self.deployments.admits(plan.first):
            return None, plan.first
        course = self._course(flight)
        step = course.next()
        return course, plan.first if step is None else step.model

    async def _go_on(self, flight: CallInFlight, begin: Begin[T], course: Course) -> T:
        while (step := course.next()) is not None and _is_in_time(flight, step):
            if not flight.affords(step.model):
                break
            if step.pause is not None:
                await self.pauses.pause(*step.pause)
            try:
                return _accepted(flight, await self._attempt(flight, step.model, begin))
            except StoaError as error:
                course.learn(step.model, error)
        raise course.verdict

    async def _try_two(self, flight: CallInFlight, begin: Begin[T], after_s: float) -> T:
        """Ask a second model if the first has not begun to answer in time, and take whichever
        begins first; the other one is let go."""
        course, first = self._first(flight)
        course = course or self._course(flight)
        tasks: dict[asyncio.Task[Begun[T]], ServedModel]
        tasks = {self._start(flight, first, begin): first}
        winner: asyncio.Task[Begun[T]] | None = None
        try:
            done, _ = await asyncio.wait(tasks, timeout=after_s)
            second = None if done else course.next()
            if second is not None:
                tasks[self._start(flight, second.model, begin)] = second.model
            winner = await first_to_begin(tasks, course)
        finally:
            is_cancelled = await let_go(tasks)
            unwanted = [task for task in tasks if task is not winner or is_cancelled]
            await self._discard([task.result() for task in unwanted if _has_begun(task)])
            if is_cancelled:
                raise asyncio.CancelledError
        if winner is None:
            return await self._go_on(flight, begin, course)
        return _accepted(flight, winner.result())

    def _start(
        self, flight: CallInFlight, model: ServedModel, begin: Begin[T]
    ) -> "asyncio.Task[Begun[T]]":
        return asyncio.create_task(self._attempt(flight, model, begin))

    async def _discard(self, unwanted: list[Begun[Any]]) -> None:
        """They had begun to answer when they were no longer wanted; their providers bill that."""
        for result, trial in unwanted:
            report = result.report if isinstance(result, BegunStream) else result
            self.deployments.end(trial.pulse)
            trial.end(LET_GO, report.usage, is_cut_off=False)
        for result, _ in unwanted:
            if isinstance(result, BegunStream):
                await result.aclose()

    async def _attempt(
        self, flight: CallInFlight, model: ServedModel, begin: Begin[T]
    ) -> "Begun[T]":
        trial = Trial(flight, model, self.deployments.of(model), flight.elapsed_ms)
        if model.limits is not None:
            trial.reserved = await self._reserve(trial, model.limits)
        self.deployments.begin(trial.pulse)
        try:
            result = await begin(self.providers.get(model), flight.request_for(model), trial)
        except BaseException as error:
            self._end(trial, error)
            raise
        took_ms = trial.took_ms
        self.deployments.answered(trial.pulse, took_ms, is_stream=flight.command.stream)
        _trace(flight, took_ms)
        return Begun(result, trial)

    async def _reserve(self, trial: Trial, terms: DeploymentLimits) -> DeploymentReservation:
        flight, model = trial.flight, trial.model
        estimate = flight.estimate_for(model)
        try:
            return await self.limits.take(flight.call.id, model, terms, estimate)
        except StoaError as error:
            flight.note(model, trial.began_ms, error.code, is_asked=False)
            raise

    def _end(self, trial: Trial, error: BaseException) -> None:
        took_ms = trial.took_ms
        spent, is_cut_off = trial.spent(error), was_at_it(error)
        if isinstance(error, asyncio.CancelledError):
            is_stream = trial.flight.command.stream
            self.deployments.waited(trial.pulse, took_ms, is_stream=is_stream)
            if _took_all_the_time(trial.flight, took_ms):
                error = ProviderTimedOutError("The time of the call was over.")
        self.deployments.end(trial.pulse)
        self.deployments.failed(trial.pulse, error)
        outcome = error.code if isinstance(error, StoaError) else TechnicalError.code
        if isinstance(error, asyncio.CancelledError):
            outcome = LET_GO
        trial.end(outcome, spent, is_cut_off=is_cut_off)
        _trace(trial.flight, took_ms)

    def _course(self, flight: CallInFlight) -> Course:
        return Course(flight.plan, self.deployments.admits)


def _complete(
    provider: ModelProvider, request: ProviderRequest, _: Trial
) -> Awaitable[ProviderAnswer]:
    return provider.complete(request)


def _begin(
    provider: ModelProvider, request: ProviderRequest, trial: Trial
) -> Coroutine[Any, Any, BegunStream]:
    seconds = trial.flight.plan.timeouts.first_token
    work = _open(provider, request, trial)
    return work if seconds is None else within(seconds, "first_token", trial.flight, work)


async def _open(provider: ModelProvider, request: ProviderRequest, trial: Trial) -> BegunStream:
    trial.source = await provider.open_stream(request)
    return await begun(trial.source)


async def _punctual(flight: CallInFlight, work: Coroutine[Any, Any, BegunStream]) -> BegunStream:
    stream = await work
    stream.rest = punctual(stream.rest, flight.plan.timeouts, flight)
    return stream


def _accepted(flight: CallInFlight, begun: Begun[T]) -> T:
    trial = begun.trial
    flight.answered_by(trial.pulse, trial.model, trial.began_ms, trial.reserved)
    return begun.result


def _has_begun(task: "asyncio.Task[Begun[T]]") -> bool:
    return not task.cancelled() and task.exception() is None


def _trace(flight: CallInFlight, took_ms: float) -> None:
    trace = flight.command.trace
    if trace is not None:
        trace.attempts += 1
        trace.upstream_ms += took_ms


def _is_in_time(flight: CallInFlight, step: Step) -> bool:
    """Whether the pause before the step is over before the time of the call is."""
    total = flight.plan.timeouts.total
    if total is None or step.pause is None:
        return True
    return flight.elapsed_ms / 1000 + step.pause.least_s < total


def _took_all_the_time(flight: CallInFlight, took_ms: float) -> bool:
    """Whether an attempt was cut off because the time of the call was over, and had most of it."""
    total = flight.plan.timeouts.total
    if total is None or flight.elapsed_ms < total * 1000:
        return False
    return took_ms >= total * 1000 / 2
