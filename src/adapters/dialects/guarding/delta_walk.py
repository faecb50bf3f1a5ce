"""Where the deltas of chats have pieces of texts, and how more of such a text is written."""

from collections.abc import Callable
from typing import Any

from adapters.dialects.guarding.walking import JSON_TEXTS, TEXTS

# Names of members, and numbers of elements.
Path = tuple[str | int, ...]
# Gets the path of a text, its next piece, and whether the text is JSON; returns what may be shown.
Hear = Callable[[Path, str, bool], str]

# Members of a delta whose texts go on in the next one. What else there is comes in one piece.
GOING_ON = frozenset(
    {
        "content",
        "reasoning_content",
        "reasoning",
        "reasoning_details",
        "thinking",
        "refusal",
        "tool_calls",
        "function_call",
        "audio",
    }
)
# What else has to be said of an element of a list, so that more of it is known to be that.
_FRAME = ("index", "type", "format")


class DeltaWalk:
    """Sends every piece of text in deltas to where the text is heard."""

    def __init__(self, hear: Hear) -> None:
        self._hear = hear
        self._frames: dict[Path, dict[str, Any]] = {}

    def over(self, path: Path, name: str, value: object) -> Any:
        """The member of that name with its texts as they may be shown."""
        at = (*path, name)
        if isinstance(value, str):
            is_json = name in JSON_TEXTS
            return self._hear(at, value, is_json) if is_json or name in TEXTS else value
        if isinstance(value, dict):
            return {one: self.over(at, one, member) for one, member in value.items()}
        if isinstance(value, list):
            return [self._element(at, name, place, one) for place, one in enumerate(value)]
        return value

    def more(self, path: Path, text: str) -> dict[str, Any]:
        """The object in which the text at the path has got some more."""
        value: Any = text
        for end in range(len(path) - 1, -1, -1):
            part = path[end]
            if isinstance(part, str):
                value = {part: value}
            else:
                frame = self._frames.get(path[: end + 1], {})
                value = [{**frame, **value} if isinstance(value, dict) else value]
        said: dict[str, Any] = value
        return said

    def _element(self, path: Path, name: str, place: int, value: object) -> Any:
        if isinstance(value, str):
            return self._hear((*path, place), value, False) if name in TEXTS else value
        if not isinstance(value, dict):
            return value
        number = value.get("index")
        at = (*path, number if isinstance(number, int) else place)
        self._frames[at] = {one: value[one] for one in _FRAME if one in value}
        return {one: self.over(at, one, member) for one, member in value.items()}
