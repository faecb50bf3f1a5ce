"""CSV as RFC 4180 has it, which no spreadsheet takes for formulas."""

import csv
import io
import re
from collections.abc import Iterable

# Where the comma is the decimal sign, spreadsheets end a cell at a semicolon, and some at a tab.
_NEW_CELL = re.compile("([;\t]\\s*)([=+\\-@|%＝＋－＠])")  # noqa: RUF001
# A spreadsheet takes a cell that begins so for a formula, and may run it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")  # noqa: RUF001


def csv_lines(rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(map(_cell, row) for row in rows)
    return text.getvalue().encode()


def _cell(value: object) -> str:
    text = _NEW_CELL.sub(r"\1'\2", "" if value is None else str(value))
    return f"'{text}" if text.startswith(_FORMULA) else text
