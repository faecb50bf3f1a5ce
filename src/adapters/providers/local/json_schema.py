"""JSON schemas on their way into a grammar.

A schema comes from a client and becomes a grammar in native code, so what could keep that busy for
minutes is refused here.
"""

from typing import Any

from domain.shared.errors import InvalidError

MAX_DEPTH = 64
MAX_VALUES = 2000
MAX_PATTERN = 500
MAX_PATTERN_COST = 4000
DATA_KEYWORDS = frozenset({"const", "enum", "default", "examples"})


def checked(schema: object, param: str) -> dict[str, Any]:
    """The schema, if it is an object of bearable size; recursion to its root is made explicit."""
    if not isinstance(schema, dict):
        raise InvalidError("The JSON schema must be an object.", param=param)
    _check_size(schema, param)
    if _refers_to_root(schema):
        return {"$defs": {"root": moved(schema, "root")}, "$ref": "#/$defs/root"}
    return schema


def moved(schema: Any, key: str) -> Any:
    """The schema with its references right again when it stands under ``#/$defs/<key>``."""
    if isinstance(schema, list):
        return [moved(item, key) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {}
    for name, value in schema.items():
        if name == "$ref" and isinstance(value, str) and value.startswith("#"):
            out[name] = f"#/$defs/{key}{value[1:]}"
        else:
            out[name] = value if name in DATA_KEYWORDS else moved(value, key)
    return out


def pattern_cost(pattern: str) -> int:
    """How many grammar elements a pattern unfolds to: counted repetitions multiply."""
    sums, last, position = [0], 0, 0
    while position < len(pattern):
        character = pattern[position]
        position += 1
        if character == "(":
            sums.append(0)
        elif character == ")" and len(sums) > 1:
            last = sums.pop()
            sums[-1] += last
        elif character == "{" and (end := pattern.find("}", position)) > 0:
            times = _most(pattern[position:end])
            sums[-1] += last * (times - 1)
            position = end + 1
        elif character not in "*+?|^$":
            last, position = 1, _unit_end(pattern, position - 1)
            sums[-1] += 1
    return sum(sums)


def _unit_end(pattern: str, begin: int) -> int:
    if pattern[begin] == "\\":
        return begin + 2
    if pattern[begin] == "[" and (end := pattern.find("]", begin + 2)) > 0:
        return end + 1
    return begin + 1


def _most(counts: str) -> int:
    numbers = [int(part) for part in counts.split(",") if part.strip().isdecimal()]
    return max(numbers, default=1) or 1


def _check_size(schema: dict[str, Any], param: str) -> None:
    values = 0
    todo: list[tuple[Any, int]] = [(schema, 0)]
    while todo:
        value, depth = todo.pop()
        values += 1
        if depth > MAX_DEPTH or values > MAX_VALUES:
            raise InvalidError(
                f"The JSON schema is too large: at most {MAX_VALUES} values, nested at most "
                f"{MAX_DEPTH} deep.",
                param=param,
            )
        if isinstance(value, dict):
            _check_pattern(value.get("pattern"), param)
            todo += [(item, depth + 1) for item in value.values()]
        elif isinstance(value, list):
            todo += [(item, depth + 1) for item in value]


def _check_pattern(pattern: object, param: str) -> None:
    if not isinstance(pattern, str):
        return
    if len(pattern) > MAX_PATTERN or pattern_cost(pattern) > MAX_PATTERN_COST:
        raise InvalidError("A pattern in the JSON schema is too complex to enforce.", param=param)


def _refers_to_root(schema: Any) -> bool:
    if isinstance(schema, list):
        return any(_refers_to_root(item) for item in schema)
    if not isinstance(schema, dict):
        return False
    if schema.get("$ref") == "#":
        return True
    return any(
        _refers_to_root(value) for name, value in schema.items() if name not in DATA_KEYWORDS
    )
