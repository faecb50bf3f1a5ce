"""How soon and how surely every node has the settings that are stored."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import asyncpg
import pytest
from structlog.testing import capture_logs

from adapters.encryption.aes_gcm import AesGcmSecretBox
from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.operations.runtime_settings import PostgresRuntimeSettings
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from application.operations.ports import Sealed, StoredSetting
from domain.operations.errors import SecretUnreadableError
from domain.operations.runtime_settings import (
    CACHE_DISABLE_ALL,
    ENABLE_TOOLS,
    RETENTION_EVENTS_DAYS,
)
from domain.shared.ids import TeamId
from tests.builders import OTHER_TEAM_ID, TEAM_ID
from tests.fixtures.patience import PATIENCE_S, until

KEY = "k" * 32
TERMINATE_LISTENERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'stoa settings'"
)


@dataclass(slots=True)
class Node:
    settings: PostgresRuntimeSettings
    uow: PostgresUnitOfWork

    async def put(self, name: str, value: str | Sealed, team_id: TeamId | None = None) -> None:
        async with self.uow as tx:
            await tx.settings.put(StoredSetting(team_id=team_id, name=name, value=value))
            await tx.commit()

    async def remove(self, name: str, team_id: TeamId | None = None) -> None:
        async with self.uow as tx:
            await tx.settings.remove(team_id, name)
            await tx.commit()


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
async def nodes(team_url: str, stack: AsyncExitStack) -> list[Node]:
    return [await a_node(team_url, stack) for _ in range(2)]


async def a_node(url: str, stack: AsyncExitStack, *, key: str = KEY) -> Node:
    engine = make_engine(url)
    stack.push_async_callback(engine.dispose)
    settings = PostgresRuntimeSettings(
        url, environment={"retention_events_days": 7}, secrets=AesGcmSecretBox(key)
    )
    stack.push_async_callback(settings.stop)
    await settings.start()
    return Node(settings, PostgresUnitOfWork(make_sessions(engine)))


async def has(node: Node, days: int) -> None:
    await until(lambda: node.settings.get(RETENTION_EVENTS_DAYS) == days)


async def test_the_environment_lies_beneath_and_the_default_beneath_that(
    nodes: list[Node],
) -> None:
    settings = nodes[0].settings

    assert settings.get(RETENTION_EVENTS_DAYS) == 7
    assert settings.beneath(RETENTION_EVENTS_DAYS) == (7, True)
    assert settings.get(ENABLE_TOOLS, TEAM_ID)
    assert settings.beneath(ENABLE_TOOLS) == (True, False)


async def test_every_node_sees_a_change(nodes: list[Node]) -> None:
    await nodes[0].put("retention_events_days", "3")
    for node in nodes:
        await has(node, 3)

    await nodes[1].remove("retention_events_days")
    for node in nodes:
        await has(node, 7)


async def test_a_setting_of_a_team_is_nobody_elses(nodes: list[Node]) -> None:
    await nodes[0].put("enable_tools", "false", TEAM_ID)
    await nodes[0].put("retention_events_days", "3")
    await has(nodes[1], 3)

    settings = nodes[1].settings
    assert not settings.get(ENABLE_TOOLS, TEAM_ID)
    assert settings.get(ENABLE_TOOLS, OTHER_TEAM_ID)
    assert settings.get(ENABLE_TOOLS)


async def test_what_is_rolled_back_is_seen_nowhere(nodes: list[Node]) -> None:
    async with nodes[0].uow as tx:
        await tx.settings.put(StoredSetting(team_id=None, name="cache_disable_all", value="true"))
    await nodes[0].put("retention_events_days", "3")
    await has(nodes[1], 3)

    assert not nodes[1].settings.get(CACHE_DISABLE_ALL)


async def test_a_node_that_starts_has_what_was_stored_before(
    team_url: str, stack: AsyncExitStack, nodes: list[Node]
) -> None:
    await nodes[0].put("retention_events_days", "3")
    await nodes[0].put("enable_tools", "false", TEAM_ID)

    late = await a_node(team_url, stack)

    assert late.settings.get(RETENTION_EVENTS_DAYS) == 3
    assert not late.settings.get(ENABLE_TOOLS, TEAM_ID)


async def test_a_change_is_seen_also_when_nobody_listened_at_that_moment(
    nodes: list[Node], sql: asyncpg.Connection
) -> None:
    await nodes[0].put("retention_events_days", "3")
    await has(nodes[1], 3)
    # Nobody hears of this.
    await sql.execute("UPDATE server_settings SET value = '5'")
    await sql.execute(TERMINATE_LISTENERS)

    for node in nodes:
        await has(node, 5)
    await nodes[0].put("retention_events_days", "6")
    for node in nodes:
        await has(node, 6)


async def test_the_last_known_values_hold_while_the_database_cannot_be_heard(
    nodes: list[Node], sql: asyncpg.Connection
) -> None:
    await nodes[0].put("retention_events_days", "3")
    await has(nodes[1], 3)

    await sql.execute(TERMINATE_LISTENERS)
    async with asyncio.timeout(PATIENCE_S):
        while nodes[1].settings.is_listening:
            await asyncio.sleep(0)

    assert nodes[1].settings.get(RETENTION_EVENTS_DAYS) == 3


async def test_many_changes_at_once_end_in_the_last(nodes: list[Node]) -> None:
    for days in range(10, 40):
        await nodes[days % 2].put("retention_events_days", str(days))

    for node in nodes:
        await has(node, 39)
    await asyncio.sleep(0.05)
    assert [node.settings.get(RETENTION_EVENTS_DAYS) for node in nodes] == [39, 39]


async def test_what_this_version_does_not_take_is_told_and_disregarded(
    team_url: str, stack: AsyncExitStack, nodes: list[Node]
) -> None:
    await nodes[0].put("retention_events_days", "ages")
    await nodes[0].put("of_another_version", "1")

    with capture_logs() as logs:
        late = await a_node(team_url, stack)

    assert late.settings.get(RETENTION_EVENTS_DAYS) == 7
    # The other nodes, which hear of the change at about the same time, tell it too.
    assert {(told["event"], told["log_level"]) for told in logs} == {
        ("setting.disregarded", "error")
    }
    assert {"retention_events_days" in told["reason"] for told in logs} == {True}
    assert "ages" not in str(logs)


async def test_a_sealed_value_is_opened_in_its_place_only(
    team_url: str, stack: AsyncExitStack, nodes: list[Node]
) -> None:
    sealed = AesGcmSecretBox(KEY).seal("false", place=f"setting {TEAM_ID} enable_tools")
    for team_id in (TEAM_ID, OTHER_TEAM_ID):
        await nodes[0].put("enable_tools", sealed, team_id)

    late = await a_node(team_url, stack)

    assert not late.settings.get(ENABLE_TOOLS, TEAM_ID)
    with pytest.raises(SecretUnreadableError):
        late.settings.get(ENABLE_TOOLS, OTHER_TEAM_ID)


async def test_a_node_with_the_wrong_key_says_so_and_has_the_other_settings(
    team_url: str, stack: AsyncExitStack, nodes: list[Node]
) -> None:
    sealed = AesGcmSecretBox(KEY).seal("false", place=f"setting {TEAM_ID} enable_tools")
    await nodes[0].put("enable_tools", sealed, TEAM_ID)
    await nodes[0].put("retention_events_days", "3")

    with capture_logs() as logs:
        late = await a_node(team_url, stack, key="w" * 32)

    assert late.settings.get(RETENTION_EVENTS_DAYS) == 3
    for _ in range(2):
        with pytest.raises(SecretUnreadableError, match="STOA_SECRET_KEY"):
            late.settings.get(ENABLE_TOOLS, TEAM_ID)
    assert [log["event"] for log in logs] == ["setting.unreadable"]


async def test_asking_for_a_value_costs_next_to_nothing(nodes: list[Node]) -> None:
    get = nodes[0].settings.get
    await nodes[0].put("enable_tools", "false", TEAM_ID)

    rounds_us = []
    for _ in range(20):
        started = time.perf_counter()
        for _ in range(500):
            get(ENABLE_TOOLS, TEAM_ID)
        rounds_us.append((time.perf_counter() - started) * 1e6 / 500)

    # A look-up takes about half a microsecond; anything that waits takes a hundred times as long,
    # every time.
    assert min(rounds_us) < 20


async def test_whoever_changes_a_setting_finds_it_changed(nodes: list[Node]) -> None:
    await nodes[0].put("enable_tools", "false", TEAM_ID)
    await nodes[0].settings.catch_up(frozenset({TEAM_ID}))

    assert not nodes[0].settings.get(ENABLE_TOOLS, TEAM_ID)


async def test_who_cannot_catch_up_at_once_follows_later() -> None:
    settings = PostgresRuntimeSettings(
        "postgresql://127.0.0.1:1/nowhere", environment={}, secrets=AesGcmSecretBox(KEY)
    )
    with capture_logs() as logs:
        await settings.catch_up(frozenset({None}))
        await until(lambda: len(logs) > 1)
        await settings.stop()

    assert {log["event"] for log in logs} == {"settings.not_read"}
    assert len(logs) > 1
