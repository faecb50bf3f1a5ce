import asyncio
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from application.shared.actor import Actor
from domain.operations.errors import TooManyStreamsError

MOST_PER_PRINCIPAL = 10
RETRY_AFTER_S = 5.0


class OpenStreams:
    """The streams of events that are open in this process: so many for each user, or for each API
    key, and none once the server stops."""

    def __init__(self, most: int = MOST_PER_PRINCIPAL) -> None:
        self._most = most
        self._count: Counter[Hashable] = Counter()
        self.ending = asyncio.Event()

    def end(self) -> None:
        """Let every stream end, so that a server that stops does not wait for them."""
        self.ending.set()

    @contextmanager
    def counted(self, actor: Actor) -> Iterator[None]:
        """Hold a place for as long as a stream is open. Raises ``TooManyStreamsError``."""
        principal = actor.key_id or actor.user_id
        if self._count[principal] >= self._most:
            raise TooManyStreamsError(self._most, retry_after=RETRY_AFTER_S)
        self._count[principal] += 1
        try:
            yield
        finally:
            self._count[principal] -= 1
            if not self._count[principal]:
                del self._count[principal]
