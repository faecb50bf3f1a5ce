import asyncio
from dataclasses import dataclass
from uuid import UUID

import pytest
from dishka import Provider, Scope, make_async_container
from structlog.testing import capture_logs

from application.shared.actor import Actor
from domain.shared.errors import ConflictError
from domain.shared.ids import TeamId
from entrypoints.instrumentation import instrumented

TEAM = TeamId(UUID(int=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    word: str = "chaire"


def a_greeting() -> Greeting:
    return Greeting()


@dataclass(frozen=True, slots=True, kw_only=True)
class GreetCommand:
    actor: Actor
    name: str
    password: str = "canary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Greet:
    """Greets."""

    greeting: Greeting

    async def __call__(self, command: GreetCommand) -> str:
        if command.name == "taken":
            raise ConflictError("That name is taken.")
        if command.name == "broken":
            raise RuntimeError("no")
        if command.name == "gone":
            raise asyncio.CancelledError
        return f"{self.greeting.word} {command.name}"


async def test_a_call_logs_its_start_and_its_end() -> None:
    greet = instrumented(Greet)(greeting=Greeting())

    with capture_logs() as lines:
        answer = await greet(GreetCommand(actor=Actor(team_id=TEAM), name="zeno"))

    assert answer == "chaire zeno"
    assert [line["event"] for line in lines] == ["START", "FINISH"]
    assert [line["use_case"] for line in lines] == ["Greet", "Greet"]
    assert lines[0]["log_level"] == "debug"
    assert lines[0]["parameters"]["command"]["name"] == "zeno"
    assert lines[1]["duration_ms"] >= 0
    assert "canary" not in str(lines)


@pytest.mark.parametrize(
    ("name", "error", "level", "traceback"),
    [
        ("taken", ConflictError, "warning", False),
        ("broken", RuntimeError, "error", True),
        ("gone", asyncio.CancelledError, "info", False),
    ],
)
async def test_a_failure_is_logged_by_its_kind_and_raised_unchanged(
    name: str, error: type[BaseException], level: str, traceback: bool
) -> None:
    greet = instrumented(Greet)(greeting=Greeting())

    with capture_logs() as lines, pytest.raises(error):
        await greet(GreetCommand(actor=Actor(team_id=TEAM), name=name))

    assert lines[-1]["event"] == "FAIL"
    assert lines[-1]["log_level"] == level
    assert ("exc_info" in lines[-1]) is traceback


async def test_the_container_serves_it_in_place_of_the_use_case() -> None:
    provider = Provider(scope=Scope.APP)
    provider.provide(a_greeting)
    provider.provide(instrumented(Greet), provides=Greet)
    container = make_async_container(provider)

    greet = await container.get(Greet)

    assert isinstance(greet, Greet)
    assert Greet.__doc__ == type(greet).__doc__
    await container.close()
