from collections.abc import Coroutine, Mapping
from typing import Any, Protocol

from adapters.providers.failures.failure import FailureParser
from adapters.providers.failures.openai import openai_failure
from adapters.providers.http_client import ProviderClient
from adapters.providers.openai_compatible.caller import Address, Caller, addresses_under
from adapters.providers.openai_compatible.media.operations import MEDIA_OPERATIONS, MediaOperations
from adapters.providers.openai_compatible.request import Adapt, as_it_is
from adapters.providers.openai_compatible.responses.operation import (
    RESPONSES_OPERATIONS,
    ResponsesOperation,
)
from adapters.providers.openai_compatible.texts import TEXT_OPERATIONS, TextOperations
from adapters.providers.transport.endpoint import Timeouts
from adapters.providers.transport.transport import Transport
from application.inference.ports import (
    ModelProvider,
    Operation,
    ProviderAnswer,
    ProviderRequest,
    ProviderStream,
)
from domain.inference.errors import UnsupportedByModelError
from domain.shared.errors import InvalidError

PASSED_OPERATIONS = TEXT_OPERATIONS | RESPONSES_OPERATIONS | MEDIA_OPERATIONS


class Part(Protocol):
    """What answers some of the operations."""

    async def complete(self, request: ProviderRequest) -> ProviderAnswer: ...

    async def open_stream(self, request: ProviderRequest) -> ProviderStream: ...


class OpenAICompatibleProvider(ModelProvider):
    """Any server that speaks OpenAI's dialect, in the ``operations`` that it offers.

    ``headers`` win over the provider's own and over ``credentials``, which are for those that are
    not let in with a bearer's ``api_key``. The transport belongs to the provider, which closes it.
    """

    def __init__(
        self,
        *,
        name: str,
        base_url: str,
        api_key: str | None,
        transport: Transport,
        timeouts: Timeouts | None = None,
        headers: Mapping[str, str] | None = None,
        credentials: Mapping[str, str] | None = None,
        address: Address | None = None,
        operations: frozenset[Operation] = TEXT_OPERATIONS,
        stream_usage: bool = True,
        adapt: Adapt = as_it_is,
        parse: FailureParser = openai_failure,
        request_id_header: str = "x-request-id",
    ) -> None:
        """Raises ``InvalidError`` for a URL or a header that cannot be sent, and for an operation
        that is not OpenAI's."""
        bearer = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._name = name
        self._client = ProviderClient(
            name=name,
            transport=transport,
            parse=parse,
            credentials=bearer if credentials is None else credentials,
            secrets=[api_key] if api_key else (),
            headers=headers,
            timeouts=timeouts,
            request_id_header=request_id_header,
        )
        # What is wrong with the address or a header is said now, not at the first call.
        self._client.endpoint(base_url)
        strange = operations - PASSED_OPERATIONS
        if strange:
            raise InvalidError(f"'{min(strange)}' cannot be passed through.", param="operations")
        caller = Caller(self._client, address or addresses_under(base_url))
        parts = _parts(caller, adapt=adapt, stream_usage=stream_usage)
        self._parts = {operation: parts[operation] for operation in operations}

    def complete(self, request: ProviderRequest) -> Coroutine[Any, Any, ProviderAnswer]:
        return self._part(request).complete(request)

    def open_stream(self, request: ProviderRequest) -> Coroutine[Any, Any, ProviderStream]:
        return self._part(request).open_stream(request)

    async def start(self) -> None:
        """Nothing to get ready: connections are opened when they are needed."""

    async def stop(self) -> None:
        await self._client.aclose()

    def _part(self, request: ProviderRequest) -> Part:
        part = self._parts.get(request.operation)
        if part is None:
            raise UnsupportedByModelError(
                f"The provider '{self._name}' does not offer '{request.operation}'.", param="model"
            )
        return part


def _parts(caller: Caller, *, adapt: Adapt, stream_usage: bool) -> dict[Operation, Part]:
    texts = TextOperations(caller, adapt=adapt, stream_usage=stream_usage)
    return {
        **dict.fromkeys(TEXT_OPERATIONS, texts),
        **dict.fromkeys(RESPONSES_OPERATIONS, ResponsesOperation(caller, adapt=adapt)),
        **dict.fromkeys(MEDIA_OPERATIONS, MediaOperations(caller, adapt=adapt)),
    }
