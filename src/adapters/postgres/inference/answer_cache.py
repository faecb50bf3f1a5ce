import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec
import structlog
from sqlalchemy import RowMapping, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.errors import translated
from adapters.postgres.inference.kept_answer_rows import kept_answers
from application.inference.keeping.ports import (
    AnswerCache,
    AnswerToKeep,
    KeptAnswer,
    Meaning,
    Moment,
    Nearest,
)
from application.shared.ports import Errands
from domain.shared.errors import StoaError, UnavailableError
from domain.shared.ids import TeamId
from domain.shared.usage import Usage

log = structlog.get_logger()

PATIENCE_S = 0.5
MOST_UNWRITTEN = 256
MOST_UNWRITTEN_BYTES = 32 * 1024 * 1024
# What a team keeps at most; what is beyond goes when it is tidied up.
MOST_OF_TEAM = 10_000
MOST_BYTES_OF_TEAM = 256 * 1024 * 1024
# Of how many of the latest questions of a scope the nearest is sought. Postgres itself takes some
# 60 us to compare two vectors, the extension `vector` one.
MOST_COMPARED = 200
MOST_COMPARED_BY_EXTENSION = 10_000

_ANSWER = "blocks, content_type, usage, model, finish_reason, worth, kept_at"
_FIND = text(
    f"SELECT key, {_ANSWER} FROM kept_answers"  # noqa: S608
    " WHERE team_id = :team_id AND key = ANY(CAST(:keys AS bytea[]))"
    " AND expires_at > :at AND kept_at >= :since"
    " ORDER BY array_position(CAST(:keys AS bytea[]), key) LIMIT 1"
)
_LATEST = """
SELECT key, {similarity} AS similarity FROM (
    SELECT key, vector AS v FROM kept_answers
    WHERE team_id = :team_id AND scope = :scope AND expires_at > :at AND kept_at >= :since
    AND cardinality(vector) = cardinality(CAST(:vector AS real[]))
    ORDER BY kept_at DESC LIMIT :most
) latest ORDER BY similarity DESC LIMIT 1
"""
_PLAIN = "(SELECT sum(a * b) FROM unnest(v, CAST(:vector AS real[])) AS pair(a, b))"
_BY_EXTENSION = "-(CAST(v AS vector) <#> CAST(CAST(:vector AS real[]) AS vector))"
_NEAREST = """
WITH nearest AS ({latest})
SELECT similarity, {answer} FROM nearest
JOIN kept_answers USING (key) WHERE team_id = :team_id AND expires_at > :at
"""
_HAS_EXTENSION = text("SELECT to_regtype('vector') IS NOT NULL AS has_extension")
_PURGE = text("""
WITH ranked AS (
    SELECT team_id, key, expires_at,
        row_number() OVER newest AS place, sum(bytes) OVER newest AS upto
    FROM kept_answers WINDOW newest AS (PARTITION BY team_id ORDER BY kept_at DESC, key)
)
DELETE FROM kept_answers k USING ranked r WHERE k.team_id = r.team_id AND k.key = r.key
AND (r.expires_at <= :at OR r.place > :most OR r.upto > :most_bytes)
""")

_encode_usage = msgspec.json.Encoder().encode
_usage = msgspec.json.Decoder(Usage)


def _nearest_by(similarity: str) -> Any:
    latest = _LATEST.format(similarity=similarity)
    return text(_NEAREST.format(latest=latest, answer=_ANSWER))


