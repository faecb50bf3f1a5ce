"""Reading what the framework cannot read well enough: times and ids."""

from datetime import UTC, date, datetime, time
from typing import Annotated
from uuid import UUID

from litestar.params import PathParameter, QueryParameter

from application.shared.pagination import MAX_LIMIT, MAX_PAGE, MAX_PAGE_SIZE
from domain.shared.errors import FieldError, InvalidError, NotFoundError

TIME_HELP = "An RFC 3339 time with its offset, or a date (its start in UTC)."

SinceParameter = Annotated[
    str | None, QueryParameter(description=f"Not before this. {TIME_HELP}", required=False)
]
UntilParameter = Annotated[
    str | None, QueryParameter(description=f"Before this. {TIME_HELP}", required=False)
]
PageParameter = Annotated[
    int, QueryParameter(schema_extra={"minimum": 1, "maximum": MAX_PAGE}, required=False)
]
PageSizeParameter = Annotated[
    int, QueryParameter(schema_extra={"minimum": 1, "maximum": MAX_PAGE_SIZE}, required=False)
]
LimitParameter = Annotated[
    int, QueryParameter(schema_extra={"minimum": 1, "maximum": MAX_LIMIT}, required=False)
]
IdFilter = Annotated[str | None, QueryParameter(schema_extra={"format": "uuid"}, required=False)]
IdParameter = Annotated[str, PathParameter(schema_extra={"format": "uuid"})]


def parse_time(name: str, text: str | None) -> datetime | None:
    """The time in a query parameter; raises ``InvalidError`` naming it."""
    if text is None:
        return None
    try:
        if len(text) == len("2026-11-21"):
            return datetime.combine(date.fromisoformat(text), time(), tzinfo=UTC)
        # An unescaped "+" of an offset arrives as a space.
        found = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise invalid(name, "is not a time such as 2026-11-21T12:00:00Z") from None
    if found.tzinfo is None:
        raise invalid(name, "needs a time zone offset")
    return found


def parse_id(text: str, not_found: type[NotFoundError]) -> UUID:
    """The id in a path; what is no id is not found, like any other id that does not exist."""
    try:
        return UUID(text)
    except ValueError:
        raise not_found() from None  # type: ignore[call-arg]  # These know their own message.


def parse_id_parameter(name: str, text: str | None) -> UUID | None:
    if text is None:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise invalid(name, "is not an id") from None


def invalid(name: str, message: str) -> InvalidError:
    return InvalidError(f"'{name}' {message}.", param=name, errors=(FieldError(name, message),))
