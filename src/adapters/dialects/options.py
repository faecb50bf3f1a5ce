"""What an operator says of one model for its provider to hear."""

from typing import TypeVar

from domain.models.served_model import ServedModel
from domain.shared.errors import InvalidError

T = TypeVar("T")


def own_option(model: ServedModel, name: str, kind: type[T]) -> T | None:
    """Raises ``InvalidError`` for one of another kind."""
    value = model.options.get(name)
    if value is not None and not isinstance(value, kind):
        raise InvalidError(
            f"The option '{name}' of the model '{model.name}' is not what it must be.",
            param="model",
        )
    return value
