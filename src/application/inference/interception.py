"""The place for what stands between a call and its providers: a cache of answers, guardrails."""

from dataclasses import dataclass, field
from typing import Protocol

from application.inference.model_command import InvokeModelCommand
from application.inference.ports import ProviderAnswer, ProviderStream
from application.inference.routing.plan import Plan
from domain.inference.call import Call


class AnswerFilter(Protocol):
    """Sees what comes out before the client does, and may change it.

    What it raises ends the call as a failure of that kind. It belongs to one call.
    """

    async def answer(self, answer: ProviderAnswer) -> ProviderAnswer:
        """The answer as the client shall get it."""
        ...

    def stream(self, source: ProviderStream) -> ProviderStream:
        """The stream as the client shall get it. Its report is what the call is charged by, and
        closing it closes the source."""
        ...


@dataclass(slots=True, kw_only=True)
class Passage:
    """A call that may be made, before anything was set aside for it.

    ``body`` is what the provider will get, and may be replaced. ``instead`` is what the client gets
    without any provider being asked: an answer, or a stream where one was asked for; nothing is set
    aside or charged for it if the row's ``cache`` says where it came from. ``filters`` see what
    comes out, the last one first, also of what is there ``instead``. ``call`` is the row in the
    making, for ``cache``, ``saved``, ``guardrails`` and what else is to be on record.
    """

    command: InvokeModelCommand
    plan: Plan
    call: Call
    body: bytes
    instead: ProviderAnswer | ProviderStream | None = None
    filters: list[AnswerFilter] = field(default_factory=list)


class Interceptor(Protocol):
    """Looks at calls that may be made."""

    def concerns(self, command: InvokeModelCommand, plan: Plan) -> bool:
        """Whether it has to see this call. It is asked at every call, so it looks at nothing but
        memory."""
        ...

    async def intercept(self, passage: Passage) -> None:
        """Let it pass, change it or answer it by changing the passage; or refuse it by raising a
        ``StoaError``, with which the call is on record as refused. May take time."""
        ...


@dataclass(frozen=True, slots=True)
class Interception:
    """All interceptors, in the order in which they see a call. Those behind one that answered are
    not asked. A call that concerns none of them pays nothing for them."""

    interceptors: tuple[Interceptor, ...] = ()

    def concerned(self, command: InvokeModelCommand, plan: Plan) -> list[Interceptor]:
        """Those that have to see the call."""
        return [one for one in self.interceptors if one.concerns(command, plan)]

    async def intercept(self, passage: Passage, concerned: list[Interceptor]) -> None:
        for interceptor in concerned:
            await interceptor.intercept(passage)
            if passage.instead is not None:
                return
