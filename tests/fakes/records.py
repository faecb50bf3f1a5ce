from copy import deepcopy

from application.shared.ports import AuditTrail, EventLog
from domain.operations.audit import AuditEntry
from domain.operations.event import Event


class InMemoryAuditTrail(AuditTrail):
    def __init__(self, entries: list[AuditEntry]) -> None:
        self._entries = entries

    async def add(self, entry: AuditEntry) -> None:
        self._entries.append(deepcopy(entry))


class InMemoryEventLog(EventLog):
    def __init__(self, events: list[Event]) -> None:
        self._events = events

    async def add(self, event: Event) -> None:
        self._events.append(deepcopy(event))
