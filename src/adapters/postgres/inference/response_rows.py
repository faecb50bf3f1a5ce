"""The table of responses that are kept. JSON is stored as the text that it came in: nothing
queries it, and ``jsonb`` would take neither its order nor every character of it."""

from advanced_alchemy.types.datetime import DateTimeUTC
from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from adapters.postgres.base import Row
from domain.inference.stored_response import ResponseStatus

responses = Table(
    "responses",
    Row.metadata,
    Column("team_id", Uuid, ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("key_id", Uuid),
    Column("user_id", Uuid),
    Column("previous_id", Uuid),
    Column("model", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("input", Text, nullable=False),
    Column("document", Text, nullable=False),
    # Of the input and the output, to find those that are only named.
    Column("item_ids", ARRAY(Text), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("created_at", DateTimeUTC(timezone=True), nullable=False),
    Column("expires_at", DateTimeUTC(timezone=True)),
    CheckConstraint(f"status IN {tuple(map(str, ResponseStatus))}", name="status"),
    Index("ix_responses_item_ids", "item_ids", postgresql_using="gin"),
    Index("ix_responses_expires_at", "expires_at"),
)
