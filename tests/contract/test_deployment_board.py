"""What every board of deployments has to keep."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import asyncpg
import pytest

from adapters.postgres.inference.deployment_board import PostgresDeploymentBoard
from application.inference.routing.ports import DeploymentBoard, DeploymentNews
from tests.fakes.routing import InMemoryDeploymentBoard
from tests.fixtures.patience import PATIENCE_S

Join = Callable[[], Awaitable[DeploymentBoard]]


class Listener:
    """Remembers the latest of each deployment."""

    def __init__(self, board: DeploymentBoard) -> None:
        self.heard: dict[str, DeploymentNews] = {}
        board.follow(self._hear)

    async def hears(self, deployment: str, out: bool) -> DeploymentNews:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                news = self.heard.get(deployment)
                if news is not None and (news.out_s is not None) is out:
                    return news
                await asyncio.sleep(0.01)

    def _hear(self, news: DeploymentNews) -> None:
        self.heard[news.deployment] = news


@pytest.fixture
def memory_board() -> Join:
    shared = InMemoryDeploymentBoard()

    async def join() -> DeploymentBoard:
        return shared

    return join


@pytest.fixture
async def postgres_board(database_url: str) -> AsyncIterator[Join]:
    async with AsyncExitStack() as stack:

        async def join() -> DeploymentBoard:
            board = PostgresDeploymentBoard(database_url)
            await board.start()
            stack.push_async_callback(board.stop)
            return board

        yield join


@pytest.fixture(params=["memory", "postgres"])
def join(request: pytest.FixtureRequest) -> Join:
    """The board as another process sees it."""
    found: Join = request.getfixturevalue(f"{request.param}_board")
    return found


def news(deployment: str = "a/x", out_s: float | None = 60.0, reason: str = "X") -> DeploymentNews:
    return DeploymentNews(deployment=deployment, out_s=out_s, reason=reason if out_s else "")


async def test_others_hear_of_an_outage_and_of_its_end(join: Join) -> None:
    board = await join()
    other = Listener(await join())

    board.announce(news())
    heard = await other.hears("a/x", out=True)
    board.announce(news(out_s=None))
    await other.hears("a/x", out=False)

    assert heard.reason == "X"
    assert 55 < (heard.out_s or 0) <= 60


async def test_who_comes_later_hears_what_stands(join: Join) -> None:
    board = await join()
    witness = Listener(await join())
    board.announce(news("a/x"))
    board.announce(news("b/x"))
    board.announce(news("b/x", out_s=None))
    await witness.hears("a/x", out=True)
    await witness.hears("b/x", out=False)

    later = Listener(await join())

    heard = await later.hears("a/x", out=True)
    assert 50 < (heard.out_s or 0) <= 60
    assert set(later.heard) == {"a/x"}


async def test_who_follows_late_hears_what_its_board_has_heard(join: Join) -> None:
    board, there = await join(), await join()
    early = Listener(there)
    board.announce(news("a/ы"))
    await early.hears("a/ы", out=True)

    late = Listener(there)

    assert set(late.heard) == {"a/ы"}


async def test_the_latest_of_many_counts(join: Join) -> None:
    board = await join()
    other = Listener(await join())

    for seconds in range(1, 30):
        board.announce(news(out_s=seconds))
    board.announce(news(out_s=None))
    board.announce(news(out_s=900.0, reason="LAST"))

    async with asyncio.timeout(PATIENCE_S):
        while (await other.hears("a/x", out=True)).reason != "LAST":
            await asyncio.sleep(0.01)


async def test_what_cannot_be_told_now_is_told_later(
    postgres_board: Join, database_url: str
) -> None:
    board, listener = await postgres_board(), Listener(await postgres_board())
    connection = await asyncpg.connect(database_url)
    await connection.execute("ALTER TABLE deployment_outages RENAME TO away")

    board.announce(news(out_s=60.0))
    await asyncio.sleep(0.3)
    assert listener.heard == {}
    await connection.execute("ALTER TABLE away RENAME TO deployment_outages")
    await connection.close()

    heard = await listener.hears("a/x", out=True)
    # What was lost of the time is not counted again.
    assert (heard.out_s or 0) < 59.8
