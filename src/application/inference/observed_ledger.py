from dataclasses import dataclass

from application.inference.ports import Ledger, WriteAhead
from application.operations.ports import CallObserver
from domain.inference.call import Call


@dataclass(frozen=True, slots=True)
class ObservedLedger(Ledger):
    """A ledger that shows every outcome to some observers, so that no path can forget to."""

    ledger: Ledger
    observers: tuple[CallObserver, ...]

    def open(self, call: Call) -> WriteAhead:
        return self.ledger.open(call)

    def settle(self, call: Call) -> None:
        for observer in self.observers:
            observer.observe(call)
        self.ledger.settle(call)

    async def record(self, call: Call) -> None:
        for observer in self.observers:
            observer.observe(call)
        await self.ledger.record(call)

    async def flush(self, timeout_s: float) -> int:
        return await self.ledger.flush(timeout_s)
