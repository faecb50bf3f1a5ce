from dataclasses import dataclass

BYTES_PER_TOKEN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEstimate:
    """What a call may use, as far as can be told before it is made. ``prompt`` is a guess from the
    size of the request; ``output`` is the most that the client lets the model answer, ``None``
    where it set no limit."""

    prompt: int
    output: int | None = None

    @classmethod
    def of(
        cls,
        body_bytes: int,
        *,
        max_output: int | None,
        choices: int = 1,
        context_length: int | None = None,
    ) -> "TokenEstimate":
        """``choices`` answers are asked for, each with its own limit; a prompt is never longer
        than the model's context, however large an image makes the request."""
        prompt = -(-body_bytes // BYTES_PER_TOKEN)
        if context_length is not None:
            prompt = min(prompt, context_length)
        return cls(prompt=prompt, output=None if max_output is None else max_output * choices)
