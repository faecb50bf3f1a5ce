from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from adapters.catalog.document import line_of
from adapters.catalog.variables import expand
from domain.models.errors import CatalogError


@dataclass(slots=True)
class Reading:
    """One pass over a document: the variables it may refer to and what was found wrong. Without
    variables every text stands for itself. ``fields`` are the keys that are wrong, each with what
    is wrong with it."""

    variables: Mapping[str, str] | None
    problems: list[tuple[int, str]] = field(default_factory=list)
    fields: list[tuple[str, str]] = field(default_factory=list)

    def note(self, node: yaml.Node, message: str) -> None:
        self.problems.append((line_of(node), message))

    def note_key(self, node: yaml.Node, where: str, path: str, key: str, message: str) -> None:
        self.note(node, f"{where}: '{key}' {message}")
        self.fields.append((path, message))

    def expanded(self, text: str) -> str:
        """Raises ``ValueError`` for a reference that nothing answers."""
        return text if self.variables is None else expand(text, self.variables)

    def raise_problems(self, source: object) -> None:
        """Raise all that was noted as one ``CatalogError``."""
        if not self.problems:
            return
        (line, first), *others = sorted(set(self.problems))
        rest = "".join(f"; line {other}: {message}" for other, message in others)
        raise CatalogError(
            f"{first}{rest} (in {source})",
            line=line,
            source=str(source),
            problems=tuple(
                f"line {number}: {message}" for number, message in ((line, first), *others)
            ),
        )
