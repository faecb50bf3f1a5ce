"""Calling one provider over HTTP: what all wire formats have in common."""

from collections.abc import Iterable, Mapping
from importlib.metadata import version

from adapters.providers.failures.failure import FailureParser
from adapters.providers.failures.mapping import ErrorMapping
from adapters.providers.transport.endpoint import Endpoint, Timeouts
from adapters.providers.transport.transport import Transport, UpstreamRequest, UpstreamResponse
from domain.shared.errors import InvalidError, StoaError

JSON, SSE = "application/json", "text/event-stream"
MAX_ANSWER_BYTES = 64 * 1024 * 1024
_MAX_ERROR_BYTES = 256 * 1024
_MIN_SECRET_HEADER = 8
_RESERVED = frozenset({"host", "content-length", "transfer-encoding", "connection", "expect"})


class ProviderClient:
    """Sends requests to one provider and turns its refusals into errors of the domain.

    ``credentials`` are the headers that let the gateway in, ``headers`` the operator's own, which
    win; whatever is long enough to be a secret in either is masked in messages, and so are
    ``secrets``. ``request_id_header`` is where the provider names a request. The transport belongs
    to the client, which closes it.
    """

    def __init__(
        self,
        *,
        name: str,
        transport: Transport,
        parse: FailureParser,
        credentials: Mapping[str, str],
        secrets: Iterable[str] = (),
        headers: Mapping[str, str] | None = None,
        timeouts: Timeouts | None = None,
        request_id_header: str = "x-request-id",
    ) -> None:
        """Raises ``InvalidError`` for a header that the gateway sets itself."""
        extra = {key.lower(): value for key, value in (headers or {}).items()}
        reserved = _RESERVED.intersection(extra)
        if reserved:
            raise InvalidError(
                f"The header '{min(reserved)}' is set by the gateway itself.", param="headers"
            )
        hidden = [v for v in (*extra.values(), *credentials.values()) if _is_secret(v)]
        self.name = name
        self.errors = ErrorMapping(name, [*hidden, *secrets], parse)
        self._transport = transport
        self._timeouts = timeouts or Timeouts()
        self._request_id_header = request_id_header
        self._sent = {"accept-encoding": "identity", "user-agent": f"stoa/{version('stoa')}"}
        self._given = dict(credentials) | extra

    def endpoint(
        self,
        url: str,
        *,
        accept: str = JSON,
        content_type: str | None = JSON,
        method: str = "POST",
    ) -> Endpoint:
        """Build once and keep. A ``content_type`` of ``None`` leaves it to each request. Raises
        ``InvalidError`` for a URL or a header that cannot be sent."""
        own = {"accept": accept} | ({} if content_type is None else {"content-type": content_type})
        return Endpoint.parse(
            url,
            peer=self.name,
            headers=own | self._sent | self._given,
            timeouts=self._timeouts,
            method=method,
        )

    async def send(
        self,
        endpoint: Endpoint,
        body: bytes,
        correlation_id: str,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> UpstreamResponse:
        """The head of an answer that is no failure."""
        response = await self._transport.send(
            UpstreamRequest(endpoint, body, (("x-correlation-id", correlation_id), *headers))
        )
        if 200 <= response.status < 300:  # noqa: PLR2004
            return response
        error = await self._failure(response)
        error.provider_request_id = self.request_id(response)
        raise error

    def request_id(self, response: UpstreamResponse) -> str | None:
        return response.header(self._request_id_header)

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def _failure(self, response: UpstreamResponse) -> StoaError:
        status = response.status
        if status < 400:  # noqa: PLR2004
            await response.aclose()
            return self.errors.no_answer(f"answered with a redirect (HTTP {status})")
        return self.errors.of_status(status, response.header, await _error_body(response))


async def _error_body(response: UpstreamResponse) -> bytes:
    try:
        return await response.read(_MAX_ERROR_BYTES)
    except StoaError:
        # The status says enough; a failure that cannot even be read to its end is still that one.
        await response.aclose()
        return b""


def _is_secret(value: str) -> bool:
    return len(value) >= _MIN_SECRET_HEADER
