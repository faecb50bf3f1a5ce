"""An OpenID Connect provider on 127.0.0.1: its discovery document, its keys, and its tokens."""

import asyncio
import json
from collections import Counter
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Self

import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
DISCOVERY = "/.well-known/openid-configuration"
AUDIENCE = "stoa"


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def first_key() -> rsa.RSAPrivateKey:
    """Of every provider until it rotates: to make one takes longer than to ask with it."""
    return rsa_key()


def jwk_of(kid: str | None, key: PrivateKey, **members: Any) -> dict[str, Any]:
    """The public half as the provider publishes it."""
    if isinstance(key, rsa.RSAPrivateKey):
        text = RSAAlgorithm.to_jwk(key.public_key())
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        text = ECAlgorithm.to_jwk(key.public_key())
    else:
        text = OKPAlgorithm.to_jwk(key.public_key())
    jwk: dict[str, Any] = json.loads(text) | {"use": "sig"} | members
    jwk.pop("key_ops", None)
    return jwk if kid is None else jwk | {"kid": kid}


class IdentityProvider:
    """``asked`` counts the requests by path; while it is ``broken``, they get that status. It
    takes ``silence_s`` for each."""

    def __init__(self) -> None:
        self.keys: dict[str, PrivateKey] = {"one": first_key()}
        self.published: list[dict[str, Any]] = [jwk_of("one", self.keys["one"])]
        self.discovery: dict[str, Any] = {}
        self.asked: Counter[str] = Counter()
        self.broken: int | None = None
        self.body: bytes | None = None
        self.silence_s = 0.0
        self.issuer = ""
        app = web.Application()
        app.router.add_get(DISCOVERY, self._discover)
        app.router.add_get("/keys", self._keys)
        self._server = TestServer(app, host="127.0.0.1")

    @property
    def jwks_url(self) -> str:
        return f"{self.issuer}/keys"

    def rotate(self, kid: str, key: PrivateKey | None = None) -> None:
        """Sign with another key from now on, and publish it alone."""
        self.keys = {kid: key or rsa_key()}
        self.published = [jwk_of(kid, self.keys[kid])]

    def claims(self, at: datetime, **claims: Any) -> dict[str, Any]:
        """Of a token that is good for an hour; ``None`` leaves a claim out."""
        usual = {
            "iss": self.issuer,
            "sub": "subject-1",
            "aud": AUDIENCE,
            "iat": int(at.timestamp()),
            "exp": int((at + timedelta(hours=1)).timestamp()),
        }
        return {name: value for name, value in (usual | claims).items() if value is not None}

    def token(
        self,
        at: datetime,
        *,
        algorithm: str = "RS256",
        header: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        kid, key = next(iter(self.keys.items()))
        return jwt.encode(
            self.claims(at, **claims), key, algorithm, headers={"kid": kid} | (header or {})
        )

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        self.issuer = str(self._server.make_url("")).rstrip("/")
        self.discovery = {"issuer": self.issuer, "jwks_uri": self.jwks_url}
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.close()

    async def go_away(self) -> None:
        """Close the port."""
        await self._server.close()

    async def _discover(self, request: web.Request) -> web.Response:
        return await self._answer(request, self.discovery)

    async def _keys(self, request: web.Request) -> web.Response:
        return await self._answer(request, {"keys": self.published})

    async def _answer(self, request: web.Request, document: object) -> web.Response:
        self.asked[request.path] += 1
        await asyncio.sleep(self.silence_s)
        if self.broken is not None:
            return web.Response(status=self.broken, headers={"location": self.jwks_url})
        if self.body is not None:
            return web.Response(body=self.body)
        return web.json_response(document)
