"""How commands print: tables for people, JSON for programs, nothing else on standard output."""

import json
import re
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import click
import msgspec
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

Command = TypeVar("Command", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
wide_option = click.option(
    "--wide", is_flag=True, help="Print more columns than fit into a narrow terminal."
)

# A table that nobody looks at must not be folded to the width of a terminal that is not there.
UNLIMITED_WIDTH = 10_000
NARROWEST_FOLDED = 12
GAP = 2

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def print_json(value: object) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Collection[str] = (),
    fold: Collection[str] = (),
    left_out: Collection[str] = (),
    footer: Sequence[object] = (),
) -> None:
    """Print rows below the names of their columns; those in ``right`` are aligned right, those in
    ``fold`` give way where the terminal is narrow, and those in ``left_out`` are not printed.
    Nothing is cut off: what cannot give way makes the table wider than the terminal."""
    printed = [index for index, column in enumerate(columns) if column not in left_out]
    body = [[shown(row[index]) for index in printed] for row in rows]
    foot = [shown(footer[index]) if footer else "" for index in printed]
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))
    table.show_footer = bool(footer)
    needed = -GAP
    for place, index in enumerate(printed):
        column = columns[index]
        width = max(cell_len(text) for text in (column, foot[place], *(r[place] for r in body)))
        if column in fold:
            width = min(width, NARROWEST_FOLDED)
        needed += width + GAP
        table.add_column(
            column,
            justify="right" if column in right else "left",
            footer=Text(foot[place]),
            overflow="fold",
            min_width=width,
            no_wrap=column not in fold,
        )
    for line in body:
        table.add_row(*map(Text, line))
    _print(table, needed)


def _print(table: Table, needed: int) -> None:
    console = Console(width=None if sys.stdout.isatty() else UNLIMITED_WIDTH, highlight=False)
    console.width = max(console.width, needed)
    console.print(table)


def print_members(members: Iterable[tuple[str, object]]) -> None:
    """Print one thing: each member on a line of its own."""
    lines = [(name, shown(value)) for name, value in members]
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        click.echo(f"{name:{width}}  {value}")


def shown(value: object) -> str:
    """A value as a cell of a table shows it, on one line and without a hold on the terminal."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return ", ".join(map(shown, value)) or "-"
    if isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), str(value))
