"""Signals that ask the process to stop."""

import contextlib
import signal
from collections.abc import Callable, Iterator, Sequence
from types import FrameType


class StopRequests:
    """How often the process was asked to stop. ``on_request`` hears of each from then on; it runs
    between any two steps of the main thread, so it may do no more than set or signal something."""

    def __init__(self) -> None:
        self.count = 0
        self.on_request: Callable[[], None] | None = None

    def add(self) -> None:
        self.count += 1
        if self.on_request is not None:
            self.on_request()


def stop_signals() -> tuple[signal.Signals, ...]:
    """Ctrl-C, ``kill``, and a terminal that was closed, unless ``nohup`` says to outlive it."""
    wanted = [signal.SIGINT, signal.SIGTERM]
    hang_up = getattr(signal, "SIGHUP", None)
    if hang_up is not None and signal.getsignal(hang_up) is not signal.SIG_IGN:
        wanted.append(hang_up)
    return tuple(wanted)


@contextlib.contextmanager
def stop_requests(signals: Sequence[signal.Signals] | None = None) -> Iterator[StopRequests]:
    """Count the signals instead of raising ``KeyboardInterrupt`` wherever the process happens to
    be."""
    requests = StopRequests()

    def handle(_number: int, _frame: FrameType | None) -> None:
        requests.add()

    previous = {number: signal.signal(number, handle) for number in signals or stop_signals()}
    try:
        yield requests
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
