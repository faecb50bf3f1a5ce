from collections.abc import Callable, Coroutine
from typing import Any

from adapters.providers.http_client import JSON, SSE, ProviderClient
from adapters.providers.transport.endpoint import Endpoint
from adapters.providers.transport.transport import UpstreamResponse
from application.inference.ports import Operation, ProviderRequest
from domain.models.served_model import ServedModel

# Where an operation of a model is.
Address = Callable[[Operation, ServedModel], str]
# For answers that are no JSON: sound, subtitles.
ANYTHING = "*/*"


def addresses_under(base_url: str) -> Address:
    """The query of a base URL (Azure's ``api-version``) goes behind the operation's path."""
    path, mark, query = base_url.partition("?")
    urls = {
        operation: f"{path.rstrip('/')}/{operation.value}{mark}{query}" for operation in Operation
    }

    def address(operation: Operation, _: ServedModel) -> str:
        return urls[operation]

    return address


class Caller:
    """Sends the operations of one provider to where they are."""

    def __init__(self, client: ProviderClient, address: Address) -> None:
        self.client = client
        self.errors = client.errors
        self._address = address
        self._endpoints: dict[tuple[str, str, str | None], Endpoint] = {}

    # Not a coroutine of its own, like all that every call goes through and nothing happens in.
    def send(
        self, endpoint: Endpoint, request: ProviderRequest, body: bytes, content_type: str = JSON
    ) -> Coroutine[Any, Any, UpstreamResponse]:
        """Awaiting it raises the error that a refusal means."""
        own = () if content_type == JSON else (("content-type", content_type),)
        return self.client.send(endpoint, body, request.correlation_id, own)

    def endpoint(
        self, request: ProviderRequest, accept: str | None = None, content_type: str = JSON
    ) -> Endpoint:
        """Where the request goes."""
        # The type of an upload has a boundary of its own, so it is no part of what is kept.
        fixed = JSON if content_type == JSON else None
        accept = accept or (SSE if request.stream else JSON)
        url = self._address(request.operation, request.model)
        endpoint = self._endpoints.get((url, accept, fixed))
        if endpoint is None:
            endpoint = self.client.endpoint(url, accept=accept, content_type=fixed)
            self._endpoints[url, accept, fixed] = endpoint
        return endpoint
