import os
import pty
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from select import select

import click
import pytest
from click.testing import CliRunner

from domain.operations.model_settings import DEFAULT_CHAT_MODEL
from entrypoints.cli.runtime_settings import given_value

SECRET = replace(DEFAULT_CHAT_MODEL, name="some_password", secret=True)
ASK = """
from dataclasses import replace
from domain.operations.model_settings import DEFAULT_CHAT_MODEL
from entrypoints.cli.runtime_settings import given_value
print("got", given_value(replace(DEFAULT_CHAT_MODEL, secret=True), None))
"""


def test_an_argument_is_taken_as_it_stands() -> None:
    assert given_value(DEFAULT_CHAT_MODEL, "large") == "large"


def test_a_secret_is_no_argument() -> None:
    with pytest.raises(click.UsageError, match="standard input") as refused:
        given_value(SECRET, "hunter2")

    assert "hunter2" not in refused.value.message


def test_a_secret_comes_on_standard_input() -> None:
    @click.command()
    def ask() -> None:
        click.echo(f"got {given_value(SECRET, None)}")

    done = CliRunner().invoke(ask, input="hunter2\n")

    assert done.output == "got hunter2\n"


def test_a_secret_that_is_typed_is_not_shown() -> None:
    terminal, inside = pty.openpty()
    run = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", ASK],
        stdin=inside,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3] / "src")},
        start_new_session=True,
    )
    assert run.stderr is not None

    asked = b""
    while not asked.endswith(b": "):
        asked += run.stderr.read(1)
    os.write(terminal, b"hunter2\n")
    output, rest = run.communicate(timeout=60)
    os.set_blocking(terminal, False)
    echoed = os.read(terminal, 100) if select([terminal], [], [], 0)[0] else b""
    os.close(inside)
    os.close(terminal)

    assert output == b"got hunter2\n"
    assert b"hunter2" not in asked + rest + echoed
