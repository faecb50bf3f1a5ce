"""JSON schemas on their way into a grammar.

A schema comes from a client and becomes a grammar in native code, so what could keep that busy for
minutes is refused here.
"""

from typing import Any

from adapters.providers.local.schema_patterns import enforceable
from adapters.providers.local.schema_support import first_unenforced
from adapters.providers.local.schema_walk import DATA, NAMING, resolved, subschemas
from domain.inference.errors import UnsupportedByModelError
from domain.shared.errors import InvalidError

MAX_DEPTH = 64
MAX_VALUES = 2000
MAX_PATTERN = 500
MAX_PATTERN_COST = 4000
MAX_CHARACTERS = 200_000
MAX_UNFOLDED = 20_000
MAX_CHAIN = 200


def checked(schema: object, param: str, *, strict: bool = False) -> dict[str, Any]:
    """The schema, if it is an object of bearable size; recursion to its root is made explicit and
    patterns are put as the grammar takes them. A ``strict`` one is refused with
    ``UnsupportedByModelError`` if it asks for what the grammar does not enforce."""
    if not isinstance(schema, dict):
        raise InvalidError("The JSON schema must be an object.", param=param)
    _check_size(schema, param)
    _check_unfolding(schema, param)
    if strict and (found := first_unenforced(schema)):
        raise UnsupportedByModelError(
            f"This model cannot keep the promise of a strict JSON schema with {found}. "
            "Leave it out, or set 'strict' to false.",
            param=param,
        )
    enforced: dict[str, Any] = _with_patterns(schema)
    if _refers_to_root(enforced):
        return {"$defs": {"root": moved(enforced, "root")}, "$ref": "#/$defs/root"}
    return enforced


def moved(schema: Any, key: str, *, names: bool = False) -> Any:
    """The schema with its references right again when it stands under ``#/$defs/<key>``; ``names``
    says that the members are named by the schema's author."""
    if isinstance(schema, list):
        return [moved(item, key) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {}
    for name, value in schema.items():
        if names:
            out[name] = moved(value, key)
        elif name == "$ref" and isinstance(value, str) and value.startswith("#"):
            out[name] = f"#/$defs/{key}{value[1:]}"
        else:
            out[name] = value if name in DATA else moved(value, key, names=name in NAMING)
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
    values = characters = 0
    todo: list[tuple[Any, int]] = [(schema, 0)]
    while todo:
        value, depth = todo.pop()
        values += 1
        if isinstance(value, str):
            characters += len(value)
        elif isinstance(value, dict):
            _check_pattern(value.get("pattern"), param)
            characters += sum(map(len, value))
            todo += [(item, depth + 1) for item in value.values()]
        elif isinstance(value, list):
            todo += [(item, depth + 1) for item in value]
        if depth > MAX_DEPTH or values > MAX_VALUES or characters > MAX_CHARACTERS:
            raise InvalidError(
                f"The JSON schema is too large: at most {MAX_VALUES} values, nested at most "
                f"{MAX_DEPTH} deep, with {MAX_CHARACTERS} characters.",
                param=param,
            )


def _check_unfolding(schema: dict[str, Any], param: str) -> None:
    """Definitions that each refer twice to the next one are few, but have as many readings as the
    grammar would try one by one."""
    sizes: dict[int, int] = {}

    def size(node: dict[str, Any], depth: int) -> int:
        if id(node) in sizes:
            return sizes[id(node)]
        sizes[id(node)] = 1  # for a reference back to here: the grammar does not unfold those
        inner = [subschema for _, subschema in subschemas(node)]
        reference = node.get("$ref")
        if isinstance(reference, str) and (target := resolved(schema, reference)) is not None:
            inner.append(target)
        total = 1 + sum(size(subschema, depth + 1) for subschema in inner)
        if depth > MAX_CHAIN or total > MAX_UNFOLDED:
            raise InvalidError(
                f"The JSON schema is too large: with its references in place it has more than "
                f"{MAX_UNFOLDED} parts, or a chain of more than {MAX_CHAIN}.",
                param=param,
            )
        sizes[id(node)] = total
        return total

    size(schema, 0)


def _check_pattern(pattern: object, param: str) -> None:
    if not isinstance(pattern, str):
        return
    if len(pattern) > MAX_PATTERN or pattern_cost(pattern) > MAX_PATTERN_COST:
        raise InvalidError("A pattern in the JSON schema is too complex to enforce.", param=param)


def _with_patterns(schema: Any, *, names: bool = False) -> Any:
    """A copy with every pattern as the grammar takes it, or the schema itself if all are so."""
    if isinstance(schema, list):
        items = [_with_patterns(item) for item in schema]
        return items if any(a is not b for a, b in zip(items, schema, strict=True)) else schema
    if not isinstance(schema, dict):
        return schema
    changed = {}
    for name, value in schema.items():
        new = value
        if not names and name == "pattern" and isinstance(value, str):
            new = enforceable(value) or value
        elif names or name not in DATA:
            new = _with_patterns(value, names=not names and name in NAMING)
        if new is not value and new != value:
            changed[name] = new
    return schema | changed if changed else schema


def _refers_to_root(schema: dict[str, Any]) -> bool:
    return schema.get("$ref") == "#" or any(
        _refers_to_root(subschema) for _, subschema in subschemas(schema)
    )
