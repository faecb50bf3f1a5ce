from typing import Protocol

from domain.shared.ids import CallId


class OnClosed(Protocol):
    def __call__(self, call_id: CallId, *, is_on_record: bool) -> None: ...


class ClosedCalls:
    """Tells of calls whose outcome the ledger has, or will never have. Nobody who listens may block
    or fail."""

    def __init__(self) -> None:
        self._listeners: list[OnClosed] = []

    def listen(self, listener: OnClosed) -> None:
        self._listeners.append(listener)

    def tell(self, call_id: CallId, *, is_on_record: bool) -> None:
        for listener in self._listeners:
            listener(call_id, is_on_record=is_on_record)
