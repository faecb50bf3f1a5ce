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
