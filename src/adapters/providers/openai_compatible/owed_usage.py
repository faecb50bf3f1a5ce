import msgspec

from adapters.providers.openai_compatible.wire import WireAnswer
from domain.shared.usage import Usage


class OwedUsage:
    """The usage chunk that a client asked for and that its provider does not send: the gateway
    writes it from what was reported otherwise, or counted."""

    def __init__(self, *, model: str, prompt_tokens: int) -> None:
        """``model`` is the client's name of it."""
        self._model = model
        self._prompt_tokens = prompt_tokens
        self._last = WireAnswer()
        self._paid = False

    def note(self, chunk: WireAnswer) -> None:
        self._last = chunk
        self._paid = self._paid or chunk.has_usage

    def event(self, usage: Usage | None, counted: int) -> bytes:
        """Empty where the provider sent one after all."""
        if self._paid:
            return b""
        prompt = self._prompt_tokens if usage is None else usage.prompt_tokens
        completion = counted if usage is None else usage.completion_tokens
        chunk = {
            "id": self._last.id or "",
            "object": "chat.completion.chunk",
            "created": int(self._last.created or 0),
            "model": self._model,
            "choices": [],
            "usage": {
                "prompt_tokens": prompt,
                "completion_tokens": completion,
                "total_tokens": prompt + completion,
            },
        }
        return b"data: " + msgspec.json.encode(chunk) + b"\n\n"
