from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, RowMapping, delete, insert, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from adapters.postgres.errors import translated
from adapters.postgres.inference.response_rows import responses
from application.inference.responses.ports import KeptResponses, ResponseViewer, StoredResponses
from domain.inference.response_errors import (
    PreviousResponseNotFoundError,
    ResponseChainTooLongError,
    ResponseNotFoundError,
)
from domain.inference.stored_response import (
    Item,
    ResponseStatus,
    StoredResponse,
    is_item_id,
    response_name,
)
from domain.shared.ids import KeyId, ResponseId, TeamId, UserId


class PostgresStoredResponses(StoredResponses):
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, response: StoredResponse) -> None:
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(insert(responses).values(**_row_of(response)))

    async def get(self, viewer: ResponseViewer, response_id: ResponseId) -> StoredResponse:
        rows = await self._read(
            select(responses).where(*_visible(viewer), responses.c.id == response_id)
        )
        if not rows:
            raise ResponseNotFoundError(response_name(response_id))
        return _response_of(rows[0])

    async def chain(
        self, viewer: ResponseViewer, response_id: ResponseId, *, most: int, most_bytes: int
    ) -> Sequence[Item]:
        # First the links alone: the contents may be large.
        links = await self._read(_links(viewer, response_id, most))
        missing = links[-1]["previous_id"] if links else response_id
        if len(links) > most or sum(link["bytes"] for link in links) > most_bytes:
            raise ResponseChainTooLongError
        if missing is not None:
            raise PreviousResponseNotFoundError(response_name(ResponseId(missing)))
        ids = [link["id"] for link in reversed(links)]
        found = {
            row["id"]: row
            for row in await self._read(
                select(responses.c.id, responses.c.input, responses.c.document).where(
                    *_visible(viewer), responses.c.id.in_(ids)
                )
            )
        }
        for each in ids:
            if each not in found:
                # It went in between.
                raise PreviousResponseNotFoundError(response_name(ResponseId(each)))
        rows = (found[each] for each in ids)
        return [item for row in rows for item in (*_items(row["input"]), *_output(row["document"]))]

    async def items(self, viewer: ResponseViewer, ids: Sequence[str]) -> Mapping[str, Item]:
        wanted = frozenset(filter(is_item_id, ids))
        if not wanted:
            return {}
        rows = await self._read(
            select(responses.c.input, responses.c.document)
            .where(*_visible(viewer), responses.c.item_ids.overlap(list(wanted)))
            .order_by(responses.c.id)
        )
        return {
            item.id: item
            for row in rows
            for item in (*_items(row["input"]), *_output(row["document"]))
            if item.id in wanted
        }

    async def _read(self, query: Any) -> Sequence[RowMapping]:
        with translated():
            async with self._engine.connect() as connection:
                return (await connection.execute(query)).mappings().all()


class PostgresKeptResponses(KeptResponses):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def remove(self, viewer: ResponseViewer, response_id: ResponseId) -> None:
        with translated():
            removed = await self._session.execute(
                delete(responses)
                .where(*_visible(viewer), responses.c.id == response_id)
                .returning(responses.c.id)
            )
            if removed.first() is None:
                raise ResponseNotFoundError(response_name(response_id))


def _visible(viewer: ResponseViewer, table: Any = responses) -> list[ColumnElement[bool]]:
    """The conditions that every query for responses has."""
    columns = table.c
    found = [
        columns.team_id == viewer.team_id,
        or_(columns.expires_at.is_(None), columns.expires_at > viewer.at),
    ]
    if not viewer.sees_all:
        made_by = [columns.key_id == viewer.key_id] if viewer.key_id else []
        made_by += [columns.user_id == viewer.user_id] if viewer.user_id else []
        found.append(or_(literal(value=False), *made_by))
    return found


def _links(viewer: ResponseViewer, response_id: ResponseId, most: int) -> Any:
    """Newest first, and one more than ``most``."""
    wanted = (responses.c.id, responses.c.previous_id, responses.c.bytes)
    first = select(*wanted, literal(1).label("place")).where(
        *_visible(viewer), responses.c.id == response_id
    )
    links = first.cte("links", recursive=True)
    before = select(*wanted, links.c.place + 1).where(
        *_visible(viewer), responses.c.id == links.c.previous_id, links.c.place <= most
    )
    links = links.union_all(before)
    return select(links).order_by(links.c.place)


class _Named(msgspec.Struct):
    id: str = ""


class _Document(msgspec.Struct):
    output: list[msgspec.Raw] = []


_raws = msgspec.json.Decoder(list[msgspec.Raw])
_named = msgspec.json.Decoder(_Named)
_document = msgspec.json.Decoder(_Document)


def _row_of(response: StoredResponse) -> dict[str, Any]:
    items = (*response.input, *response.output)
    given = ",".join(item.json for item in response.input)
    return {
        "team_id": response.team_id,
        "id": response.id,
        "key_id": response.key_id,
        "user_id": response.user_id,
        "previous_id": response.previous_id,
        "model": response.model,
        "status": str(response.status),
        "input": f"[{given}]",
        "document": response.document,
        "item_ids": [item.id for item in items if item.can_be_referred_to],
        "bytes": sum(len(item.json.encode()) for item in items),
        "created_at": response.created_at,
        "expires_at": response.expires_at,
    }


def _response_of(row: RowMapping) -> StoredResponse:
    key_id, user_id, previous_id = row["key_id"], row["user_id"], row["previous_id"]
    return StoredResponse(
        id=ResponseId(row["id"]),
        team_id=TeamId(row["team_id"]),
        key_id=None if key_id is None else KeyId(key_id),
        user_id=None if user_id is None else UserId(user_id),
        previous_id=None if previous_id is None else ResponseId(previous_id),
        model=row["model"],
        status=ResponseStatus(row["status"]),
        created_at=row["created_at"],
        input=tuple(_items(row["input"])),
        output=tuple(_output(row["document"])),
        document=row["document"],
        expires_at=row["expires_at"],
    )


def _items(json: str) -> list[Item]:
    return [_item(raw) for raw in _raws.decode(json)]


def _output(document: str) -> list[Item]:
    return [_item(raw) for raw in _document.decode(document).output]


def _item(raw: msgspec.Raw) -> Item:
    json = bytes(raw)
    return Item(id=_named.decode(json).id, json=json.decode())
