"""The ledger's SQL. Every statement takes a whole batch as one JSON text, so that it is one write
to the socket and one transaction."""

# How the rows stand in the JSON: flat, since each `->` into an object reads all of it again. What
# a row does not name is null.
_BIRTH = {
    "id": "uuid",
    "team_id": "uuid",
    "key_id": "uuid",
    "user_id": "uuid",
    "correlation_id": "text",
    "endpoint": "text",
    "model": "text",
    "stream": "boolean",
    "created_at": "timestamptz",
    "tags": "text[]",
    "held": "numeric",
    "allotment_id": "uuid",
}
# What settling may change.
_OUTCOME = {
    "provider": "text",
    "deployment": "text",
    "input_price": "numeric",
    "output_price": "numeric",
    "cached_input_price": "numeric",
    "cache_write_price": "numeric",
    "cache_write_1h_price": "numeric",
    "reasoning_price": "numeric",
    "audio_input_price": "numeric",
    "audio_output_price": "numeric",
    "character_price": "numeric",
    "request_price": "numeric",
    "image_price": "numeric",
    "second_price": "numeric",
    "status": "text",
    "settled_at": "timestamptz",
    "error_code": "text",
    "finish_reason": "text",
    "prompt_tokens": "bigint",
    "cached_tokens": "bigint",
    "cache_write_tokens": "bigint",
    "cache_write_1h_tokens": "bigint",
    "audio_input_tokens": "bigint",
    "completion_tokens": "bigint",
    "reasoning_tokens": "bigint",
    "audio_output_tokens": "bigint",
    "images": "bigint",
    "seconds": "numeric",
    "characters": "bigint",
    "searches": "bigint",
    "usage_counted": "boolean",
    "cost": "numeric",
    "latency_ms": "double precision",
    "ttft_ms": "double precision",
    "provider_request_id": "text",
    "routed_to": "text",
    "lenders": "uuid[]",
    "reason": "text",
    "arm": "text",
    "attempts": "jsonb",
    "cache": "text",
    "saved": "numeric",
    "guardrails": "jsonb",
}
_COLUMNS = _BIRTH | _OUTCOME
_CONTENT = {"request": "text", "response": "text"}

# ruff: noqa: S608 - everything that is put together here is written here

# A retry may repeat what the database has done already.
_ON_RETRY = " ON CONFLICT DO NOTHING"


def insert(*, retry: bool, contents: bool) -> str:
    """``$2`` is the process that writes."""
    return (
        f"{_contents() if contents else ''}"
        f"INSERT INTO calls ({', '.join(_COLUMNS)}, process)"
        f" SELECT {', '.join(_COLUMNS)}, $2::bigint FROM {_record(_COLUMNS)}"
        f"{_ON_RETRY if retry else ''}"
    )


def settle(*, contents: bool) -> str:
    """``$2`` and ``$3`` are the lowest and the highest id of the batch: they keep all other months
    out of the plan, which halves what a settlement costs the database.

    A second outcome of a call changes nothing, so that repeating the statement is harmless. An
    interrupted call may turn out to be alive: its process had only lost the database.
    """
    changes = ", ".join(f"{column} = r.{column}" for column in _OUTCOME)
    record = _record({"id": "uuid", "team_id": "uuid"} | _OUTCOME)
    return (
        f"{_contents() if contents else ''}"
        f"UPDATE calls AS c SET {changes} FROM {record}"
        " WHERE c.team_id = r.team_id AND c.id = r.id AND c.status IN ('open', 'interrupted')"
        " AND c.id BETWEEN $2::uuid AND $3::uuid"
    )


def _contents() -> str:
    record = _record({"id": "uuid", "team_id": "uuid"} | _CONTENT)
    return (
        "WITH contents AS (INSERT INTO call_contents (team_id, id, request, response)"
        f" SELECT team_id, id, request, response FROM {record}"
        f" WHERE r.request IS NOT NULL{_ON_RETRY}) "
    )


def _record(columns: dict[str, str]) -> str:
    named = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    return f"json_to_recordset($1::json) AS r({named})"
