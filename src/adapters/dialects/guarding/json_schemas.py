import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

from adapters.dialects.guarding.schema_size import (
    PATTERN_BYTES,
    pattern_problem,
    size_of,
    size_problem,
)
from adapters.dialects.guarding.schema_work import MOST_STEPS, SchemaWork, TooMuchWorkError
from application.inference.guarding.ports import JsonSchemas
from application.models.registry.ports import SchemaCheck

# Saying where an answer is wrong takes ten microseconds for each step, and where a schema comes
# back to itself, twice as many steps for each level.
_FEW_STEPS = 5_000
_STEP_OF_TEXT = 16
_TOO_MUCH = "The answer is too large to be held against the schema of the route."
_DOES_NOT_FIT = "The answer does not fit the schema of the route"


@dataclass(frozen=True, slots=True)
class _Held:
    """A schema as answers are held against it."""

    validator: Any
    parts: int
    comes_back: bool
    work: SchemaWork


class JsonSchemaValidators(JsonSchemas, SchemaCheck):
    """By the rules of the draft that the schema names. Schemas that it refers to have to stand in
    itself: nothing is fetched, and no file is read.

    How long that takes is bounded, whatever the schema and the answer: patterns are matched in
    linear time, and an answer of which it is too much work is refused instead.
    """

    def objection(self, schema: Mapping[str, object], text: str) -> str | None:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return "The answer is no JSON."
        try:
            held = _held(json.dumps(schema))
            steps = _most_steps(held, text)
            if steps > MOST_STEPS:
                steps = held.work.steps(value)
            # That takes a thousandth of the time that it takes to say where it is wrong.
            if held.validator.is_valid(value):
                return None
            return _DOES_NOT_FIT + _where(held, value, steps)
        except TooMuchWorkError:
            return _TOO_MUCH
        except (ValueError, LookupError, RecursionError) as problem:
            return f"The schema of the route cannot be used ({type(problem).__name__})."

    def problem(self, schema: Mapping[str, object]) -> str | None:
        wrong = pattern_problem(schema)
        if wrong is not None:
            return wrong
        try:
            _validator(json.dumps(schema))
        except (ValueError, RecursionError) as error:
            path = [str(part) for part in getattr(error, "instance_path", ())]
            at = f" (at '/{'/'.join(path)}')" if path else ""
            if path[-1:] == ["pattern"] or path[-2:-1] == ["patternProperties"]:
                at += "; patterns have no look-around and no references to groups, and are small"
            return f"must be a valid JSON schema{at}"
        return size_problem(schema)


def _most_steps(held: _Held, text: str) -> int:
    """What it can be at most, told at a glance."""
    values = 1 + text.count(",") + text.count("[") + text.count("{")
    return held.parts * (values + len(text) // _STEP_OF_TEXT)


def _where(held: _Held, value: object, steps: int) -> str:
    """Nothing where it would take too long to find out."""
    try:
        if held.comes_back or (steps > _FEW_STEPS and held.work.steps(value) > _FEW_STEPS):
            return "."
    except TooMuchWorkError:
        return "."
    error = next(iter(held.validator.iter_errors(value)))
    place = "".join(f"/{part}" for part in error.instance_path) or "/"
    rule = "".join(f"/{part}" for part in error.schema_path)
    return f" at '{place}' (rule '{rule}')."


@lru_cache(maxsize=64)
def _held(schema: str) -> _Held:
    read = json.loads(schema)
    parts, comes_back = size_of(read)
    return _Held(_validator(schema), parts, comes_back, SchemaWork(read))


@lru_cache(maxsize=64)
def _validator(schema: str) -> Any:
    # Most processes never check a schema.
    import jsonschema_rs  # noqa: PLC0415

    return jsonschema_rs.validator_for(
        json.loads(schema),
        retriever=_refused,
        pattern_options=jsonschema_rs.RegexOptions(size_limit=PATTERN_BYTES),
    )


def _refused(uri: str) -> NoReturn:
    raise ValueError(uri)
