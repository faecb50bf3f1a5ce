"""The project's own files, as the architecture tests see them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
MIGRATIONS = SRC / "adapters/postgres/migrations"
NOT_OURS = {"__pycache__", "build", "dist", "htmlcov", "node_modules", "uv.lock"}
HIDDEN_OURS = {".ci", ".gitignore", ".pre-commit-config.yaml"}


def python_files(folder: Path = SRC) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def written_files() -> list[Path]:
    """The sources of src without its migrations, which record history."""
    return [path for path in python_files() if MIGRATIONS not in path.parents]


def all_files() -> Iterator[Path]:
    """Everything that belongs to the project; a checkout without git has the same."""
    for path in sorted(ROOT.iterdir()):
        if _is_ours(path):
            yield from ([path] if path.is_file() else _files_in(path))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    base = SRC if SRC in path.parents else ROOT
    return ".".join(path.relative_to(base).with_suffix("").parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def _files_in(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if _is_ours(path):
                yield from _files_in(path)
        elif _is_ours(path):
            yield path


def _is_ours(path: Path) -> bool:
    if name_of(path) == "bench/work" or path.name in NOT_OURS or path.name.endswith(".egg-info"):
        return False
    return not path.name.startswith(".") or path.name in HIDDEN_OURS
