import asyncio
from dataclasses import dataclass, field

from application.inference.keeping.ports import KeptAnswer
from application.operations.ports import CallObserver
from application.shared.ports import Clock
from domain.inference.call import Call, CallStatus
from domain.shared.ids import CallId, TeamId

# Whose question it is, and its key.
Place = tuple[TeamId, bytes]


@dataclass(slots=True)
class _Asking:
    """A call whose answer others wait for. ``over`` has the answer that was kept, ``None`` when the
    call ended without. ``heir`` is the one of those who waited that took the place of a call whose
    client left."""

    call: Call
    over: asyncio.Future[KeptAnswer | None]
    began: float
    heir: "_Asking | None" = None


@dataclass(slots=True, kw_only=True)
class SharedAsking(CallObserver):
    """Lets equal calls at the same time, in one process, wait for the answer to the first of them.

    Whoever has waited in vain, because the first failed, got what is not kept or takes too long,
    goes on by itself; when the first one's client left, one of them takes its place.
    """

    clock: Clock
    _by_place: dict[Place, _Asking] = field(default_factory=dict)
    _by_call: dict[CallId, Place] = field(default_factory=dict)

    async def join(self, place: Place, call: Call, patience_s: float) -> KeptAnswer | None:
        """The answer to an equal call, unless that takes longer than the patience from its
        beginning; ``None`` for a call that has to ask a model. Others wait for that if nobody else
        is asking."""
        asking = self._by_place.get(place)
        while asking is not None:
            left = asking.began + patience_s - self.clock.monotonic()
            await asyncio.wait({asking.over}, timeout=max(0.0, left))
            if not asking.over.done():
                return None
            answer = asking.over.result()
            if answer is not None or asking.call.status is not CallStatus.CANCELLED:
                return answer
            # Several wake up, and the first of them may already have its answer.
            asking.heir = asking.heir or self._by_place.get(place)
            if asking.heir is None:
                asking.heir = self._lead(place, call)
                return None
            asking = asking.heir
        self._lead(place, call)
        return None

    def answered(self, call: Call, answer: KeptAnswer) -> None:
        """The call has been answered with what is kept now."""
        self._end(call, answer)

    def observe(self, call: Call) -> None:
        if self._by_call:
            self._end(call, None)

    def _lead(self, place: Place, call: Call) -> _Asking:
        over = asyncio.get_running_loop().create_future()
        asking = _Asking(call, over, self.clock.monotonic())
        self._by_place[place] = asking
        self._by_call[call.id] = place
        return asking

    def _end(self, call: Call, answer: KeptAnswer | None) -> None:
        place = self._by_call.pop(call.id, None)
        if place is None:
            return
        over = self._by_place.pop(place).over
        if not over.done():
            over.set_result(answer)
