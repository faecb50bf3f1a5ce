"""Time, ids and chance come in through ports, so that every rule can be tested at any moment."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source_tree import SRC, name_of, python_files, tree_of, written_files

WALL_CLOCK_AND_IDS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
    "time.time_ns",
    "uuid.uuid1",
    "uuid.uuid4",
    "uuid.uuid7",
    "uuid_utils.uuid4",
    "uuid_utils.uuid7",
}
BARE = {"uuid1", "uuid4", "uuid7", "utcnow"}
IMPURE_MODULES = {"time", "random", "secrets"}


def test_only_the_system_adapter_reads_the_clock_and_makes_ids() -> None:
    inside = SRC / "adapters/system"

    direct = [
        f"{name_of(path)}:{line} {what}"
        for path in written_files()
        if inside not in path.parents
        for line, what in _uses(path)
    ]

    assert direct == []


@pytest.mark.parametrize("layer", ["domain", "application"])
def test_the_core_imports_neither_time_nor_chance(layer: str) -> None:
    impure = [
        f"{name_of(path)}:{node.lineno}"
        for path in python_files(SRC / layer)
        for node in ast.walk(tree_of(path))
        if (isinstance(node, ast.Import) and {a.name for a in node.names} & IMPURE_MODULES)
        or (isinstance(node, ast.ImportFrom) and node.module in IMPURE_MODULES)
    ]

    assert impure == []


def _uses(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            if f"{owner}.{node.attr}" in WALL_CLOCK_AND_IDS:
                yield node.lineno, f"{owner}.{node.attr}"
        elif isinstance(node, ast.Name) and node.id in BARE:
            yield node.lineno, node.id
