from typing import Protocol

from domain.inference.errors import ProviderFailedError
from domain.shared.errors import StoaError


class Failures(Protocol):
    """What one provider's failures are called, without its secrets."""

    def of_body(self, body: bytes) -> StoaError:
        """For an error that came where an answer should have been."""
        ...

    def no_answer(self, what: str) -> ProviderFailedError:
        """``what`` goes on behind the provider's name: "answered with …"."""
        ...
