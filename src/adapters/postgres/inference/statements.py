"""The ledger's SQL. Every statement takes a whole batch as one JSON text, so that it is one write
to the socket and one transaction."""

_RECORD = """json_to_recordset($1::json) AS r(
    id uuid, team_id uuid, key_id uuid, user_id uuid, correlation_id text, endpoint text,
    model text, stream boolean, created_at timestamptz, provider text, deployment text,
    price json, status text, settled_at timestamptz, error_code text, finish_reason text,
    usage json, cost numeric, latency_ms double precision, ttft_ms double precision,
    provider_request_id text, content json)"""

# What settling may change, and where it stands in the record.
_OUTCOME = {
    "provider": "r.provider",
    "deployment": "r.deployment",
    "input_price": "(r.price->>'input')::numeric",
    "output_price": "(r.price->>'output')::numeric",
    "cached_input_price": "(r.price->>'cached_input')::numeric",
    "status": "r.status",
    "settled_at": "r.settled_at",
    "error_code": "r.error_code",
    "finish_reason": "r.finish_reason",
    "prompt_tokens": "(r.usage->>'prompt_tokens')::bigint",
    "cached_tokens": "(r.usage->>'cached_tokens')::bigint",
    "completion_tokens": "(r.usage->>'completion_tokens')::bigint",
    "reasoning_tokens": "(r.usage->>'reasoning_tokens')::bigint",
    "usage_counted": "(r.usage->>'counted')::boolean",
    "cost": "r.cost",
    "latency_ms": "r.latency_ms",
    "ttft_ms": "r.ttft_ms",
    "provider_request_id": "r.provider_request_id",
}
_BIRTH = {
    name: f"r.{name}"
    for name in (
        "id",
        "team_id",
        "key_id",
        "user_id",
        "correlation_id",
        "endpoint",
        "model",
        "stream",
        "created_at",
    )
}
_ROW = {**_BIRTH, **_OUTCOME, "process": "$2::bigint"}

# ruff: noqa: S608 - everything that is put together here is written here

# A retry may repeat what the database has done already.
_ON_RETRY = " ON CONFLICT DO NOTHING"


def insert(*, retry: bool, contents: bool) -> str:
    """``$2`` is the process that writes."""
    return (
        f"{_contents() if contents else ''}"
        f"INSERT INTO calls ({', '.join(_ROW)}) SELECT {', '.join(_ROW.values())} FROM {_RECORD}"
        f"{_ON_RETRY if retry else ''}"
    )


def settle(*, contents: bool) -> str:
    """``$2`` and ``$3`` are the lowest and the highest id of the batch: they keep all other months
    out of the plan, which halves what a settlement costs the database.

    A second outcome of a call changes nothing, so that repeating the statement is harmless. An
    interrupted call may turn out to be alive: its process had only lost the database.
    """
    changes = ", ".join(f"{column} = {source}" for column, source in _OUTCOME.items())
    return (
        f"{_contents() if contents else ''}"
        f"UPDATE calls AS c SET {changes} FROM {_RECORD}"
        " WHERE c.team_id = r.team_id AND c.id = r.id AND c.status IN ('open', 'interrupted')"
        " AND c.id BETWEEN $2::uuid AND $3::uuid"
    )


def _contents() -> str:
    return (
        "WITH contents AS (INSERT INTO call_contents (team_id, id, request, response)"
        " SELECT r.team_id, r.id, r.content->>'request', r.content->>'response'"
        f" FROM {_RECORD} WHERE r.content IS NOT NULL{_ON_RETRY}) "
    )
