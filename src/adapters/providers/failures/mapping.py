from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from adapters.providers.failures.failure import Failure, FailureParser
from domain.inference.errors import (
    ContextLengthExceededError,
    ProviderBusyError,
    ProviderCredentialsError,
    ProviderFailedError,
    ProviderRateLimitedError,
    ProviderRejectedError,
    ProviderTimedOutError,
)
from domain.shared.errors import StoaError

Header = Callable[[str], str | None]
_CLIENT_ERRORS = range(400, 500)
# "Failed dependency": the provider's own service was asked in vain.
_MODEL_FAILED = 424
_MAY_BE_CONTEXT = frozenset({400, 413, 422, 500})
_MIN_SECRET = 4
# Longer than a quota of a day lasts; who asks for more is confused.
_LONGEST_WAIT_S = 86_400.0


class ErrorMapping:
    """Turns the failures of one provider into the errors of the domain, its secrets masked.

    ``parse`` reads the wire format that the provider has for failures.
    """

    def __init__(self, peer: str, secrets: Iterable[str], parse: FailureParser) -> None:
        self._peer = peer
        self._parse = parse
        # Longest first, so that no secret survives as the rest of another that begins it.
        self._secrets = sorted((s for s in secrets if len(s) >= _MIN_SECRET), key=len, reverse=True)

    def of_status(self, status: int, header: Header, body: bytes) -> StoaError:
        return self._noted(self._classify(status, header, self._parse(body)), status, body)

    def of_body(self, body: bytes) -> StoaError:
        """For an error that came without a status of its own: in a 200, or inside a stream."""
        failure = self._parse(body)
        status = failure.status
        return self._noted(self._classify(status, _no_header, failure), status, body)

    def no_answer(self, what: str) -> ProviderFailedError:
        return ProviderFailedError(f"The provider '{self._peer}' {what}.")

    def mask(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "[MASKED]")
        return text

    def _classify(self, status: int, header: Header, failure: Failure) -> StoaError:
        if status in _MAY_BE_CONTEXT and failure.is_context_length:
            return ContextLengthExceededError(self._words(failure, status), param="messages")
        if status in (401, 403) or failure.is_of_credentials:
            return ProviderCredentialsError(
                f"The provider '{self._peer}' refused the gateway's credentials."
            )
        if status == 402 or (status == 429 and failure.is_out_of_quota):  # noqa: PLR2004
            return ProviderCredentialsError(
                f"The gateway's account at the provider '{self._peer}' has no quota left."
            )
        if status in (408, 504):
            return ProviderTimedOutError(f"The provider '{self._peer}' did not answer in time.")
        if status == 429:  # noqa: PLR2004
            return ProviderRateLimitedError(
                f"The provider '{self._peer}' limits the rate of requests.",
                retry_after=_wait(header, failure),
            )
        return self._rejected_or_failed(status, header, failure)

    def _rejected_or_failed(self, status: int, header: Header, failure: Failure) -> StoaError:
        if status in (404, 405):
            # Address and model are the operator's choice, so no caller can do anything about it.
            return ProviderFailedError(
                f"The provider '{self._peer}' does not know the model or the address that the "
                f"gateway asks for (HTTP {status})."
            )
        if status in _CLIENT_ERRORS and status != _MODEL_FAILED:
            return ProviderRejectedError(
                self._words(failure, status),
                param=self._masked(failure.param),
                provider_type=self._masked(failure.type),
                provider_code=self._masked(failure.code),
            )
        if status in (503, 529):
            return ProviderBusyError(
                f"The provider '{self._peer}' is overloaded.",
                retry_after=_wait(header, failure),
            )
        return ProviderFailedError(
            f"The provider '{self._peer}' failed (HTTP {status}).", may_pass=True
        )

    def _words(self, failure: Failure, status: int) -> str:
        return self.mask(failure.message) or (
            f"The provider '{self._peer}' refused the request (HTTP {status})."
        )

    def _masked(self, word: str | None) -> str | None:
        return None if word is None else self.mask(word)

    def _noted(self, error: StoaError, status: int, body: bytes) -> StoaError:
        # For the operator's log only: a note is no part of the message that callers see. The
        # provider's sentences stay out of it, since they may repeat the prompt, and so does all
        # that is said about credentials, which may repeat them in part.
        if not isinstance(error, ProviderCredentialsError):
            terms = [self.mask(w) for w in self._parse(body).terms]
            error.add_note(" ".join([f"HTTP {status}", *terms]))
        return error


def retry_after(header: Header) -> float | None:
    """Seconds, from ``retry-after-ms`` or ``retry-after`` as a number or a date.

    A date counts from the answer's own ``date``, so that the two clocks need not agree.
    """
    for name, per_second in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = header(name)
        if value is not None and value.strip().replace(".", "", 1).isdecimal():
            return float(value) / per_second
    sent, until = _date(header("date")), _date(header("retry-after"))
    if sent is None or until is None:
        return None
    return max(0.0, (until - sent).total_seconds())


def _wait(header: Header, failure: Failure) -> float | None:
    asked = retry_after(header)
    wait = failure.retry_after if asked is None else asked
    return None if wait is None else min(wait, _LONGEST_WAIT_S)


def _date(value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _no_header(_: str) -> str | None:
    return None
