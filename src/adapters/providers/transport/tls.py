import ssl
from pathlib import Path

from domain.shared.errors import InvalidError


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """A context that verifies certificates against the system's authorities and ``ca_file``'s."""
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=str(ca_file))
        except (OSError, ssl.SSLError) as error:
            raise InvalidError(
                f"The CA file {ca_file} cannot be read as PEM certificates.", param="ca_file"
            ) from error
    return context
