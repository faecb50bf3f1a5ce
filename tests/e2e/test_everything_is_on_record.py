"""Every unsafe operation of the API's document, done once: each leaves exactly its rows in the
audit log, with who, what and whence, and without a secret. An operation that nobody does here
fails the suite."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.e2e.conftest import SCRIPTED
from tests.fixtures.database import PostgresUnderTest
from tests.fixtures.journal import AGENT, Journal
from tests.fixtures.patience import PATIENCE_S
from tests.fixtures.server import StoaServer

SETUP = re.compile(r"/setup#token=(\S+)")
PASSWORD = "canary-otter-lamp-42"
NEXT_PASSWORD = "canary-otter-lamp-43"
ALLOWANCE: Any = {
    "limits": {"rpm": 50, "tpm": 5000, "concurrency": 5},
    "budget": {"amount": "7", "period": "week", "hard": False},
}
CHAT: Any = {"model": "broken", "messages": [{"role": "user", "content": "hello"}]}

# What changes nothing that is managed, and why.
NO_MANAGEMENT = {
    "create_chat_completion": "the ledger has it",
    "create_completion": "the ledger has it",
    "create_response": "the ledger has it",
    "cancel_response": "does nothing",
    "delete_response": "what one was answered oneself; the ledger keeps the call",
    "create_embedding": "the ledger has it",
    "create_reranking": "the ledger has it",
    "create_moderation": "the ledger has it",
    "create_image": "the ledger has it",
    "create_transcription": "the ledger has it",
    "create_speech": "the ledger has it",
    "create_message": "the ledger has it",
    "count_message_tokens": "the ledger has it",
    "inspect_invitation": "reads",
    "refresh_tokens": "the session goes on",
    "request_password_reset": "changes nothing yet",
    "mark_notification_read": "reading",
    "mark_all_notifications_read": "reading",
}


@pytest.fixture(scope="module")
async def journal(
    postgres_under_test: PostgresUnderTest,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Journal]:
    database = f"{postgres_under_test.prefix}_record_{uuid4().hex[:8]}"
    url = await postgres_under_test.create(database, template=migrated_template)
    folder: Path = tmp_path_factory.mktemp("record")
    secret = "canary-secret-key-of-the-server-0123"
    settings = {"STOA_DATABASE_URL": url, "STOA_SECRET_KEY": secret}
    server = StoaServer(data_dir=folder, config=SCRIPTED, settings=settings)
    await asyncio.to_thread(server.start)
    async with httpx.AsyncClient(base_url=server.url) as client:
        document = (await client.get("/api/v1/openapi.json")).json()
    operations = {
        operation["operationId"]: (method.upper(), path)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "get"
    }
    journal = Journal(server=server, database_url=url, operations=operations)
    try:
        for live in (_found, _manage_people, _manage_models, _manage_the_rest, _come_and_go):
            await live(journal)
        yield journal
    finally:
        await asyncio.to_thread(server.stop)
        await postgres_under_test.drop(database)


async def _found(journal: Journal) -> None:
    found = SETUP.search(journal.server.output)
    assert found is not None
    journal.secrets += [found.group(1), PASSWORD, NEXT_PASSWORD, journal.server.key]
    owner = {
        "token": found.group(1),
        "email": "ada@example.org",
        "password": PASSWORD,
        "team_name": "Engines",
        "display_name": "Ada",
    }
    await journal.do(
        "claim_setup", "setup.claimed", by=None, private=("token", "password"), body=owner
    )


async def _manage_people(journal: Journal) -> None:
    person = {"email": "bob@example.org", "display_name": "Bob", "role": "viewer", **ALLOWANCE}
    bob = (await journal.do("create_user", "user.created", body=person)).json
    journal.secrets.append(bob["password_reset"]["token"])
    who = {"user_id": bob["id"]}
    await journal.do("update_user", "user.updated", body={"display_name": "Bobby"}, **who)
    await journal.do(
        "update_user", "user.allowance_changed", body={"limits": None, "budget": None}, **who
    )
    reset = (
        await journal.do("issue_user_password_reset", "user.password_reset_issued", **who)
    ).json
    await journal.do("change_role", "member.role_changed", body={"role": "editor"}, **who)
    confirmed = {"token": reset["token"], "password": NEXT_PASSWORD}
    await journal.do(
        "confirm_password_reset",
        "user.password_reset",
        by=None,
        person=bob["id"],
        private=("token", "password"),
        body=confirmed,
    )
    await journal.do("remove_member", "member.removed", **who)
    await journal.do("change_settings", "setting.changed", body={"registration_policy": "open"})
    await journal.do("register", "invitation.created", by=None, body={"email": "eve@example.org"})
    guest = {"email": "guest@example.org", "role": "member"}
    made = (await journal.do("invite_member", "invitation.created", body=guest)).json
    accepted = {"token": await _mailed_token(journal, guest["email"]), "password": PASSWORD}
    actions = ("user.created", "invitation.accepted")
    private = ("token", "password")
    await journal.do("accept_invitation", *actions, by=None, private=private, body=accepted)
    guest["email"] = "late@example.org"
    made = (await journal.do("invite_member", "invitation.created", body=guest)).json
    invitation = {"invitation_id": made["id"]}
    await journal.do("resend_invitation", "invitation.renewed", **invitation)
    await journal.do("revoke_invitation", "invitation.revoked", **invitation)
    journal.secrets += [reset["token"]]


async def _manage_models(journal: Journal) -> None:
    key = "canary-of-the-provider-0123"
    journal.secrets.append(key)
    private = ("configuration", "credentials", "provider", "targets")
    body: Any = {
        "name": "own",
        "type": "openai-compatible",
        "configuration": {"base_url": "http://127.0.0.1:1/v1"},
        "credentials": {"api_key": key, "headers": {"x-team": key}},
    }
    provider = (
        await journal.do("create_provider", "provider.created", private=private, body=body)
    ).json
    which = {"provider_id": provider["id"]}
    await journal.do("update_provider", "provider.updated", body={"enabled": False}, **which)
    await journal.do("test_provider_connection", "provider.tested", **which)
    body = {"name": "mine", "provider": "own", "context_length": 100}
    model = (await journal.do("create_model", "model.created", private=private, body=body)).json
    named = {"model_id": model["id"]}
    await journal.do("update_model", "model.updated", body={"upstream_name": "x"}, **named)
    await journal.do("archive_model", "model.archived", **named)
    await journal.do("restore_model", "model.restored", **named)
    prices = {"input": "1", "output": "2"}
    price = (await journal.do("set_model_price", "price.set", body=prices, **named)).json
    await journal.do("remove_model_price", "price.removed", price_id=price["id"], **named)
    body = {"model": "broken", **prices}
    price = (await journal.do("set_price", "price.set", body=body)).json
    await journal.do("remove_price", "price.removed", price_id=price["id"])
    body = {"name": "way", "targets": [{"model": "mine"}], "strategy": "weighted"}
    route = (await journal.do("create_route", "route.created", private=private, body=body)).json
    way = {"route_id": route["id"]}
    await journal.do("update_route", "route.updated", body={"strategy": "least_busy"}, **way)
    await journal.do("delete_route", "route.deleted", **way)
    await journal.do("delete_model", "model.deleted", **named)
    await journal.do("delete_provider", "provider.deleted", **which)


async def _manage_the_rest(journal: Journal) -> None:
    await journal.do("update_team", "team.updated", body={"name": "Renamed", **ALLOWANCE})
    team = (await journal.do("create_team", "team.created", body={"name": "Two", **ALLOWANCE})).json
    change = {"name": "Three", "limits": None}
    await journal.do("update_one_team", "team.updated", body=change, team_id=team["id"])
    key = (await journal.do("issue_key", "key.issued", body={"name": "one", **ALLOWANCE})).json
    journal.secrets.append(key["key"])
    change = {"name": "uno", "budget": None}
    await journal.do("update_key", "key.updated", body=change, key_id=key["id"])
    await journal.do("revoke_key", "key.revoked", key_id=key["id"])
    await journal.do("reset_setting", "setting.reset", name="registration_policy")
    headers = {"authorization": f"Bearer {journal.server.key}"}
    async with httpx.AsyncClient(base_url=journal.server.url, headers=headers) as client:
        failed = await client.post("/v1/chat/completions", json=CHAT)
        error_id = failed.headers["x-request-id"]
        async with asyncio.timeout(PATIENCE_S):
            while not (await client.get(f"/api/v1/errors/{error_id}")).is_success:
                await asyncio.sleep(0.05)
    await journal.do(
        "update_error", "error.resolved", body={"state": "resolved"}, error_id=error_id
    )


async def _come_and_go(journal: Journal) -> None:
    login = {"email": "ada@example.org", "password": PASSWORD}
    private = ("email", "password", "current_password", "new_password", "team_id")

    async def enter(operation: str = "create_tokens") -> Any:
        deed = await journal.do(operation, "session.created", by=None, private=private, body=login)
        journal.secrets.extend(v for k, v in deed.json.items() if k.endswith("_token"))
        journal.secrets.extend(deed.answer.cookies.values())
        return deed.json

    await enter("log_in")
    ada, other = (await enter())["access_token"], (await enter())["access_token"]
    me = (await _get(journal, ada, "/api/v1/me"))["id"]
    sessions = await _get(journal, other, "/api/v1/auth/sessions")
    current = next(one["id"] for one in sessions["items"] if one["is_current"])
    as_ada: Any = {"by": ada, "person": me}
    await journal.do("revoke_session", "session.revoked", session_id=current, **as_ada)
    await journal.do("update_me", "user.updated", body={"locale": "de"}, **as_ada)
    team = (await journal.do("create_team", "team.created", body={"name": "Ada's"}, **as_ada)).json
    change = {"team_id": team["id"]}
    await journal.do("switch_team", "session.switched", private=private, body=change, **as_ada)
    change = {"current_password": PASSWORD, "new_password": NEXT_PASSWORD}
    await journal.do("change_password", "password.changed", private=private, body=change, **as_ada)
    login["password"] = NEXT_PASSWORD
    await journal.do("log_out", "session.revoked", **as_ada)
    again = (await enter())["access_token"]
    await journal.do("revoke_all_sessions", "session.revoked", by=again, person=me)


async def _mailed_token(journal: Journal, email: str) -> str:
    """The token in the mail to the address, which a server in development prints."""
    link = re.compile(rf"To: {re.escape(email)}\n(?:(?!To: ).*\n)*?.*#token=(\S+)")
    async with asyncio.timeout(PATIENCE_S):
        while (found := link.search(journal.server.output)) is None:
            await asyncio.sleep(0.05)
    journal.secrets.append(found.group(1))
    return found.group(1)


async def _get(journal: Journal, token: str, path: str) -> Any:
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=journal.server.url, headers=headers) as client:
        return (await client.get(path)).raise_for_status().json()


def test_every_unsafe_operation_is_done_or_manages_nothing(journal: Journal) -> None:
    done = {deed.operation for deed in journal.deeds}

    assert sorted(done | NO_MANAGEMENT.keys()) == sorted(journal.operations)


async def test_each_deed_leaves_exactly_its_rows(journal: Journal) -> None:
    wrong = []

    for deed in journal.deeds:
        rows = await journal.rows_of(deed)
        if [row["action"] for row in rows] != list(deed.actions):
            wrong.append((deed.operation, [row["action"] for row in rows]))

    assert wrong == []


async def test_each_row_says_who_did_what_and_whence(journal: Journal) -> None:
    wrong = []

    for deed in journal.deeds:
        for row in await journal.rows_of(deed):
            who = str(row["user_id"]) if deed.person else row["actor_kind"]
            is_known = who == deed.person if deed.person else who in ("key", "user", "system")
            whence = (row["address"], row["user_agent"])
            if not (is_known and row["target_id"] and whence == ("127.0.0.1", AGENT)):
                wrong.append((deed.operation, row))

    assert wrong == []


async def test_the_record_repeats_what_was_asked_for(journal: Journal) -> None:
    wrong = []

    for deed in journal.deeds:
        told = json.dumps([row["after"] for row in await journal.rows_of(deed)])
        missing = [name for name, value in deed.told.items() if not _tells(told, name, value)]
        if missing:
            wrong.append((deed.operation, missing, told))

    assert wrong == []


async def test_no_row_holds_a_secret(journal: Journal) -> None:
    written = str(await journal.all_rows())

    assert [secret for secret in journal.secrets if secret in written] == []
    assert len(journal.secrets) > len(journal.deeds) / 4


def _tells(told: str, name: str, value: Any) -> bool:
    plain = told.replace("\\", "")
    shown = value if isinstance(value, str) else None
    return f'"{name}"' in plain or (shown is not None and shown in plain)
