from typing import NamedTuple

import msgspec

from adapters.providers.json_reading import NOT_JSON
from application.inference.ports import ProviderRequest
from domain.shared.errors import InvalidError

_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
# The gateway acts on these; decoders that ignore case (Go's) would take other spellings for them.
_OURS = frozenset({"model", "stream", "stream_options", "max_tokens", "max_completion_tokens"})
_PROMPTS = ("messages", "prompt", "input")
_BYTES_PER_TOKEN = 4


class UpstreamBody(NamedTuple):
    """``public_name`` is what the client asked for; ``prompt_tokens`` an estimate by length."""

    body: bytes
    public_name: str
    prompt_tokens: int


def upstream_body(request: ProviderRequest) -> UpstreamBody:
    """The client's object with the provider's model name, every other value byte for byte.

    It is always written anew: a member that stands twice, or once more in other letters, could mean
    to the provider something else than what was checked here.
    """
    try:
        fields = _FIELDS.decode(request.body)
        public_name = msgspec.json.decode(fields["model"], type=str)
    except (*NOT_JSON, KeyError) as error:
        raise InvalidError(
            "The request must be a JSON object with a 'model'.", param="model"
        ) from error
    upstream_name = request.model.upstream_name
    changes: dict[str, msgspec.Raw] = {}
    if public_name != upstream_name:
        changes["model"] = msgspec.Raw(msgspec.json.encode(upstream_name))
    if request.stream:
        changes["stream"] = msgspec.Raw(b"true")
        changes["stream_options"] = _asking_for_usage(fields.get("stream_options"))
    elif "stream" in fields:
        changes["stream"] = msgspec.Raw(b"false")
    for name in fields:
        if name not in _OURS and name.casefold() in _OURS:
            raise InvalidError(f"Unknown parameter: '{name}'.", param=name)
    body = msgspec.json.encode(fields | changes)
    return UpstreamBody(body, public_name, _estimate(fields))


def tokens_in(size: int) -> int:
    """A rough count for text of that many bytes, rounded up."""
    return -(-size // _BYTES_PER_TOKEN)


def _asking_for_usage(given: msgspec.Raw | None) -> msgspec.Raw:
    options: dict[str, msgspec.Raw] = {}
    if given is not None and bytes(given) != b"null":
        try:
            options = _FIELDS.decode(given)
        except NOT_JSON as error:
            raise InvalidError(
                "'stream_options' must be an object.", param="stream_options"
            ) from error
    options["include_usage"] = msgspec.Raw(b"true")
    return msgspec.Raw(msgspec.json.encode(options))


def _estimate(fields: dict[str, msgspec.Raw]) -> int:
    for name in _PROMPTS:
        prompt = fields.get(name)
        if prompt is not None:
            return tokens_in(memoryview(prompt).nbytes)
    return 0
