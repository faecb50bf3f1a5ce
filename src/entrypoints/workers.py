"""Several server processes behind one socket, and the parent that looks after them.

The parent owns the database server and prepares the database; its workers serve. All of them take
connections from the same socket, and share their counts through files
(``adapters.http.metrics.workers``).
"""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import msgspec
import structlog
from dishka import AsyncContainer

from adapters.catalog.definitions import LoadedCatalog
from adapters.http.metrics.workers import shared_metrics
from application.identity.found_first_team import ShowKey
from entrypoints.container import make_container
from entrypoints.crew import LOOK_EVERY_S, Crew
from entrypoints.database import DatabaseUrl, prepare_database
from entrypoints.first_run import first_run
from entrypoints.runtime_environment import RuntimeEnvironment
from entrypoints.settings import Settings
from entrypoints.stopping import StopRequests, stop_requests
from entrypoints.welcome import Welcome

log = structlog.get_logger()

Announce = Callable[[Welcome], None]


def serve_with_workers(
    settings: Settings,
    catalog: LoadedCatalog,
    environment: RuntimeEnvironment,
    listener: socket.socket,
    *,
    announce: Announce,
    show_key: ShowKey,
) -> None:
    """Run until told to stop, or until a worker cannot come up."""
    container = make_container(settings, catalog, environment=environment)
    crew = Crew(settings=settings, catalog=catalog, environment=environment, listener=listener)
    with shared_metrics(), stop_requests() as requests:
        asyncio.run(_lead(container, crew, requests, announce, show_key))


async def _lead(
    container: AsyncContainer,
    crew: Crew,
    requests: StopRequests,
    announce: Announce,
    show_key: ShowKey,
) -> None:
    try:
        url = await _unless_asked_to_stop(requests, _prepare(container, crew.settings))
        if url is None:
            return
        crew.settings = msgspec.structs.replace(crew.settings, database_url=url)
        try:
            # Before any worker says that it is ready.
            welcome = await first_run(container, show_key)
            await _watch(crew, requests, partial(announce, welcome))
        finally:
            # Nobody would take the connections that wait here.
            crew.listener.close()
            requests.on_request = crew.ask_to_stop
            log.info("server.stopping", workers=len(crew.workers))
            await crew.dismiss()
    finally:
        await container.close()


async def _prepare(container: AsyncContainer, settings: Settings) -> str:
    url = await container.get(DatabaseUrl)
    await prepare_database(url, wait_s=settings.database_wait_seconds)
    return url


async def _watch(crew: Crew, requests: StopRequests, announce: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    is_announced = False
    while not requests.count:
        crew.tend(loop.time())
        if not is_announced and crew.is_serving:
            is_announced = True
            announce()
        await asyncio.sleep(LOOK_EVERY_S)


async def _unless_asked_to_stop(
    requests: StopRequests, work: Coroutine[Any, Any, str]
) -> str | None:
    """What the work gives, or ``None`` when it was cancelled since the process is to stop."""
    task = asyncio.create_task(work)
    while not task.done():
        await asyncio.wait([task], timeout=LOOK_EVERY_S)
        if requests.count and not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return None
    return await task
