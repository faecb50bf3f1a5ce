"""Request bodies as typed structs, and what is wrong with them in the words of OpenAI."""

from typing import TypeVar

import msgspec

from domain.shared.errors import FieldError, InvalidError

T = TypeVar("T")


def decoded(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Raises ``InvalidError`` that names the parameter."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _validation_error(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidError(f"We could not parse the JSON body of your request. ({error})") from None


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
