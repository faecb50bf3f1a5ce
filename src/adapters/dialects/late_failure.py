from collections.abc import Iterable

from domain.inference.conversation.events import StreamEvent
from domain.shared.errors import StoaError


class LateFailure:
    """Lets the events that came before a failure in the same bytes go first: the failure is raised
    by the next call."""

    def __init__(self) -> None:
        self._failure: StoaError | None = None

    def check(self) -> None:
        """Raise what is due."""
        if self._failure is not None:
            raise self._failure

    def gather(self, events: Iterable[StreamEvent]) -> list[StreamEvent]:
        """The events up to a failure, which is raised at once only where there are none."""
        seen: list[StreamEvent] = []
        try:
            seen.extend(events)
        except StoaError as error:
            if not seen:
                raise
            self._failure = error
        return seen
