import ast
from pathlib import Path

from entrypoints.di.use_cases import INSTRUMENTED
from tests.architecture.source_tree import SRC, name_of, python_files, tree_of


def test_commands_and_controllers_build_no_use_case_themselves() -> None:
    """What the container builds is instrumented; what a door builds by itself would not be."""
    use_cases = {use_case for path in python_files(SRC / "application") for use_case in _in(path)}
    doors = [*python_files(SRC / "entrypoints/cli"), *python_files(SRC / "adapters/http")]

    built = [
        f"{name_of(path)}:{node.lineno} builds {node.func.id}"
        for path in doors
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in use_cases
    ]

    assert {use_case.__name__ for use_case in INSTRUMENTED} <= use_cases
    assert built == []


def _in(path: Path) -> list[str]:
    return [
        node.name
        for node in tree_of(path).body
        if isinstance(node, ast.ClassDef)
        and any(
            isinstance(member, ast.AsyncFunctionDef) and member.name == "__call__"
            for member in node.body
        )
    ]
