"""The ledger's tables, partitioned by month of their UUIDv7 ids.

`calls` has a foreign key to its team only. Keys and users are never deleted while their team
lives, so a key to them would protect nothing, and each would cost a look-up for every call; a row
that cannot be stored because of a missing key would be a lost call. `call_contents` refers to its
team and not to its call, so that a month of either can be dropped without touching the other.

Settling changes `status`, which the index of open rows depends on, so updates are never
heap-only and a fill factor would only waste space. That index is worth it: it finds what killed
processes left behind in the number of open rows, however long the ledger is.
"""

from advanced_alchemy.types.datetime import DateTimeUTC
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Numeric,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from adapters.postgres.base import Row
from domain.inference.call import CacheUse, CallStatus

calls = Table(
    "calls",
    Row.metadata,
    Column("team_id", Uuid, ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("key_id", Uuid),
    Column("user_id", Uuid),
    Column("correlation_id", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("stream", Boolean, nullable=False),
    Column("created_at", DateTimeUTC(timezone=True), nullable=False),
    Column("provider", Text),
    Column("deployment", Text),
    Column("input_price", Numeric),
    Column("output_price", Numeric),
    Column("cached_input_price", Numeric),
    Column("cache_write_price", Numeric),
    Column("cache_write_1h_price", Numeric),
    Column("reasoning_price", Numeric),
    Column("audio_input_price", Numeric),
    Column("audio_output_price", Numeric),
    Column("character_price", Numeric),
    Column("request_price", Numeric),
    Column("image_price", Numeric),
    Column("second_price", Numeric),
    Column("status", Text, nullable=False),
    Column("settled_at", DateTimeUTC(timezone=True)),
    Column("error_code", Text),
    Column("finish_reason", Text),
    Column("prompt_tokens", BigInteger),
    Column("cached_tokens", BigInteger),
    # Null, as all the following, is none.
    Column("cache_write_tokens", BigInteger),
    Column("cache_write_1h_tokens", BigInteger),
    Column("audio_input_tokens", BigInteger),
    Column("audio_output_tokens", BigInteger),
    Column("images", BigInteger),
    Column("seconds", Numeric),
    Column("characters", BigInteger),
    Column("searches", BigInteger),
    Column("completion_tokens", BigInteger),
    Column("reasoning_tokens", BigInteger),
    Column("usage_counted", Boolean),
    Column("cost", Numeric),
    Column("latency_ms", Double),
    Column("ttft_ms", Double),
    Column("provider_request_id", Text),
    Column("routed_to", Text),
    Column("reason", Text),
    Column("arm", Text),
    Column("attempts", JSONB),
    Column("cache", Text),
    Column("saved", Numeric),
    Column("guardrails", JSONB),
    Column("tags", ARRAY(Text)),
    # Null, as with the tags, is none.
    Column("lenders", ARRAY(Uuid)),
    # What was held for the call, of an allotment; other holds are rows of their own.
    Column("held", Numeric),
    Column("allotment_id", Uuid),
    # Which server process opened the row: see `process_presence`.
    Column("process", BigInteger, nullable=False),
    CheckConstraint(f"status IN {tuple(map(str, CallStatus))}", name="status"),
    CheckConstraint(f"cache IN {tuple(map(str, CacheUse))}", name="cache"),
    Index(None, "team_id", "key_id", "id"),
    Index(None, "team_id", "model", "id"),
    Index("ix_calls_process_open", "process", postgresql_where=text("status = 'open'")),
    Index(
        "ix_calls_lenders",
        "lenders",
        postgresql_using="gin",
        postgresql_where=text("lenders IS NOT NULL"),
    ),
    postgresql_partition_by="RANGE (id)",
)

call_contents = Table(
    "call_contents",
    Row.metadata,
    Column("team_id", Uuid, ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("request", Text, nullable=False),
    Column("response", Text, nullable=False),
    postgresql_partition_by="RANGE (id)",
)
