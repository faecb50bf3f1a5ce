from collections.abc import Callable
from typing import NamedTuple

import msgspec

from adapters.providers.json_reading import NOT_JSON
from application.inference.ports import Operation, ProviderRequest
from domain.shared.errors import InvalidError

Members = dict[str, msgspec.Raw]

_MEMBERS = msgspec.json.Decoder(Members)
# The gateway acts on these; decoders that ignore case (Go's) would take other spellings for them.
_OURS = frozenset({"model", "stream", "stream_options", "max_tokens", "max_completion_tokens"})
_OF_ANY_MODEL = (Operation.MODERATION, Operation.IMAGE)
_PROMPTS = ("messages", "prompt", "input")
_BYTES_PER_TOKEN = 4
_USAGE = msgspec.Raw(b'{"include_usage":true}')


class UpstreamBody(NamedTuple):
    """``public_name`` is what the client asked for; ``prompt_tokens`` an estimate by length."""

    body: bytes
    public_name: str
    prompt_tokens: int


# Changes the members of a request to what a provider takes that differs from OpenAI. Raises
# ``UnsupportedByModelError``.
Adapt = Callable[[Operation, Members], Members]


def as_it_is(_: Operation, members: Members) -> Members:
    return members


def upstream_body(
    request: ProviderRequest, adapt: Adapt = as_it_is, *, stream_usage: bool = True
) -> UpstreamBody:
    """The client's object with the provider's model name, every other value byte for byte.

    It is always written anew: a member that stands twice, or once more in other letters, could mean
    to the provider something else than what was checked here.
    """
    members, public_name = renamed(request)
    estimate = _estimate(members)
    if request.stream:
        members["stream"] = msgspec.Raw(b"true")
        if stream_usage:
            members["stream_options"] = _asking_for_usage(members.get("stream_options"))
        else:
            members.pop("stream_options", None)
    elif "stream" in members:
        members["stream"] = msgspec.Raw(b"false")
    body = msgspec.json.encode(adapt(request.operation, members))
    return UpstreamBody(body, public_name, estimate)


def renamed(request: ProviderRequest) -> tuple[Members, str]:
    """The client's members with the provider's name of the model, and the client's name of it; a
    client that named none where OpenAI demands none gets the name that was chosen for it."""
    try:
        members = _MEMBERS.decode(request.body)
        if "model" not in members and request.operation in _OF_ANY_MODEL:
            members["model"] = msgspec.Raw(msgspec.json.encode(request.model.name))
        public_name = msgspec.json.decode(members["model"], type=str)
    except (*NOT_JSON, KeyError) as error:
        raise InvalidError(
            "The request must be a JSON object with a 'model'.", param="model"
        ) from error
    for name in members:
        if name not in _OURS and name.casefold() in _OURS:
            raise InvalidError(f"Unknown parameter: '{name}'.", param=name)
    upstream_name = request.model.upstream_name
    if public_name != upstream_name:
        members["model"] = msgspec.Raw(msgspec.json.encode(upstream_name))
    return members, public_name


def tokens_in(size: int) -> int:
    """A rough count for text of that many bytes, rounded up."""
    return -(-size // _BYTES_PER_TOKEN)


def _asking_for_usage(given: msgspec.Raw | None) -> msgspec.Raw:
    if given is None or bytes(given) == b"null":
        return _USAGE
    try:
        options = _MEMBERS.decode(given)
    except NOT_JSON as error:
        raise InvalidError("'stream_options' must be an object.", param="stream_options") from error
    options["include_usage"] = msgspec.Raw(b"true")
    return msgspec.Raw(msgspec.json.encode(options))


def _estimate(members: Members) -> int:
    for name in _PROMPTS:
        prompt = members.get(name)
        if prompt is not None:
            return tokens_in(memoryview(prompt).nbytes)
    return 0
