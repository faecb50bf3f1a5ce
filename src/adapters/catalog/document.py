"""Reads YAML into nodes that still know their lines and their exact text."""

from pathlib import Path
from typing import Any

import yaml

from domain.models.errors import CatalogError

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 20


def line_of(node: yaml.Node) -> int:
    return _line(node.start_mark) or 1


def read_document(path: Path, *, has_references: bool = False) -> yaml.Node:
    """The root node. Raises ``CatalogError`` for a file that cannot be read, is too large, is not
    YAML, holds anchors unless it ``has_references``, or is nested too deep."""
    text = _read(path)
    try:
        _refuse_bombs(text, has_references=has_references)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = _line(error.problem_mark or error.context_mark)
        raise CatalogError(f"not valid YAML: {error.problem} (in {path})", line=line) from error
    except yaml.YAMLError as error:
        raise CatalogError(f"{path} is not valid YAML: {error}") from error
    if root is None:
        raise CatalogError(f"{path} is empty")
    return root


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = content.decode()
    except OSError as error:
        raise CatalogError(
            f"the configuration file {path} cannot be read: {error.strerror}"
        ) from error
    except UnicodeDecodeError as error:
        raise CatalogError(f"{path} is not UTF-8 text") from error
    if len(content) > MAX_BYTES:
        raise CatalogError(f"{path} is longer than {MAX_BYTES} bytes")
    return text


def _refuse_bombs(text: str, *, has_references: bool) -> None:
    # Aliases can multiply a small file into gigabytes, and deep nesting exhausts the stack.
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent) and not has_references:
            raise CatalogError("anchors and aliases are not allowed", line=_line(event.start_mark))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise CatalogError("nested too deep", line=_line(event.start_mark))


def _line(mark: Any) -> int | None:
    # The types of the marks of PyYAML's two parsers have nothing in common but their members.
    return None if mark is None else int(mark.line) + 1
