"""The audit log as a file: CSV for spreadsheets (RFC 4180), JSON lines for programs."""

import csv
import io
from collections.abc import AsyncIterator, Iterable
from enum import StrEnum
from typing import Any

import msgspec

from adapters.http.audit.schemas import AuditEntryView
from domain.operations.audit import AuditEntry

COLUMNS = AuditEntryView.__struct_fields__

# A spreadsheet takes a cell that begins so for a formula, and may run it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")  # noqa: RUF001

_encode = msgspec.json.Encoder().encode


class ExportFormat(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"

    @property
    def media_type(self) -> str:
        return _MEDIA_TYPES[self]


_MEDIA_TYPES = {
    ExportFormat.CSV: "text/csv",
    ExportFormat.JSONL: "application/jsonl",
}


async def export(
    pieces: AsyncIterator[tuple[AuditEntry, ...]], wanted: ExportFormat
) -> AsyncIterator[bytes]:
    """The file, piece by piece."""
    if wanted is ExportFormat.CSV:
        yield _csv([COLUMNS])
    async for entries in pieces:
        views = map(AuditEntryView.of, entries)
        if wanted is ExportFormat.CSV:
            yield _csv([_cell(getattr(view, name)) for name in COLUMNS] for view in views)
        else:
            yield b"".join(_encode(view) + b"\n" for view in views)


def _csv(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    plain = msgspec.to_builtins(value)
    text = plain if isinstance(plain, str) else _encode(plain).decode()
    return f"'{text}" if text.startswith(_FORMULA) else text
