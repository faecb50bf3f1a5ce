"""Uploads as forms (`multipart/form-data`): read without copying the files in them, and written
anew with every value byte for byte."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from domain.shared.errors import InvalidError

MAX_PARTS = 100
_BOUNDARY = re.compile(
    r"""[;\s]boundary=("?)([0-9A-Za-z'()+_,./:=?-]{1,70})\1(?=[;\s]|$)""", re.IGNORECASE
)
# What needs no quotes, which not all servers expect.
_TOKEN = re.compile(r"[0-9A-Za-z'+_.-]+")
_HEAD_LIMIT = 4096
# Without escapes: another reader might take `mo\del` for a second `model`.
_NAME = re.compile(r'[;\s]name="([^"\\\r\n]*)"', re.IGNORECASE)
_FILENAME = re.compile(r'[;\s]filename="((?:[^"\\\r\n]|\\[^\r\n])*)"', re.IGNORECASE)
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(;[ \t]*[\w.-]+=[\w.\"-]+)*")


@dataclass(frozen=True, slots=True)
class FormPart:
    """``filename`` is as it came, with its escapes; ``None`` for a part that is no file."""

    name: str
    content: memoryview
    filename: str | None = None
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class Form:
    boundary: str
    parts: tuple[FormPart, ...]

    @property
    def content_type(self) -> str:
        """With the one boundary that was understood, whatever else the client's header says."""
        shown = self.boundary if _TOKEN.fullmatch(self.boundary) else f'"{self.boundary}"'
        return f"multipart/form-data; boundary={shown}"

    def text(self, name: str) -> str | None:
        """The value of a field that may stand once. Raises ``InvalidError``."""
        part = self._one(name)
        if part is None:
            return None
        if part.filename is not None:
            raise InvalidError(f"'{name}' must be a field, not a file.", param=name)
        try:
            return bytes(part.content).decode()
        except UnicodeDecodeError as error:
            raise InvalidError(f"'{name}' is not valid UTF-8.", param=name) from error

    def file(self, name: str) -> FormPart | None:
        """Raises ``InvalidError`` for a part that is no file, and for more than one."""
        part = self._one(name)
        if part is not None and part.filename is None:
            raise InvalidError(f"'{name}' must be a file.", param=name)
        return part

    def written(self, changes: Mapping[str, str]) -> bytes:
        """The form with other values of some fields, under its own boundary.

        Only what was understood is written: a head that another reader would take differently
        cannot smuggle a second model past the gateway.
        """
        pieces: list[bytes | memoryview] = []
        for part in self.parts:
            changed = changes.get(part.name) if part.filename is None else None
            pieces += [self._head(part), part.content if changed is None else changed.encode()]
            pieces.append(b"\r\n")
        pieces.append(b"--%b--\r\n" % self.boundary.encode())
        return b"".join(pieces)

    def _head(self, part: FormPart) -> bytes:
        named = f'--{self.boundary}\r\nContent-Disposition: form-data; name="{part.name}"'
        if part.filename is not None:
            named += f'; filename="{part.filename}"'
        if part.content_type is not None:
            named += f"\r\nContent-Type: {part.content_type}"
        return f"{named}\r\n\r\n".encode()

    def _one(self, name: str) -> FormPart | None:
        found = [part for part in self.parts if part.name == name]
        if len(found) > 1:
            raise InvalidError(f"'{name}' stands twice.", param=name)
        return found[0] if found else None


def boundary_of(content_type: str) -> str | None:
    """``None`` for what is no form."""
    found = _BOUNDARY.search(content_type)
    is_form = content_type.lower().startswith("multipart/form-data")
    return found[2] if is_form and found is not None else None


def read_form(body: bytes, content_type: str) -> Form:
    """Raises ``InvalidError`` for what is no form."""
    boundary = boundary_of(content_type)
    if boundary is None:
        raise InvalidError("The request body must be multipart/form-data with a boundary.")
    line = b"--" + boundary.encode()
    parts: list[FormPart] = []
    start = len(line) if body.startswith(line) else -1
    while start >= 0 and not body.startswith(b"--", start):
        end = body.find(b"\r\n" + line, start)
        if end < 0 or not body.startswith(b"\r\n", start) or len(parts) == MAX_PARTS:
            raise _malformed()
        parts.append(_part(body, start, end))
        start = end + 2 + len(line)
    if start < 0:
        raise _malformed()
    return Form(boundary, tuple(parts))


def _part(body: bytes, start: int, end: int) -> FormPart:
    """The part whose head begins with the line break at ``start``."""
    head_end = body.find(b"\r\n\r\n", start, min(end + 4, start + _HEAD_LIMIT))
    if head_end < 0:
        raise _malformed()
    headers = _headers(body[start + 2 : head_end])
    disposition = headers.get("content-disposition", "")
    name, filename = _NAME.search(disposition), _FILENAME.search(disposition)
    if not disposition.lower().startswith("form-data") or name is None:
        raise _malformed()
    media_type = headers.get("content-type")
    if media_type is not None and not _MEDIA_TYPE.fullmatch(media_type):
        raise _malformed()
    return FormPart(
        name[1],
        memoryview(body)[head_end + 4 : end],
        None if filename is None else filename[1],
        media_type,
    )


def _headers(head: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon or name.lower() in headers:
            raise _malformed()
        headers[name.lower()] = value.strip()
    return headers


def _malformed() -> InvalidError:
    return InvalidError("The request body is not a well-formed multipart/form-data form.")
