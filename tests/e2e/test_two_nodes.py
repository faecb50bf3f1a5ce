"""Two servers on one external database."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.fixtures.database import PostgresUnderTest
from tests.fixtures.ledger import call_of
from tests.fixtures.patience import wait_until
from tests.fixtures.server import StoaServer

CHAT = "/v1/chat/completions"
HELLO = {"model": "echo", "messages": [{"role": "user", "content": "hello"}]}
CONFIG = """
providers:
  - {{name: script, type: scripted}}
models:
  - {{name: echo, provider: script, prices: {{input: {price}, output: 0}}}}
"""


class Node(StoaServer):
    def set_price(self, price: str) -> None:
        assert self.config is not None
        self.config.write_text(CONFIG.format(price=price))

    def as_owner(self, key: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"authorization": f"Bearer {key}"})

    def answers(self, key: str) -> int:
        with self.as_owner(key) as client:
            return client.post(CHAT, json=HELLO).status_code


@pytest.fixture(scope="module")
async def nodes(
    postgres_under_test: PostgresUnderTest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Node, Node]]:
    """The first has made the team and knows its key."""
    database = f"{postgres_under_test.prefix}_nodes_{uuid4().hex[:8]}"
    url = await postgres_under_test.create(database)
    folder: Path = tmp_path_factory.mktemp("nodes")
    one, two = (
        Node(
            data_dir=folder / name,
            config=folder / f"{name}.yaml",
            settings={"STOA_DATABASE_URL": url},
        )
        for name in ("one", "two")
    )
    for node in (one, two):
        node.set_price("1")
    with one, two:
        two.key = one.key
        yield one, two
    await postgres_under_test.drop(database)


def test_a_revoked_key_is_refused_by_the_other_node(nodes: tuple[Node, Node]) -> None:
    one, two = nodes
    with one.as_owner(one.key) as owner:
        made = owner.post("/api/v1/keys", json={"name": f"app {uuid4().hex}"}).json()
        before = [node.answers(made["key"]) for node in nodes]
        owner.delete(f"/api/v1/keys/{made['id']}").raise_for_status()

    wait_until(lambda: two.answers(made["key"]) != httpx.codes.OK)
    assert before == [200, 200]
    assert [node.answers(made["key"]) for node in nodes] == [401, 401]


def test_capture_that_is_switched_off_on_one_node_is_off_on_the_other(
    nodes: tuple[Node, Node],
) -> None:
    one, two = nodes
    with one.as_owner(one.key) as here, two.as_owner(two.key) as there:
        for wanted in (True, False):
            there.post(CHAT, json=HELLO).raise_for_status()
            here.patch("/api/v1/team", json={"capture_content": wanted}).raise_for_status()

            wait_until(lambda: _is_captured(there, here) is wanted)  # noqa: B023


def _is_captured(there: httpx.Client, here: httpx.Client) -> bool:
    answer = there.post(CHAT, json=HELLO)
    content = call_of(here, answer.headers["x-request-id"])["content"]
    return content is not None and "hello" in content["request"]


def test_a_new_price_does_not_change_what_earlier_calls_cost(nodes: tuple[Node, Node]) -> None:
    _, two = nodes
    with two.as_owner(two.key) as owner:
        earlier = owner.post(CHAT, json=HELLO).headers["x-request-id"]
        before = call_of(owner, earlier)
        two.stop()
        two.set_price("0.075")
        two.start()
        later = owner.post(CHAT, json=HELLO).headers["x-request-id"]
        rows = call_of(owner, earlier), call_of(owner, later)

    assert rows[0] == before
    assert [row["price"]["input"] for row in rows] == ["1", "0.075"]
    assert rows[0]["cost"] != rows[1]["cost"]
