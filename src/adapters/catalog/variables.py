import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$(?:(?P<escaped>\$)|\{(?P<name>[^}]*)\}|(?P<open>\{))")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace ``${NAME}`` by the variable and ``$$`` by a dollar sign.

    Raises ``ValueError`` with a message for a reference that is malformed or that no variable
    answers; an empty variable counts as missing.
    """

    def value_of(match: re.Match[str]) -> str:
        if match["escaped"]:
            return "$"
        if match["open"]:
            raise ValueError("'${' is not closed; write '$$' for a dollar sign")
        name = match["name"]
        if not _VARIABLE.fullmatch(name):
            raise ValueError(f"'${{{name}}}' is not the name of a variable")
        value = variables.get(name)
        if not value:
            raise ValueError(f"the variable {name} is not set")
        return value

    return _REFERENCE.sub(value_of, text)


def has_reference(text: str) -> bool:
    return _REFERENCE.search(text) is not None
