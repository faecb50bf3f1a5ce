"""Every error has one code, and every code a section in the reference."""

import importlib
import re
from collections.abc import Iterator
from itertools import pairwise

from domain.shared.errors import StoaError
from tests.architecture.source_tree import ROOT, SRC, module_of, python_files

REFERENCE = ROOT / "docs/reference/errors.md"


def test_no_code_means_two_things() -> None:
    """A code may be shared along one line of inheritance only, where it means the same."""
    by_code: dict[str, list[type[StoaError]]] = {}
    for error in _errors():
        by_code.setdefault(error.code, []).append(error)

    shared = [
        f"{code}: {', '.join(error.__name__ for error in errors)}"
        for code, errors in by_code.items()
        if not _is_one_line(errors)
    ]

    assert shared == []


def test_codes_are_screaming_snake_case() -> None:
    odd = [e.code for e in _errors() if not re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", e.code)]

    assert odd == []


def test_every_code_has_a_section_in_the_reference() -> None:
    headings = [line for line in REFERENCE.read_text().splitlines() if line.startswith("#")]
    described = {word for line in headings for word in re.findall(r"[A-Z][A-Z0-9_]+", line)}

    assert {error.code for error in _errors()} - described == set()


def _errors() -> list[type[StoaError]]:
    for path in python_files(SRC):
        if path.name == "errors.py" and SRC / "domain" in path.parents:
            importlib.import_module(module_of(path))
    return sorted({StoaError, *_below(StoaError)}, key=lambda error: error.__qualname__)


def _below(kind: type[StoaError]) -> Iterator[type[StoaError]]:
    for error in kind.__subclasses__():
        yield error
        yield from _below(error)


def _is_one_line(errors: list[type[StoaError]]) -> bool:
    ordered = sorted(errors, key=lambda error: len(error.__mro__))
    return all(issubclass(lower, upper) for upper, lower in pairwise(ordered))
