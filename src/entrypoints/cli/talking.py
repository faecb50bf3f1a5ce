"""Two ways to a model: through the use cases in this process, or over HTTP to a server."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
import msgspec

from application.inference.invoke_model import InvokeModel
from application.inference.model_command import InvokeModelCommand
from application.inference.ports import Operation
from application.inference.stream_model import StreamModel
from application.shared.actor import Actor
from domain.inference.errors import ProviderFailedError, ProviderUnreachableError
from domain.shared.errors import (
    ForbiddenError,
    InvalidError,
    LimitExceededError,
    NotFoundError,
    StoaError,
    TooLargeError,
    UnauthenticatedError,
)
from domain.shared.ids import CallId
from entrypoints.selftest.target import base_url

ERRORS: dict[int, type[StoaError]] = {
    401: UnauthenticatedError,
    403: ForbiddenError,
    404: NotFoundError,
    413: TooLargeError,
    429: LimitExceededError,
}
FIRST_FAILURE = 500
FIRST_ERROR = 400
CONNECT_TIMEOUT_S = 10


class Talk(Protocol):
    """Sends a body in OpenAI's format and hands back the answer as it came."""

    async def ask(self, body: Mapping[str, object], request_id: str) -> bytes:
        """The whole answer as JSON."""
        ...

    def stream(self, body: Mapping[str, object], request_id: str) -> AsyncGenerator[bytes, None]:
        """The answer as server-sent events; closing it aborts the model's work."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTalk(Talk):
    """The use cases that the server's doors call, with a row in the same ledger."""

    actor: Actor
    call_id: CallId
    invoke_model: InvokeModel
    stream_model: StreamModel

    async def ask(self, body: Mapping[str, object], request_id: str) -> bytes:
        return (await self.invoke_model(self._command(body, request_id))).body

    async def stream(
        self, body: Mapping[str, object], request_id: str
    ) -> AsyncGenerator[bytes, None]:
        answer = await self.stream_model(self._command(body, request_id))
        async with aclosing(answer):
            async for block in answer:
                yield block

    def _command(self, body: Mapping[str, object], request_id: str) -> InvokeModelCommand:
        limit = body.get("max_tokens")
        return InvokeModelCommand(
            actor=self.actor,
            call_id=self.call_id,
            correlation_id=request_id,
            operation=Operation.CHAT,
            model=str(body["model"]),
            body=msgspec.json.encode(body),
            stream=bool(body.get("stream")),
            include_usage=True,
            max_output_tokens=limit if isinstance(limit, int) else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteTalk(Talk):
    """A server somewhere, Stoa or another one that speaks OpenAI's API."""

    url: str
    api_key: str | None

    async def ask(self, body: Mapping[str, object], request_id: str) -> bytes:
        async with aclosing(self.stream(body, request_id)) as blocks:
            return b"".join([block async for block in blocks])

    async def stream(
        self, body: Mapping[str, object], request_id: str
    ) -> AsyncGenerator[bytes, None]:
        headers = {"content-type": "application/json", "x-correlation-id": request_id}
        if self.api_key:
            headers["authorization"] = f"Bearer {self.api_key}"
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S)
        data = msgspec.json.encode(body)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as client,
                client.post(
                    f"{base_url(self.url)}/chat/completions", data=data, headers=headers
                ) as response,
            ):
                if response.status >= FIRST_ERROR:
                    raise _refusal(response.status, await response.read())
                async for block in response.content.iter_any():
                    yield block
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise ProviderUnreachableError(f"{self.url} cannot be reached: {error}") from error


def _refusal(status: int, body: bytes) -> StoaError:
    message = f"The server answered with the status {status}."
    try:
        envelope = msgspec.json.decode(body, type=dict[str, Any])
        message = str(envelope["error"]["message"])
    except (msgspec.MsgspecError, KeyError, TypeError):
        return ProviderFailedError(message)
    if status >= FIRST_FAILURE:
        return ProviderFailedError(message)
    return ERRORS.get(status, InvalidError)(message)
