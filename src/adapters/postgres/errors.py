import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from domain.operations.errors import DatabaseRefusedError
from domain.shared.errors import StoaError, UnavailableError

RETRY_AFTER_S = 1.0

# Classes of SQLSTATE that say nothing of the statement: connection exceptions, wrong login, wrong
# database, insufficient resources, operator intervention, system errors.
_AWAY = ("08", "28", "3D", "53", "57", "58")
# What does not get better by waiting: wrong login, wrong database, missing rights, a server that
# only reads.
_REFUSED = ("28", "3D", "42501", "25006")
_BAD_SETTING = "configuration parameter"
_NO_TLS = "rejected SSL"

# asyncpg raises InterfaceError for a connection that was closed under the caller, and
# InternalClientError for one whose server has said that it ends it, until it has.
_LOST = OSError | TimeoutError | asyncpg.InterfaceError | asyncpg.InternalClientError

_OF_THE_DATABASE = (
    DBAPIError,
    PoolTimeoutError,
    OSError,
    asyncpg.PostgresError,
    asyncpg.ClientConfigurationError,
    asyncpg.InternalClientError,
)


@contextmanager
def translated(
    constraints: dict[str, StoaError] | None = None, *, place: str | None = None
) -> Iterator[None]:
    """Turns what the driver raises into the errors of the domain: the violation of a named
    constraint into the error that is given for it, an absent database into ``UnavailableError``.
    Anything else is a bug and stays what it is. ``place`` is for operators: it tells them where
    the database was looked for and the driver's reason, and with ``DatabaseRefusedError`` that
    waiting would not help. That is nothing for a client."""
    try:
        yield
    except _OF_THE_DATABASE as error:
        known = (constraints or {}).get(violated_constraint(error) or "")
        if known is not None:
            raise known from error
        if place is not None and _is_refusal(error):
            raise DatabaseRefusedError(place, reason_of(error)) from error
        if is_away(error):
            where = "" if place is None else f" at {place}"
            reason = "." if place is None else f": {reason_of(error)}"
            raise UnavailableError(
                f"The database{where} cannot be reached{reason}", retry_after=RETRY_AFTER_S
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
    return isinstance(error, _LOST | PoolTimeoutError)


def reason_of(error: BaseException) -> str:
    """The driver's words for operators, without numbers that only programs know."""
    cause = _driver_error(error) if isinstance(error, DBAPIError) else error
    if isinstance(cause, asyncpg.InternalClientError):
        return "the server has ended the connection"
    if isinstance(cause, TimeoutError) and not cause.args:
        return "it does not answer in time"
    if isinstance(cause, ConnectionRefusedError):
        return "connection refused"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return str(cause) or type(cause).__name__


def _is_refusal(error: BaseException) -> bool:
    cause = _driver_error(error) if isinstance(error, DBAPIError) else error
    if isinstance(cause, asyncpg.PostgresError):
        is_refused = (cause.sqlstate or "").startswith(_REFUSED)
        return is_refused or _BAD_SETTING in str(cause)
    if isinstance(cause, ConnectionError):
        return _NO_TLS in str(cause)
    return isinstance(cause, asyncpg.ClientConfigurationError | ssl.SSLError)


def _driver_error(error: DBAPIError) -> BaseException:
    wrapped = error.orig
    return (wrapped.__cause__ or wrapped) if wrapped is not None else error
