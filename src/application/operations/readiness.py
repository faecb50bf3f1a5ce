from dataclasses import dataclass


@dataclass(slots=True)
class Readiness:
    """Whether this process takes requests; the stages of its start and stop keep it current.

    ``reason`` says what is still missing, and is empty when nothing is.
    """

    reason: str = "starting"

    @property
    def ready(self) -> bool:
        return not self.reason

    def wait_for(self, reason: str) -> None:
        self.reason = reason

    def open(self) -> None:
        self.reason = ""
