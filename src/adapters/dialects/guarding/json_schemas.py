import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NoReturn

from adapters.dialects.guarding.schema_size import size_problem
from application.inference.guarding.ports import JsonSchemas
from application.models.registry.ports import SchemaCheck


class JsonSchemaValidators(JsonSchemas, SchemaCheck):
    """By the rules of the draft that the schema names. Schemas that it refers to have to stand in
    itself: nothing is fetched, and no file is read."""

    def objection(self, schema: Mapping[str, object], text: str) -> str | None:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return "The answer is no JSON."
        try:
            validator = _validator(json.dumps(schema))
            # Saying where it is wrong takes a thousand times as long.
            errors = () if validator.is_valid(value) else validator.iter_errors(value)
            error = next(iter(errors), None)
        except (ValueError, RecursionError) as problem:
            return f"The schema of the route cannot be used ({type(problem).__name__})."
        if error is None:
            return None
        place = "".join(f"/{part}" for part in error.instance_path) or "/"
        rule = "".join(f"/{part}" for part in error.schema_path)
        return f"The answer does not fit the schema of the route at '{place}' (rule '{rule}')."

    def problem(self, schema: Mapping[str, object]) -> str | None:
        try:
            _validator(json.dumps(schema))
        except (ValueError, RecursionError) as error:
            place = "".join(f"/{part}" for part in getattr(error, "instance_path", ()))
            at = f" (at '{place}')" if place else ""
            return f"must be a valid JSON schema{at}"
        return size_problem(schema)


@lru_cache(maxsize=128)
def _validator(schema: str) -> Any:
    # Most processes never check a schema.
    import jsonschema_rs  # noqa: PLC0415

    return jsonschema_rs.validator_for(json.loads(schema), retriever=_refused)


def _refused(uri: str) -> NoReturn:
    raise ValueError(uri)
