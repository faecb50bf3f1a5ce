"""Members of a request that no common language has."""

from adapters.dialects.fields import unsupported
from domain.inference.conversation.parts import StoredFile, ToolResult
from domain.inference.conversation.request import GenerationRequest, JsonObject

# What a request of any dialect may say and another may leave out, because it cannot change the
# answer: names for the caller and the call, hints for caches, what is kept of it, and how fast it
# is worked on.
WITHOUT_EFFECT = frozenset(
    {
        "cache_control",
        "client_metadata",
        "diagnostics",
        # They are among the tools; it is the form of the answer that hangs on them.
        "functions",
        "metadata",
        "prediction",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "speed",
        "store",
        "user",
    }
)


def extras_for(dialect: str, request: GenerationRequest) -> JsonObject:
    """The extras as they go to a provider of that dialect. Raises ``UnsupportedByModelError`` for
    those of another one that may matter."""
    if request.dialect == dialect:
        return request.extras
    for name in request.extras:
        if name not in WITHOUT_EFFECT:
            raise unsupported(name)
    return {}


def refuse_stored_files(dialect: str, request: GenerationRequest) -> None:
    """Raise ``UnsupportedByModelError`` for a file that the provider of another dialect keeps."""
    if request.dialect == dialect:
        return
    for index, turn in enumerate(request.turns):
        pieces = [
            piece
            for part in turn.parts
            for piece in (part.parts if isinstance(part, ToolResult) else (part,))
        ]
        if any(isinstance(getattr(piece, "source", None), StoredFile) for piece in pieces):
            raise unsupported(
                f"messages[{index}].content", "it has a file that another provider keeps"
            )
