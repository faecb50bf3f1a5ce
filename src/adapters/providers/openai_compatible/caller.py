from collections.abc import Callable

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

    async def send(
        self,
        request: ProviderRequest,
        body: bytes,
        *,
        accept: str | None = None,
        content_type: str = JSON,
    ) -> tuple[Endpoint, UpstreamResponse]:
        """Raises the error that a refusal means."""
        endpoint = self._endpoint(
            request, accept or (SSE if request.stream else JSON), content_type
        )
        own = () if content_type == JSON else (("content-type", content_type),)
        return endpoint, await self.client.send(endpoint, body, request.correlation_id, own)

    def _endpoint(self, request: ProviderRequest, accept: str, content_type: str) -> Endpoint:
        # The type of an upload has a boundary of its own, so it is no part of what is kept.
        fixed = JSON if content_type == JSON else None
        url = self._address(request.operation, request.model)
        endpoint = self._endpoints.get((url, accept, fixed))
        if endpoint is None:
            endpoint = self.client.endpoint(url, accept=accept, content_type=fixed)
            self._endpoints[url, accept, fixed] = endpoint
        return endpoint
