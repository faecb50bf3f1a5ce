"""Request bodies as typed structs, and what is wrong with them in the words of OpenAI."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import msgspec

from adapters.dialects.fields import NOT_JSON
from domain.shared.errors import FieldError, InvalidError

T = TypeVar("T")
P = ParamSpec("P")


def decoded(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Raises ``InvalidError`` that names the parameter."""
    return understood(decoder.decode, body)


def understood(read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What is read of a request. Parts of it that the first look passed over may turn out to be no
    JSON, or nested too deeply. Raises ``InvalidError`` that names the parameter, if there is one to
    name."""
    try:
        return read(*args, **kwargs)
    except msgspec.ValidationError as error:
        raise _validation_error(str(error)) from None
    except NOT_JSON as error:
        raise InvalidError(f"We could not parse the JSON body of your request. ({error})") from None


def bearable(write: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What is written of a request. Raises ``InvalidError`` for one that is nested too deeply."""
    try:
        return write(*args, **kwargs)
    except RecursionError:
        raise InvalidError("The body of your request is nested too deeply.") from None


def invalid(param: str, message: str) -> InvalidError:
    return InvalidError(message, param=param, errors=(FieldError(param, message),))


def _validation_error(text: str) -> InvalidError:
    """Turn msgspec's ``Expected `str`, got `int` - at `$.model``` into OpenAI's words."""
    reason, _, path = text.partition(" - at `")
    param = path.rstrip("`").removeprefix("$").removeprefix(".")
    if reason.startswith("Object missing required field"):
        missing = reason.split("`")[1]
        param = f"{param}.{missing}" if param else missing
        return invalid(param, f"Missing required parameter: '{param}'.")
    if not param:
        return InvalidError(f"The request body is not valid: {reason}.")
    if reason.startswith("Invalid enum value"):
        # Its end repeats what was sent.
        reason = "none of the values allowed here"
    return invalid(param, f"Invalid value for '{param}': {reason[0].lower()}{reason[1:]}.")
