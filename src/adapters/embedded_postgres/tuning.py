"""The settings of a small Postgres that shares a machine with everything else."""

from pathlib import Path

from adapters.embedded_postgres.address import PORT

_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Some twenty for each worker, and a few for people.
    "max_connections": "300",
    "shared_buffers": "64MB",
    "wal_compression": "on",
    "synchronous_commit": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    # Parallel queries need more of /dev/shm than containers give (64 MB).
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    # Processes that nobody here has work for.
    "io_method": "sync",
    "max_logical_replication_workers": "0",
    # The log says what happens to the server. What people store stays out of it: no statements,
    # and no details, which would quote keys and rows.
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
_NOT_DURABLE = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


def initdb_options(*, durable: bool) -> tuple[str, ...]:
    """The built-in locale sorts alike on every system and survives upgrades of its libraries."""
    options = (
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--text-search-config=english",
        "--auth-local=trust",
        "--auth-host=reject",
        "--no-instructions",
    )
    return options if durable else (*options, "--no-sync")


def server_options(socket_dir: Path, *, durable: bool) -> tuple[str, ...]:
    settings = {**_SETTINGS, "unix_socket_directories": str(socket_dir)}
    if not durable:
        settings |= _NOT_DURABLE
    return tuple(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))
