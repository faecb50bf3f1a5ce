from typing import ClassVar

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

# A violation is mapped to a domain error by the name of the constraint, so every one has a name
# that follows from this rule.
NAMING_CONVENTION = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


class Row(DeclarativeBase):
    """Base of all rows. Ids and times come from the domain, so none of advanced-alchemy's bases
    that invent them."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMING_CONVENTION)
