from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from application.inference.routing.ports import PROBED, DeploymentBoard, DeploymentNews
from application.operations.ports import RuntimeSettings
from application.shared.ports import Clock
from domain.inference.routing.breaker import Breaker, BreakerState, BreakerTerms
from domain.inference.routing.remedy import is_fault
from domain.inference.routing.standing import Standing
from domain.models.served_model import ServedModel
from domain.operations.routing_settings import (
    BREAKER_COOLDOWN_SECONDS,
    BREAKER_ERROR_PERCENT,
    BREAKER_FAILURES,
    BREAKER_LEAST_CALLS,
    BREAKER_WINDOW_SECONDS,
)
from domain.shared.errors import StoaError, TechnicalError

# How much longer than the process that told of it the others leave a deployment alone, as a share
# of the time that it is left alone.
GRACE = 0.2


@dataclass(slots=True)
class Pulse:
    """What this process knows of one deployment. A breaker is there only while there is something
    to count, so that the calls of healthy deployments cost nothing. ``checks`` is how often routes,
    by name, want to have it asked for a sign of life, in seconds."""

    key: str
    model: ServedModel
    standing: Standing = field(default_factory=Standing)
    breaker: Breaker | None = None
    checks: dict[str, int] = field(default_factory=dict)

    def check_every_s(self, usual_s: int) -> int:
        """How often to ask for a sign of life: as routes say, or as is usual."""
        said = self.checks.values()
        return min(filter(None, said), default=0) if said else usual_s


@dataclass(slots=True, kw_only=True)
class Deployments:
    """How all deployments do, as this process saw it and as others told it. Asked at every call, it
    looks at nothing but memory. ``name`` is that of the process.

    Of all processes one at a time tries a deployment that was left alone: who has told of its
    failure goes first, and who tries it tells that, too.
    """

    clock: Clock
    settings: RuntimeSettings
    board: DeploymentBoard
    name: str = ""
    _pulses: dict[str, Pulse] = field(default_factory=dict)
    # What others told of deployments that this process has not asked for anything yet.
    _heard: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.board.follow(self._hear)

    def of(self, model: ServedModel) -> Pulse:
        key = model.deployment if model.owner is None else f"{model.owner}/{model.deployment}"
        pulse = self._pulses.get(key)
        if pulse is None:
            pulse = self._pulses[key] = Pulse(key, model)
            until = self._heard.pop(key, None)
            if until is not None:
                pulse.breaker = Breaker(open_until=until)
        return pulse

    def admits(self, model: ServedModel) -> bool:
        """Whether the deployment may be asked now."""
        breaker = self.of(model).breaker
        return breaker is None or breaker.admits(self.clock.monotonic())

    def wait_s(self, model: ServedModel) -> float:
        """How long until a deployment that is left alone may be asked again."""
        breaker = self.of(model).breaker
        return 0.0 if breaker is None else breaker.wait_s(self.clock.monotonic())

    def begin(self, pulse: Pulse) -> None:
        """A call of the deployment begins; ``end`` has to follow."""
        pulse.standing.running += 1
        if pulse.breaker is not None:
            terms = self.terms()
            if pulse.breaker.begin(self.clock.monotonic(), terms):
                self._tell(pulse, terms.cooldown_s, PROBED)

    def end(self, pulse: Pulse) -> None:
        pulse.standing.running -= 1

    def answered(self, pulse: Pulse, took_ms: float, *, is_stream: bool = True) -> None:
        """The deployment has begun to answer; what is no stream is finished by then."""
        now = self.clock.monotonic()
        pulse.standing.measure(took_ms, now, is_stream=is_stream)
        breaker = pulse.breaker
        if breaker is None:
            return
        terms = self.terms()
        if breaker.succeed(now, terms, began=now - took_ms / 1000):
            self._tell(pulse, None)
        if breaker.is_forgettable(now, terms):
            pulse.breaker = None

    def failed(self, pulse: Pulse, error: BaseException) -> None:
        """A call of the deployment failed, before or after it had begun to answer."""
        if not is_fault(error, pulse.model):
            self.abandoned(pulse)
            return
        now, terms = self.clock.monotonic(), self.terms()
        pulse.standing.fail(now)
        if pulse.breaker is None:
            pulse.breaker = Breaker(window_began=now)
        out_s = pulse.breaker.fail(now, terms)
        if out_s is not None:
            reason = error.code if isinstance(error, StoaError) else TechnicalError.code
            self._tell(pulse, out_s, reason)

    def waited(self, pulse: Pulse, waited_ms: float, *, is_stream: bool = True) -> None:
        """A call of the deployment was let go before it had begun to answer: it takes longer."""
        now = self.clock.monotonic()
        known = pulse.standing.latency(now, is_stream=is_stream)
        if known is not None and known < waited_ms:
            pulse.standing.measure(waited_ms, now, is_stream=is_stream)

    def abandoned(self, pulse: Pulse) -> None:
        """A call of the deployment ended without telling anything about it."""
        if pulse.breaker is not None and pulse.breaker.abandon(self.clock.monotonic()):
            self._tell(pulse, 0.0, PROBED)

    def try_again(self, pulse: Pulse) -> None:
        """The deployment gave a sign of life: the next call may try it."""
        if pulse.breaker is not None and pulse.breaker.open_until is not None:
            pulse.breaker.open_for(self.clock.monotonic(), 0.0)

    def states(self) -> Iterator[tuple[Pulse, BreakerState]]:
        """Those that were asked for anything since the process started."""
        now = self.clock.monotonic()
        for pulse in self._pulses.values():
            breaker = pulse.breaker
            yield pulse, BreakerState.CLOSED if breaker is None else breaker.state(now)

    def terms(self) -> BreakerTerms:
        get = self.settings.get
        return BreakerTerms(
            failures=get(BREAKER_FAILURES),
            error_rate=get(BREAKER_ERROR_PERCENT) / 100,
            least_calls=get(BREAKER_LEAST_CALLS),
            window_s=get(BREAKER_WINDOW_SECONDS),
            cooldown_s=get(BREAKER_COOLDOWN_SECONDS),
        )

    def _tell(self, pulse: Pulse, out_s: float | None, reason: str = "") -> None:
        news = DeploymentNews(deployment=pulse.key, out_s=out_s, reason=reason, by=self.name)
        self.board.announce(news)

    def _hear(self, news: DeploymentNews) -> None:
        if news.by and news.by == self.name:
            return
        pulse, now = self._pulses.get(news.deployment), self.clock.monotonic()
        if news.out_s is not None:
            # Who has told it is the first to try it.
            grace_s = GRACE * self.settings.get(BREAKER_COOLDOWN_SECONDS)
            news = replace(news, out_s=news.out_s + grace_s)
        if pulse is None:
            self._heard.pop(news.deployment, None)
            if news.out_s is not None:
                self._heard[news.deployment] = now + news.out_s
        elif news.out_s is None:
            pulse.breaker = None
        else:
            breaker = pulse.breaker or Breaker(window_began=now)
            if news.reason == PROBED:
                breaker.leave_to_others(now, news.out_s)
            else:
                breaker.open_for(now, news.out_s)
            pulse.breaker = breaker
