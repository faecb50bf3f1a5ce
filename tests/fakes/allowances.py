from decimal import Decimal

from application.inference.call_allowances import AllowanceCheck, AllowanceRequest, Reservation
from domain.inference.call import Call
from domain.models.served_model import ServedModel
from tests.fakes.gate import Gate


class RecordedReservation(Reservation):
    """Remembers how it ended; a second end fails the test."""

    def __init__(self) -> None:
        self.settled: Call | None = None
        self.released = False

    def covers(self, model: ServedModel, spent: Decimal) -> bool:
        return True

    def settle(self, call: Call) -> None:
        assert self.is_open
        self.settled = call

    def release(self) -> None:
        assert self.is_open
        self.released = True

    @property
    def is_open(self) -> bool:
        return self.settled is None and not self.released


class RecordingCheck(AllowanceCheck):
    """Admits everything that ``asked`` lets pass, and keeps what it was asked and gave."""

    def __init__(self) -> None:
        self.asked = Gate()
        self.requests: list[AllowanceRequest] = []
        self.reservations: list[RecordedReservation] = []

    async def admit(self, request: AllowanceRequest) -> Reservation | None:
        self.requests.append(request)
        await self.asked.passed()
        self.reservations.append(RecordedReservation())
        return self.reservations[-1]
