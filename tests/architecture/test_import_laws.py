import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source_tree import ROOT, SRC, name_of, python_files, tree_of

SUSPICIOUS = re.compile(r"from\s+\.|__future__|TYPE_CHECKING")


def test_the_domain_imports_only_itself_and_the_standard_library() -> None:
    allowed = {"domain", *sys.stdlib_module_names}

    foreign = [
        f"{name_of(path)} imports {module}"
        for path in python_files(SRC / "domain")
        for module in _imported(path)
        if module.partition(".")[0] not in allowed
    ]

    assert foreign == []


def test_no_import_is_relative_or_kept_from_run_time() -> None:
    hidden = [
        f"{name_of(path)}:{node.lineno}"
        for root in (SRC, ROOT / "tests", ROOT / "bench", ROOT / "scripts")
        for path in python_files(root)
        # Few have one of these words, and to look at every node of all takes its time.
        if SUSPICIOUS.search(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom)
        and (
            node.level
            or node.module == "__future__"
            or any(alias.name == "TYPE_CHECKING" for alias in node.names)
        )
    ]

    assert hidden == []


def test_the_contracts_between_the_layers_are_kept() -> None:
    linter = Path(sys.executable).with_name("lint-imports")

    run = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stdout + run.stderr


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
