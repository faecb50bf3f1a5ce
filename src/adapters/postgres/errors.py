from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from domain.shared.errors import StoaError, UnavailableError

RETRY_AFTER_S = 1.0

# Classes of SQLSTATE that say nothing of the statement: connection exceptions, wrong login, wrong
# database, insufficient resources, operator intervention, system errors.
_AWAY = ("08", "28", "3D", "53", "57", "58")


@contextmanager
def translated(
    constraints: dict[str, StoaError] | None = None, *, reveal: bool = False
) -> Iterator[None]:
    """Turns what the driver raises into the errors of the domain: the violation of a named
    constraint into the error that is given for it, an absent database into ``UnavailableError``.
    Anything else is a bug and stays what it is. ``reveal`` is for operators: it tells them the
    driver's reason, which is nothing for a client."""
    try:
        yield
    except (DBAPIError, PoolTimeoutError, OSError, asyncpg.PostgresError) as error:
        known = (constraints or {}).get(violated_constraint(error) or "")
        if known is not None:
            raise known from error
        if is_away(error):
            reason = f": {error}" if reveal else "."
            raise UnavailableError(
                f"The database cannot be reached{reason}", retry_after=RETRY_AFTER_S
            ) from error
        raise


def violated_constraint(error: Exception) -> str | None:
    """The name of the constraint, or unique index, that refused a row."""
    if not isinstance(error, IntegrityError):
        return None
    return getattr(_driver_error(error), "constraint_name", None)


def is_away(error: BaseException) -> bool:
    """Whether the error says that the database is not there, rather than that it said no."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or is_away(_driver_error(error))
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "").startswith(_AWAY)
    # asyncpg raises InterfaceError for a connection that was closed under the caller.
    return isinstance(error, OSError | TimeoutError | PoolTimeoutError | asyncpg.InterfaceError)


def _driver_error(error: DBAPIError) -> BaseException:
    wrapped = error.orig
    return (wrapped.__cause__ or wrapped) if wrapped is not None else error
