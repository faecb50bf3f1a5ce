"""The audit log as a file: CSV for spreadsheets (RFC 4180), JSON lines for programs."""

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Any

import msgspec

from adapters.http.audit.schemas import AuditEntryView
from adapters.http.spreadsheet import csv_lines
from domain.operations.audit import AuditEntry

COLUMNS = AuditEntryView.__struct_fields__

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
        yield csv_lines([COLUMNS])
    async for entries in pieces:
        views = map(AuditEntryView.of, entries)
        if wanted is ExportFormat.CSV:
            yield csv_lines([_cell(getattr(view, name)) for name in COLUMNS] for view in views)
        else:
            yield b"".join(_encode(view) + b"\n" for view in views)


def _cell(value: Any) -> object:
    if value is None:
        return ""
    plain = msgspec.to_builtins(value)
    return plain if isinstance(plain, str) else _encode(plain).decode()
