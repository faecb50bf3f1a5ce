import re
from typing import Any

import msgspec
from litestar.exceptions import SerializationException, ValidationException

from adapters.http.connection import AnyRequest
from adapters.http.data_plane.body import check_plain

_PLACE = re.compile(r" - at `\$\.?(?P<path>.*)`$")


class StrictRequest(AnyRequest):
    """Reads a JSON body as JSON means it: ``"true"`` is no boolean, and ``5`` is no time. The
    framework would convert them, as it must for query parameters."""

    async def json(self) -> Any:
        """The body as the type that the handler wants."""
        check_plain(self.headers.get("content-encoding", "").lower().encode("latin-1"))
        wanted = self.route_handler.parsed_data_field
        try:
            return msgspec.json.decode(
                await self.body(), type=Any if wanted is None else wanted.annotation
            )
        except msgspec.ValidationError as error:
            raise _named(str(error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise SerializationException(str(error)) from None


def _named(text: str) -> ValidationException:
    """The framework's own exception for a wrong member, in the form that it gives it."""
    place = _PLACE.search(text)
    reason = text if place is None else text[: place.start()]
    key = place["path"] if place else ""
    return ValidationException(extra=[{"message": reason, "key": key or "data", "source": "body"}])
