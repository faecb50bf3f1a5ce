from advanced_alchemy.types.datetime import DateTimeUTC
from sqlalchemy import Column, Table, Text

from adapters.postgres.base import Row

# What stands of the news of deployments; a row whose time is over says nothing any more.
deployment_outages = Table(
    "deployment_outages",
    Row.metadata,
    Column("deployment", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("until", DateTimeUTC(timezone=True), nullable=False),
)
