from domain.operations.mail import masked_address
from domain.shared.errors import (
    ConflictError,
    InvalidError,
    LimitExceededError,
    NotFoundError,
    TechnicalError,
    UnavailableError,
)


class DataDirectoryInUseError(ConflictError):
    """Another server runs on the same data directory."""

    code = "DATA_DIRECTORY_IN_USE"


class DataDirectoryError(InvalidError):
    """The data directory cannot be used."""

    code = "DATA_DIRECTORY_UNUSABLE"


class DatabaseServerError(UnavailableError):
    """The embedded database server did not come up."""

    code = "DATABASE_SERVER_FAILED"


class DatabaseRefusedError(InvalidError):
    """The database server is there and does not let Stoa in: a wrong login, an unknown database,
    missing rights, or a wrong option in its URL."""

    code = "DATABASE_REFUSED"

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(
            f"The database at {place} does not let Stoa in: {reason} (STOA_DATABASE_URL).",
            param="STOA_DATABASE_URL",
        )


class DatabaseTooNewError(ConflictError):
    """A newer Stoa has migrated the database, to a revision that this one does not know."""

    code = "DATABASE_TOO_NEW"

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"The database is at revision '{revision}', which this Stoa does not know: a newer one "
            "has migrated it. Run that one, or let it take the database back with `stoa db "
            "downgrade`."
        )


class EmbeddedPartMissingError(InvalidError):
    """Something from the `embedded` dependency group is asked for and not installed."""

    code = "EMBEDDED_PART_MISSING"


class SettingsError(InvalidError):
    """An environment variable, a line of `.env` or an option of the command line is wrong."""

    code = "INVALID_SETTING"


class AddressUnavailableError(ConflictError):
    """The server cannot listen on its address: the port is in use, or not for this user."""

    code = "ADDRESS_UNAVAILABLE"


class WorkerFailedError(UnavailableError):
    """A server process ended before it served; what it said itself tells why."""

    code = "WORKER_FAILED"

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(f"A worker ended with exit code {exit_code} before it served.")


class SettingNotFoundError(NotFoundError):
    """There is no runtime setting of that name."""

    code = "SETTING_NOT_FOUND"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no runtime setting named '{name}'.")


class SecretUnreadableError(TechnicalError):
    """A stored secret cannot be decrypted with the server's secret key: the key was changed, or the
    row was."""

    code = "SECRET_UNREADABLE"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The stored secret of {what} cannot be read with the secret key of this server"
            " (STOA_SECRET_KEY, STOA_SECRET_KEY_PREVIOUS)."
        )


class SecretKeyMissingError(TechnicalError):
    """The server has no secret key, so it can neither store nor read a secret."""

    code = "SECRET_KEY_MISSING"

    def __init__(self) -> None:
        super().__init__("Secrets need a secret key: set STOA_SECRET_KEY, on every node the same.")


class DatabaseInUseError(ConflictError):
    """A server runs on the database that was to be taken back to an older schema."""

    code = "DATABASE_IN_USE"

    def __init__(self) -> None:
        super().__init__(
            "A server is running on this database. Stop it first: it cannot work with an older"
            " schema."
        )


class MailNotConfiguredError(ConflictError):
    """The server has been told of no mail server to send mail through."""

    code = "MAIL_NOT_CONFIGURED"

    def __init__(self) -> None:
        super().__init__("This server sends no mail: STOA_MAIL_URL is not set.")


class MailFailedError(UnavailableError):
    """A mail could not be handed to the mail server."""

    code = "MAIL_FAILED"

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"The mail to {masked_address(address)} could not be sent: {reason}.")


class ErrorNotFoundError(NotFoundError):
    """No technical error of that id, or group of errors, is on record."""

    code = "ERROR_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no record of an error with this id.")


class TooManyStreamsError(LimitExceededError):
    """A user, or an API key, has too many streams of events open at the same time."""

    code = "TOO_MANY_STREAMS"

    def __init__(self, most: int, *, retry_after: float) -> None:
        super().__init__(
            f"There are {most} open streams of events already; close one of them first.",
            retry_after=retry_after,
        )


class NotificationNotFoundError(NotFoundError):
    """There is no such notification, or it is another user's."""

    code = "NOTIFICATION_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such notification.")


class RetentionRunningError(ConflictError):
    """Old records are being removed already, on this node or another one."""

    code = "RETENTION_RUNNING"

    def __init__(self) -> None:
        super().__init__("Old records are being removed already.")
