from typing import Protocol


class DatabaseServer(Protocol):
    """The Postgres that Stoa stores everything in: one that it runs itself, or somebody else's."""

    async def start(self) -> str:
        """Bring the server up, or take over one left running by a killed process, and return its
        URL (``postgresql://…``, without a driver name).

        Raises ``DataDirectoryInUseError`` when another Stoa owns the data directory,
        ``DataDirectoryError`` when it cannot be written, ``DatabaseServerError`` when the server
        does not come up (its message quotes the last log line).
        """
        ...

    async def stop(self) -> None:
        """Stop the server if it was started here; idempotent."""
        ...
