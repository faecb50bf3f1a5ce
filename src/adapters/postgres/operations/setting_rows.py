from sqlalchemy import CheckConstraint, Column, ForeignKey, LargeBinary, Table, Text, Uuid

from adapters.postgres.base import Row

# A secret is stored sealed, anything else as text.
_ONE_OF_TWO = "(value IS NULL) <> (sealed IS NULL)"

server_settings = Table(
    "server_settings",
    Row.metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text),
    Column("sealed", LargeBinary),
    CheckConstraint(_ONE_OF_TWO, name="one_value"),
)

team_settings = Table(
    "team_settings",
    Row.metadata,
    Column("team_id", Uuid, ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Text),
    Column("sealed", LargeBinary),
    CheckConstraint(_ONE_OF_TWO, name="one_value"),
)