class PostgresAnswerCache(AnswerCache):
    """Writes behind the call: what is not written yet is found in memory. Vectors are compared by
    the extension `vector` where the database has it, and otherwise by Postgres itself, which
    looks at fewer of them."""

    def __init__(
        self,
        engine: AsyncEngine,
        errands: Errands,
        *,
        uses_extension: bool | None = None,
        most_of_team: int = MOST_OF_TEAM,
        most_bytes_of_team: int = MOST_BYTES_OF_TEAM,
    ) -> None:
        """``uses_extension`` is found out where it is not said."""
        self._engine = engine
        self._errands = errands
        self._uses_extension = uses_extension
        self._share = {"most": most_of_team, "most_bytes": most_bytes_of_team}
        self._unwritten: dict[tuple[TeamId, bytes], AnswerToKeep] = {}
        self._unwritten_bytes = 0

    async def find(
        self, team_id: TeamId, keys: Sequence[bytes], moment: Moment
    ) -> tuple[bytes, KeptAnswer] | None:
        for key in keys:
            unwritten = self._unwritten.get((team_id, key))
            if unwritten is not None and _counts(unwritten, moment):
                return key, unwritten.answer
        row = await self._read(_FIND, _of(moment) | {"team_id": team_id, "keys": list(keys)})
        return None if row is None else (bytes(row["key"]), _answer_of(row))

    async def nearest(self, team_id: TeamId, meaning: Meaning, moment: Moment) -> Nearest | None:
        by_extension = await self._has_extension()
        row = await self._read(
            _nearest_by(_BY_EXTENSION if by_extension else _PLAIN),
            _of(moment)
            | {
                "team_id": team_id,
                "scope": meaning.scope,
                "vector": list(meaning.vector),
                "most": MOST_COMPARED_BY_EXTENSION if by_extension else MOST_COMPARED,
            },
        )
        if row is None:
            return None
        return Nearest(answer=_answer_of(row), similarity=float(row["similarity"]))

    def keep(self, kept: AnswerToKeep) -> None:
        size = sum(map(len, kept.answer.blocks))
        is_full = self._unwritten_bytes + size > MOST_UNWRITTEN_BYTES
        if is_full or len(self._unwritten) >= MOST_UNWRITTEN:
            log.warning("answer_cache.full", unwritten=len(self._unwritten))
            return
        place = (kept.team_id, kept.key)
        self._unwritten[place] = kept
        self._unwritten_bytes += size

        async def write() -> None:
            try:
                await self._write(kept)
            finally:
                self._forget(place, kept, size)

        try:
            self._errands.send("keep answer", write)
        except UnavailableError as error:
            self._forget(place, kept, size)
            log.warning("answer_cache.full", reason=error.message)

    def _forget(self, place: tuple[TeamId, bytes], kept: AnswerToKeep, size: int) -> None:
        self._unwritten_bytes -= size
        if self._unwritten.get(place) is kept:
            del self._unwritten[place]

    async def purge(self, at: datetime) -> int:
        with translated():
            async with self._engine.begin() as connection:
                return (await connection.execute(_PURGE, {"at": at, **self._share})).rowcount

    async def _write(self, kept: AnswerToKeep) -> None:
        row = _row_of(kept)
        put = insert(kept_answers).values(**row)
        try:
            with translated():
                async with self._engine.begin() as connection:
                    await connection.execute(put.on_conflict_do_update("pk_kept_answers", set_=row))
        except StoaError as error:
            log.warning("answer_cache.not_kept", reason=error.message)

    async def _read(self, query: Any, values: Mapping[str, Any]) -> RowMapping | None:
        with suppress(TimeoutError), translated():
            async with asyncio.timeout(PATIENCE_S), self._engine.connect() as connection:
                return (await connection.execute(query, values)).mappings().first()
        raise UnavailableError("The cache of answers takes too long.")

    async def _has_extension(self) -> bool:
        if self._uses_extension is None:
            row = await self._read(_HAS_EXTENSION, {})
            self._uses_extension = row is not None and bool(row["has_extension"])
        return self._uses_extension


def _of(moment: Moment) -> dict[str, Any]:
    return {"at": moment.at, "since": moment.since}


def _counts(kept: AnswerToKeep, moment: Moment) -> bool:
    return kept.expires_at > moment.at and moment.allows(kept.answer)


def _row_of(kept: AnswerToKeep) -> dict[str, Any]:
    answer, meaning = kept.answer, kept.meaning
    return {
        "team_id": kept.team_id,
        "key": kept.key,
        "blocks": list(answer.blocks),
        "content_type": answer.content_type,
        "usage": _encode_usage(answer.usage).decode(),
        "model": answer.model,
        "finish_reason": answer.finish_reason,
        "worth": answer.worth,
        "bytes": sum(map(len, answer.blocks)),
        "kept_at": answer.kept_at,
        "expires_at": kept.expires_at,
        "scope": None if meaning is None else meaning.scope,
        "vector": None if meaning is None else list(meaning.vector),
    }


def _usage_of(row: RowMapping) -> Usage:
    try:
        return _usage.decode(row["usage"])
    except msgspec.MsgspecError as error:
        # Another version wrote it.
        raise UnavailableError("A kept answer cannot be read.") from error


def _answer_of(row: RowMapping) -> KeptAnswer:
    return KeptAnswer(
        blocks=tuple(map(bytes, row["blocks"])),
        content_type=row["content_type"],
        usage=_usage_of(row),
        model=row["model"],
        finish_reason=row["finish_reason"],
        worth=row["worth"],
        kept_at=row["kept_at"],
    )
