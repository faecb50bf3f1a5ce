from adapters.dialects.failures import Failures
from domain.inference.errors import ProviderFailedError
from domain.shared.errors import StoaError


class WireFailures(Failures):
    """Says of every failure that the provider 'acme' had it; keeps the bodies."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def of_body(self, body: bytes) -> StoaError:
        self.bodies.append(body)
        return ProviderFailedError("The provider 'acme' failed.")

    def no_answer(self, what: str) -> ProviderFailedError:
        return ProviderFailedError(f"The provider 'acme' {what}.")
