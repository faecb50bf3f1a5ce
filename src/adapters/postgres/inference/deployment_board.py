import asyncio
from collections.abc import Callable
from dataclasses import replace

import asyncpg
import msgspec
import structlog

from adapters.postgres.engine import connect
from adapters.postgres.errors import translated
from adapters.postgres.held_connection import HeldConnection
from application.inference.routing.ports import DeploymentBoard, DeploymentNews
from application.operations.records.error_reporter import Circumstances, ErrorReporter
from domain.shared.errors import UnavailableError

log = structlog.get_logger()

CHANNEL = "stoa_deployments"
RETRY_S = 0.5
ROUTE = "deployments"
# A deployment that failed a day ago says nothing of today.
_FORGET = "DELETE FROM deployment_outages WHERE until < now() - interval '1 day'"
_TELL = """
WITH stored AS (
    INSERT INTO deployment_outages (deployment, reason, until)
    VALUES ($1, $2, now() + make_interval(secs => $3))
    ON CONFLICT (deployment) DO UPDATE SET reason = excluded.reason, until = excluded.until
)
SELECT pg_notify($4, $5)
"""
_TAKE_BACK = """
WITH removed AS (DELETE FROM deployment_outages WHERE deployment = $1)
SELECT pg_notify($2, $3)
"""
_STANDING = """
SELECT deployment, reason, extract(epoch FROM until - now())::float8 AS out_s
FROM deployment_outages WHERE until > now()
"""

_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(DeploymentNews)


class PostgresDeploymentBoard(DeploymentBoard):
    """Tells by NOTIFY, and keeps what stands in a table for those that come later or could not be
    reached. How long a deployment is out is told as a length of time, so that clocks of nodes need
    not agree."""

    def __init__(self, database_url: str, *, reporter: ErrorReporter | None = None) -> None:
        """``reporter`` gets what the database did not take."""
        self._reporter = reporter
        self._database_url = database_url
        self._followers: list[Callable[[DeploymentNews], None]] = []
        # What stands, each with the moment at which that was heard.
        self._standing: dict[str, tuple[DeploymentNews, float]] = {}
        # The latest of each deployment, with the moment at which it was announced.
        self._untold: dict[str, tuple[DeploymentNews, float]] = {}
        self._telling: asyncio.Task[None] | None = None
        self._session = HeldConnection(
            database_url, purpose="deployments", on_connected=self._listen, on_lost=lambda: None
        )

    async def start(self) -> None:
        await self._session.start()

    async def stop(self) -> None:
        telling, self._telling = self._telling, None
        if telling is not None:
            telling.cancel()
            await asyncio.wait([telling])
        await self._session.stop()

    def announce(self, news: DeploymentNews) -> None:
        self._untold[news.deployment] = news, asyncio.get_running_loop().time()
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_all())

    def follow(self, hear: Callable[[DeploymentNews], None]) -> None:
        self._followers.append(hear)
        now = asyncio.get_running_loop().time()
        for news, heard in self._standing.values():
            hear(_later(news, now - heard))

    async def _tell_all(self) -> None:
        while self._untold:
            try:
                await self._tell()
            except UnavailableError as error:
                log.warning("deployments.not_told", reason=error.message)
                await asyncio.sleep(RETRY_S)
            except Exception as error:
                # Whatever it is, nodes that know too little still serve.
                log.exception("deployments.not_told")
                if self._reporter is not None:
                    self._reporter.report(error, Circumstances(route=ROUTE))
                await asyncio.sleep(RETRY_S)

    async def _tell(self) -> None:
        loop = asyncio.get_running_loop()
        with translated():
            # Not from the pool: that may be exhausted, and this shall not wait for it.
            connection = await connect(self._database_url, purpose="deployment news")
            try:
                while self._untold:
                    name, (news, announced) = next(iter(self._untold.items()))
                    await self._store(connection, news, loop.time() - announced)
                    # What was announced meanwhile has its own turn.
                    if self._untold[name][0] is news:
                        del self._untold[name]
                await connection.execute(_FORGET)
            finally:
                connection.terminate()

    async def _store(
        self, connection: asyncpg.Connection, news: DeploymentNews, late_s: float
    ) -> None:
        left = _later(news, late_s)
        name, payload = left.deployment, _text(left)
        if left.out_s is None:
            await connection.execute(_TAKE_BACK, name, CHANNEL, payload)
        else:
            await connection.execute(_TELL, name, left.reason, left.out_s, CHANNEL, payload)

    async def _listen(self, connection: asyncpg.Connection) -> None:
        await connection.add_listener(CHANNEL, self._on_news)
        for row in await connection.fetch(_STANDING):
            self._pass_on(DeploymentNews(**row))

    def _on_news(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        self._pass_on(_decoder.decode(str(payload)))

    def _pass_on(self, news: DeploymentNews) -> None:
        if news.out_s is None:
            self._standing.pop(news.deployment, None)
        else:
            self._standing[news.deployment] = news, asyncio.get_running_loop().time()
        for hear in self._followers:
            hear(news)


def _later(news: DeploymentNews, seconds: float) -> DeploymentNews:
    """The same news when so much time has gone by."""
    if news.out_s is None:
        return news
    return replace(news, out_s=max(0.0, news.out_s - seconds))


def _text(news: DeploymentNews) -> str:
    return _encode(news).decode()
