import os
import pty
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from entrypoints.cli.output import print_members, print_table, shown

COLUMNS = ("name", "outcome", "id")
ID = "01a1fdf4-5d7e-768e-8b96-db1b53e4dc13"
LONG = "a-model-with-a-very-long-name-that-no-terminal-shows-whole-beside-all-the-rest"


@contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> Iterator[list[str]]:
    """Standard output as a terminal of so many columns; yields its lines when they are printed."""
    lines: list[str] = []
    controller, follower = pty.openpty()
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "dumb")
    with os.fdopen(follower, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        yield lines
        stream.flush()
        lines += os.read(controller, 65536).decode().replace("\r\n", "\n").splitlines()
    os.close(controller)


def test_what_may_give_way_is_folded_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(monkeypatch, 80) as lines:
        print_table(COLUMNS, [(LONG, "succeeded", ID)], fold=("name",))

    assert max(map(len, lines)) <= 80
    assert "".join(line.split("  ")[0] for line in lines[2:]) == LONG
    assert lines[2].rstrip().endswith(f"succeeded  {ID}")


def test_what_may_not_give_way_makes_the_table_wider(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(monkeypatch, 20) as lines:
        print_table(COLUMNS, [("m", "succeeded", ID)], fold=("name",))

    assert lines[2].split() == ["m", "succeeded", ID]


def test_columns_can_be_left_out_of_rows_and_footer(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(
        ("day", "calls", "open"),
        [("monday", 12, 1)],
        right=("calls",),
        left_out=("open",),
        footer=("total", 12, 1),
    )

    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert [lines[0], *lines[2:]] == [["day", "calls"], ["monday", "12"], ["total", "12"]]


def test_a_table_that_is_piped_is_not_folded(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(COLUMNS, [(LONG * 3, "succeeded", ID)], fold=("name",))

    assert f"{LONG * 3}  succeeded  {ID}" in capsys.readouterr().out


def test_a_single_thing_is_printed_member_by_member(capsys: pytest.CaptureFixture[str]) -> None:
    print_members((("team", "Stoics"), ("captures contents", False)))

    assert capsys.readouterr().out == "team               Stoics\ncaptures contents  no\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        ("", "-"),
        ((), "-"),
        (True, "yes"),
        (0, "0"),
        (("a", "b"), "a, b"),
        (datetime(2026, 11, 21, 12, 30, 59, tzinfo=UTC), "2026-11-21 12:30"),
        ("two\nlines \x1b[31mred", "two\\nlines \\x1b[31mred"),
        (("\x9b31m",), "\\x9b31m"),
        ("[bold]Ключ[/bold]", "[bold]Ключ[/bold]"),
        ({"pii": ["email"]}, '{"pii": ["email"]}'),
        ({"a": "\x9b31m"}, '{"a": "\\x9b31m"}'),
    ],
)
def test_a_value_stays_on_its_line_and_controls_no_terminal(value: object, text: str) -> None:
    assert shown(value) == text
