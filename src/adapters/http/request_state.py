"""What the server and what answers tell each other of a request, beside ASGI's messages."""

from typing import Any

_HAS_BEGUN = "answer_has_begun"


def begin(state: dict[str, Any]) -> None:
    """The answer begins: from now on its status stands."""
    state[_HAS_BEGUN] = True


def has_begun(state: dict[str, Any]) -> bool:
    return _HAS_BEGUN in state
