from domain.shared.errors import ConflictError, InvalidError, UnavailableError


class DataDirectoryInUseError(ConflictError):
    """Another server runs on the same data directory."""

    code = "DATA_DIRECTORY_IN_USE"


class DataDirectoryError(InvalidError):
    """The data directory cannot be used."""

    code = "DATA_DIRECTORY_UNUSABLE"


class DatabaseServerError(UnavailableError):
    """The embedded database server did not come up."""

    code = "DATABASE_SERVER_FAILED"


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
