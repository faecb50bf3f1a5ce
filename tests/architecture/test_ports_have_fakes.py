import ast
from pathlib import Path

from tests.architecture.source_tree import ROOT, SRC, module_of, python_files, tree_of

FAKES = ROOT / "tests/fakes"


def test_every_port_has_a_fake_that_inherits_it() -> None:
    ports = {
        name: bases
        for path in sorted((SRC / "application").glob("**/*ports.py"))
        for name, bases in _classes(path).items()
        if "typing.Protocol" in bases
    }
    faked = {
        base for path in python_files(FAKES) for bases in _classes(path).values() for base in bases
    }
    while inherited := {base for port in faked & set(ports) for base in ports[port]} - faked:
        faked |= inherited

    assert sorted(set(ports) - faked) == []


def _classes(path: Path) -> dict[str, set[str]]:
    """The classes of a file by their qualified names, each with those of its bases."""
    module = module_of(path)
    tree = tree_of(path)
    imported = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return {
        f"{module}.{node.name}": {
            imported.get(name, f"{module}.{name}") for base in node.bases for name in _name(base)
        }
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }


def _name(base: ast.expr) -> list[str]:
    if isinstance(base, ast.Subscript):
        return _name(base.value)
    return [base.id] if isinstance(base, ast.Name) else []
