"""What a person sees when the server is up."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.models.served_model import ModelKind, ServedModel

FIRST_KEY = """
Your API key, shown only this once:

    {secret}

Try it:

    {curl}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """What a start has to show to whoever started the server once it is ready: the token with which
    somebody can make the server theirs, for as long as nobody has."""

    setup_token: str | None = field(default=None, repr=False)


def ready_line(version: str, url: str) -> str:
    return f"Stoa {version} is ready on {url}"


def setup_line(link: str) -> str:
    return f"Nobody owns this server yet. Make it yours in a browser: {link}"


def first_key_text(secret: str, url: str, models: Sequence[ServedModel]) -> str:
    """The new key and a line that can be pasted."""
    return FIRST_KEY.format(secret=secret, curl=curl_line(secret, url, models))


def curl_line(secret: str, url: str, models: Sequence[ServedModel]) -> str:
    chat = next((model for model in models if model.kind is ModelKind.CHAT), None)
    header = f"-H 'Authorization: Bearer {secret}'"
    if chat is None:
        return f"curl {url}/v1/models {header}"
    body = json.dumps(
        {
            "model": chat.aliases[0] if chat.aliases else chat.name,
            "messages": [{"role": "user", "content": "What is the capital of France?"}],
        }
    )
    return (
        f"curl {url}/v1/chat/completions {header} -H 'Content-Type: application/json' -d '{body}'"
    )
