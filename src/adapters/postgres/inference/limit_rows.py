"""The counters of limits. They are worth a minute, so nothing is lost with a database that crashes
and forgets them: unlogged tables cost no write-ahead log.

They have no foreign keys, which would make the first call of a subject wait for whoever holds its
row, to protect what goes by itself: see ``limit_sweep``.
"""

from advanced_alchemy.types.datetime import DateTimeUTC
from sqlalchemy import BigInteger, CheckConstraint, Column, Double, Table, Text, Uuid

from adapters.postgres.base import Row
from domain.identity.allowance import SubjectKind
from domain.inference.rate import Purpose

limit_counters = Table(
    "limit_counters",
    Row.metadata,
    Column("team_id", Uuid, primary_key=True),
    Column("purpose", Text, primary_key=True),
    Column("subject_kind", Text, primary_key=True),
    Column("subject_id", Uuid, primary_key=True),
    Column("requests", Double, nullable=False),
    Column("tokens", Double, nullable=False),
    Column("at", DateTimeUTC(timezone=True), nullable=False),
    CheckConstraint(f"purpose IN {tuple(map(str, Purpose))}", name="purpose"),
    CheckConstraint(f"subject_kind IN {tuple(map(str, SubjectKind))}", name="subject_kind"),
    prefixes=["UNLOGGED"],
)

limit_slots = Table(
    "limit_slots",
    Row.metadata,
    Column("team_id", Uuid, primary_key=True),
    Column("subject_kind", Text, primary_key=True),
    Column("subject_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    # Which server process holds it: see `process_presence`.
    Column("process", BigInteger, nullable=False),
    CheckConstraint(f"subject_kind IN {tuple(map(str, SubjectKind))}", name="subject_kind"),
    prefixes=["UNLOGGED"],
)
