"""Where the secret key comes from: set by the operator, or kept beside the embedded database."""

import os
from pathlib import Path

import msgspec

from adapters.embedded_postgres.data_directory import secret_key, secret_key_file
from entrypoints.settings import Settings


def with_secret_key(settings: Settings) -> Settings:
    """The settings with the key that this installation keeps, made at its first start.

    A key that is set wins. With an external database there is none to fall back to, since all nodes
    need the same one. Raises ``DataDirectoryError``.
    """
    if settings.secret_key is not None or settings.database_url is not None:
        return settings
    return msgspec.structs.replace(settings, secret_key=secret_key(settings.data_dir))


def kept_secret_key_file(settings: Settings) -> Path | None:
    """The file that holds the key, if it is the one in use and was made already."""
    path = secret_key_file(settings.data_dir)
    is_used = settings.secret_key is None and settings.database_url is None
    # Unlike Path.exists() this also answers for a directory that is not ours to look into.
    return path if is_used and os.access(path, os.F_OK) else None
