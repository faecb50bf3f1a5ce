"""Two teams on one server, the objects of the first, and everybody who knocks at its doors."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from tests.e2e.isolation.matrix import CHAT, PASSWORD
from tests.fixtures.server import StoaServer

Headers = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """``objects`` are the parts of paths by their names; ``marks`` are what nobody outside of the
    first team may ever see."""

    credentials: dict[str, Headers]
    objects: dict[str, str]
    marks: tuple[str, ...]


def found_company(server: StoaServer) -> Company:
    with httpx.Client(base_url=server.url, headers=_bearer(server.key), timeout=30) as operator:
        team_id = _done(operator.get("/api/v1/team"))["id"]
        viewer, member, target, stranger = (
            _user(operator, name, role)
            for name, role in (
                ("viewer", "viewer"),
                ("member", "member"),
                ("target", "member"),
                ("stranger", "viewer"),
            )
        )
        _done(operator.post("/api/v1/teams", json={"name": "Elsewhere", "owner_id": stranger}))
        _done(operator.delete(f"/api/v1/members/{stranger}"))
        chat = operator.post("/v1/chat/completions", json=CHAT)
        response = _done(operator.post("/v1/responses", json={"model": "parrot", "input": "hi"}))
        invited = {"email": "guest@first.example.org", "role": "member"}
        key = _done(operator.post("/api/v1/keys", json={"name": "the owner's"}))
        objects = {
            "team_id": team_id,
            "user_id": target,
            "key_id": key["id"],
            "call_id": chat.headers["x-request-id"],
            "invitation_id": _done(operator.post("/api/v1/invitations", json=invited))["id"],
        }
        budget = {"budget": {"amount": "5", "period": "month", "hard": False}}
        for path in (f"keys/{key['id']}", f"users/{target}", "team"):
            _done(operator.patch(f"/api/v1/{path}", json=budget))
        objects |= _set_up_models(operator)
        scopeless = _done(operator.post("/api/v1/keys", json={"name": "bare", "scopes": []}))
    with httpx.Client(base_url=server.url, headers=log_in(server, "target")) as target_client:
        session = _done(target_client.get("/api/v1/auth/sessions"))["items"][0]
    return Company(
        credentials={
            "anonymous": {},
            "viewer": log_in(server, "viewer"),
            "member": log_in(server, "member"),
            "stranger": log_in(server, "stranger"),
            "scopeless": _bearer(scopeless["key"]),
            "revoked": _ended(server, log_in(server, "viewer")),
        },
        objects=objects
        | {
            # No mark: OpenAI's words for what is not there repeat the name that was asked for.
            "response_id": response["id"],
            "notification_id": str(uuid4()),
            "error_id": str(uuid4()),
            "session_id": session["id"],
            "slug": "validation-error",
        },
        marks=(*objects.values(), viewer, member, "@first.example.org"),
    )


def log_in(server: StoaServer, name: str) -> Headers:
    body = {"email": _address(name), "password": PASSWORD}
    return _bearer(_done(httpx.post(f"{server.url}/api/v1/auth/token", json=body))["access_token"])


def _set_up_models(operator: httpx.Client) -> dict[str, str]:
    provider = {"name": "own", "type": "scripted"}
    model = {"name": "secretive", "provider": "own"}
    route = {"name": "way", "targets": [{"model": "secretive"}]}
    made = {
        name: _done(operator.post(f"/api/v1/{path}", json=body))["id"]
        for name, path, body in (
            ("provider_id", "providers", provider),
            ("model_id", "models", model),
            ("route_id", "routes", route),
        )
    }
    prices = f"/api/v1/models/{made['model_id']}/prices"
    price = _done(operator.post(prices, json={"input": "1", "output": "2"}))
    return {**made, "price_id": price["id"]}


def _ended(server: StoaServer, headers: Headers) -> Headers:
    httpx.post(f"{server.url}/api/v1/auth/logout", headers=headers).raise_for_status()
    return headers


def _user(operator: httpx.Client, name: str, role: str) -> str:
    body = {
        "email": _address(name),
        "display_name": name.title(),
        "role": role,
        "password": PASSWORD,
    }
    made: str = _done(operator.post("/api/v1/users", json=body))["id"]
    return made


def _address(name: str) -> str:
    # The stranger's own address is nothing to hide from him.
    return f"{name}@{'elsewhere' if name == 'stranger' else 'first'}.example.org"


def _bearer(token: str) -> Headers:
    return {"authorization": f"Bearer {token}"}


def _done(answer: httpx.Response) -> Any:
    answer.raise_for_status()
    return answer.json() if answer.content else None
