from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec


class CheckFailedError(Exception):
    """The server does not do what the API promises."""


class CheckSkippedError(Exception):
    """What would be checked is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer of the server, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        try:
            return msgspec.json.decode(self.body, type=dict[str, Any])
        except (msgspec.MsgspecError, RecursionError) as error:
            raise CheckFailedError(f"the body is no JSON object: {error}") from error


@dataclass(slots=True, kw_only=True)
class Target:
    """The server under test. Nothing of Stoa stands between it and the checks.

    ``chat_model`` is found by the first check that chats, unless it was given.
    """

    url: str
    api_key: str | None = field(default=None, repr=False)
    client: aiohttp.ClientSession
    chat_model: str | None = None
    models: list[str] = field(default_factory=list)

    async def get(self, path: str, *, key: str | None = None, anonymous: bool = False) -> Answer:
        async with self.client.get(
            self.url + path, headers=self._headers(key, anonymous=anonymous)
        ) as response:
            return await _read(response)

    async def post(
        self,
        path: str,
        body: Mapping[str, object] | bytes,
        *,
        content_type: str = "application/json",
    ) -> Answer:
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        headers = {**self._headers(None), "content-type": content_type}
        async with self.client.post(self.url + path, data=data, headers=headers) as response:
            return await _read(response)

    def _headers(self, key: str | None, *, anonymous: bool = False) -> dict[str, str]:
        used = None if anonymous else key or self.api_key
        return {"authorization": f"Bearer {used}"} if used else {}


def base_url(url: str) -> str:
    """The URL of the API: below a server's root or as it stands when it ends with ``/v1``."""
    trimmed = url.rstrip("/") if "://" in url else f"http://{url.rstrip('/')}"
    return trimmed if trimmed.endswith("/v1") else f"{trimmed}/v1"


async def _read(response: aiohttp.ClientResponse) -> Answer:
    return Answer(
        status=response.status, headers=response.headers.copy(), body=await response.read()
    )
