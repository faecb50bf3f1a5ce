"""Runs what a command does inside an event loop and a container."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import click
from dishka import AsyncContainer

from application.identity.act_as_operator import ActAsOperator
from application.identity.found_first_team import FoundFirstTeam
from application.identity.issue_key import IssuedKey
from application.shared.actor import Actor
from application.shared.ports import Clock, IdGenerator
from entrypoints.cli.invocation import Invocation
from entrypoints.lean_imports import many_imports
from entrypoints.logging import configure_logging
from entrypoints.settings_loading import LoadedSettings, SettingSource, load_settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A container for the length of one command, and the person at the terminal."""

    container: AsyncContainer
    actor: Actor
    clock: Clock
    ids: IdGenerator

    async def get(self, dependency_type: type[T]) -> T:
        return await self.container.get(dependency_type)


def settings_of(invocation: Invocation) -> LoadedSettings:
    """Load the settings and make logging fit for a command: quiet unless somebody asked."""
    loaded = load_settings(overrides=invocation.overrides)
    level = None
    if invocation.debug:
        level = "debug"
    elif loaded.sources["log_level"] is SettingSource.DEFAULT:
        level = "error"
    configure_logging(loaded.settings, level=level, tells_failures=level != "error")
    return loaded


def run_session(invocation: Invocation, work: Callable[[Session], Awaitable[T]]) -> T:
    """Open the container, find the operator, and do the work. On a database that nobody has used
    yet, the first team is made, and its key is shown as the server would show it."""
    loaded = settings_of(invocation)

    async def inside() -> T:
        # The container imports everything that Stoa can do, which `stoa keys --help` needs not.
        with many_imports():
            from entrypoints.container import open_container  # noqa: PLC0415

        async with open_container(loaded) as container:
            await (await container.get(FoundFirstTeam))(_show_first_key)
            act_as_operator = await container.get(ActAsOperator)
            session = Session(
                container=container,
                actor=await act_as_operator(),
                clock=await container.get(Clock),
                ids=await container.get(IdGenerator),
            )
            return await work(session)

    return run_async(inside())


def _show_first_key(issued: IssuedKey) -> None:
    click.echo(f"The first API key, shown only this once: {issued.secret}", err=True)


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Like ``asyncio.run``, with SIGTERM cancelling the work as Ctrl-C does."""

    async def cancellable() -> T:
        task = asyncio.current_task()
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    try:
        return asyncio.run(cancellable())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
