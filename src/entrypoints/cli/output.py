"""How commands print: tables for people, JSON for programs, nothing else on standard output."""

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click
import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

Command = TypeVar("Command", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

# A table that nobody looks at must not be folded to the width of a terminal that is not there.
UNLIMITED_WIDTH = 10_000


def print_json(value: object) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Iterable[str] = (),
    footer: Sequence[object] | None = None,
) -> None:
    """Print rows below the names of their columns; those in ``right`` are aligned right."""
    table = Table(box=SIMPLE_HEAD, show_footer=footer is not None, pad_edge=False)
    aligned = frozenset(right)
    for index, column in enumerate(columns):
        table.add_column(
            column,
            justify="right" if column in aligned else "left",
            footer="" if footer is None else _cell(footer[index]),
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    console = Console(width=None if sys.stdout.isatty() else UNLIMITED_WIDTH, highlight=False)
    console.print(table)


def shown(value: object) -> str:
    """A value as a cell of a table shows it."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return ", ".join(str(item) for item in value) or "-"
    if hasattr(value, "strftime"):
        return str(value.strftime("%Y-%m-%d %H:%M"))
    return str(value)


def _cell(value: object) -> Text:
    return Text(shown(value))
