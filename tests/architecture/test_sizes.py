import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source_tree import SRC, name_of, python_files, tree_of, written_files

MAX_FILE_LINES = 250
MAX_FUNCTION_LINES = 40
MAX_PORTS = 6

Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_no_file_is_long() -> None:
    long = [
        f"{name_of(path)}: {lines} lines"
        for path in written_files()
        if (lines := len(path.read_text().splitlines())) > MAX_FILE_LINES
    ]

    assert long == []


def test_no_function_is_long() -> None:
    long = [
        f"{name_of(path)}: {function.name}, {lines} lines"
        for path in written_files()
        for function in _functions(path)
        if (lines := _lines(function)) > MAX_FUNCTION_LINES
    ]

    assert long == []


def test_no_use_case_needs_many_ports() -> None:
    crowded = [
        f"{name_of(path)}: {use_case.name}, {fields} fields"
        for path in python_files(SRC / "application")
        for use_case in _use_cases(path)
        if (fields := sum(isinstance(node, ast.AnnAssign) for node in use_case.body)) > MAX_PORTS
    ]

    assert crowded == []


def test_no_file_is_named_after_a_mechanism() -> None:
    banned = {"utils.py", "util.py", "service.py", "services.py", "manager.py", "helpers.py"}
    banned |= {"helper.py", "common.py", "misc.py"}

    assert [name_of(path) for path in python_files() if path.name in banned] == []


def test_packages_are_empty() -> None:
    full = [
        name_of(path)
        for path in python_files()
        if path.name == "__init__.py" and path.read_text().strip()
    ]

    assert full == []


def _functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, Function):
            yield node


def _lines(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _use_cases(path: Path) -> Iterator[ast.ClassDef]:
    for node in tree_of(path).body:
        if isinstance(node, ast.ClassDef) and any(
            isinstance(member, Function) and member.name == "__call__" for member in node.body
        ):
            yield node
