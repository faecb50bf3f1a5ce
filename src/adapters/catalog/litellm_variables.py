"""The variables that a LiteLLM proxy's file names, and those that take the places of secrets."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from adapters.catalog.writing import variable_for

_ENVIRONMENT = "os.environ/"
_NOT_OF_VARIABLES = re.compile(r"\W|^(?=\d)", re.ASCII)


@dataclass(slots=True)
class Variables:
    """``taken`` are those that mean something already, ``literals`` those that stand for what was
    in the file itself, and ``renamed`` those whose name no variable can have."""

    taken: set[str] = field(default_factory=set)
    literals: dict[str, str] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)

    def reserve_named(self, values: Iterable[object]) -> None:
        for value in values:
            self.named(value)

    def named(self, value: object) -> str | None:
        """``${NAME}`` for ``os.environ/NAME``."""
        if not isinstance(value, str) or not value.startswith(_ENVIRONMENT):
            return None
        theirs = value.removeprefix(_ENVIRONMENT).strip()
        ours = _NOT_OF_VARIABLES.sub("_", theirs)
        if ours != theirs:
            self.renamed[theirs] = ours
        self.taken.add(ours)
        return "${" + ours + "}"

    def secret(self, service: str, key: str, value: object) -> str:
        """One variable for each secret: accounts that differ stay apart."""
        named = self.named(value)
        secret = str(value)
        if named is not None:
            return named
        if secret not in self.literals:
            bare = variable_for(service, key)[2:-1]
            numbered = (f"{bare}_{number}" for number in range(2, len(self.taken) + 3))
            name = next(one for one in (bare, *numbered) if one not in self.taken)
            self.taken.add(name)
            self.literals[secret] = "${" + name + "}"
        return self.literals[secret]
