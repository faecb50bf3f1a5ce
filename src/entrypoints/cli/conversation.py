"""What a person typed, as messages and as the body of a request."""

from collections.abc import Sequence

import click

ROLES = {
    "system": "system",
    "developer": "developer",
    "user": "user",
    "assistant": "assistant",
    "ai": "assistant",
}
Message = dict[str, str]


def read_messages(
    words: Sequence[str], *, system: str | None, standard_input: str | None
) -> list[Message]:
    """One message of the user, or pairs of role and content. Without any, what was piped in.

    Raises ``click.UsageError``.
    """
    messages = [] if system is None else [{"role": "system", "content": system}]
    if len(words) > 1:
        messages += _pairs(words)
    else:
        text = words[0] if words else standard_input
        if text is None or not text.strip():
            raise click.UsageError('Give a message: stoa chat MODEL "hello", or pipe one in.')
        messages.append({"role": "user", "content": text})
    for message in messages:
        _check_encoding(message["content"])
    return messages


def request_body(
    model: str,
    messages: Sequence[Message],
    *,
    stream: bool,
    temperature: float | None,
    max_tokens: int | None,
) -> dict[str, object]:
    """The body in OpenAI's format; what was not asked for is left to the model."""
    body: dict[str, object] = {"model": model, "messages": list(messages)}
    if temperature is not None:
        body["temperature"] = temperature
    if max_tokens is not None:
        body["max_tokens"] = max_tokens
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def _check_encoding(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise click.UsageError("The message is not text in UTF-8.") from None


def _pairs(words: Sequence[str]) -> list[Message]:
    for role in words[::2]:
        if role not in ROLES:
            raise click.UsageError(
                f"'{role}' is not a role ({', '.join(ROLES)}). "
                "Several words are pairs of a role and a content; put a message in quotes."
            )
    if len(words) % 2:
        raise click.UsageError(
            f"The role '{words[-1]}' has no content: give pairs of a role and a content."
        )
    return [
        {"role": ROLES[role], "content": content}
        for role, content in zip(words[::2], words[1::2], strict=True)
    ]
