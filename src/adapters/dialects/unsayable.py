from domain.inference.conversation.parts import Part
from domain.inference.errors import UnsupportedByModelError


def unsayable(part: Part, api: str) -> UnsupportedByModelError:
    """For what a model answers with and a client's format has no place for: to leave it out would
    look like an answer without it."""
    what = type(part).__name__.lower()
    return UnsupportedByModelError(
        f"The model answered with a part of the kind '{what}', which {api} has no place for.",
        param="model",
    )
