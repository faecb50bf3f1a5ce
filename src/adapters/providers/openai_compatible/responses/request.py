import msgspec

from adapters.dialects.openai_responses.envelope import unseal
from adapters.providers.json_reading import NOT_JSON
from adapters.providers.openai_compatible.request import (
    Adapt,
    Members,
    UpstreamBody,
    as_it_is,
    renamed,
    tokens_in,
)
from application.inference.ports import ProviderRequest
from domain.models.served_model import Capability
from domain.shared.errors import InvalidError

_THOUGHTS = "reasoning.encrypted_content"
# Items of these types are whole without their ids, which only the server knows that made them.
_NAMELESS = frozenset({"message", "function_call", "function_call_output"})
_OURS = frozenset({"store", "previous_response_id", "background", "conversation"})

_items = msgspec.json.Decoder(list[msgspec.Raw])
_members = msgspec.json.Decoder(Members)
_texts = msgspec.json.Decoder(list[str])


class _Kind(msgspec.Struct):
    type: str = "message"
    encrypted_content: str | None = None


_kind = msgspec.json.Decoder(_Kind)


def responses_body(request: ProviderRequest, adapt: Adapt = as_it_is) -> UpstreamBody:
    """The client's object for a provider that keeps nothing: what it would keep comes with the
    input each time. What other providers' models thought is left out."""
    members, public_name = renamed(request)
    for name in members:
        if name not in _OURS and name.casefold() in _OURS:
            raise InvalidError(f"Unknown parameter: '{name}'.", param=name)
    if "stream" in members or request.stream:
        members["stream"] = msgspec.Raw(b"true" if request.stream else b"false")
    members.pop("previous_response_id", None)
    members["store"] = msgspec.Raw(b"false")
    estimate = tokens_in(len(bytes(members.get("input", b""))))
    try:
        _clean_input(members)
        _ask_for_thoughts(members, request)
    except NOT_JSON as error:
        raise InvalidError("The request is malformed.", param="input") from error
    return UpstreamBody(
        msgspec.json.encode(adapt(request.operation, members)), public_name, estimate
    )


def _clean_input(members: Members) -> None:
    given = bytes(members.get("input", b""))
    if not given.startswith(b"[") or not (b'"id"' in given or b'"reasoning"' in given):
        return
    cleaned = (_cleaned(item) for item in _items.decode(given))
    kept = [item for item in cleaned if item is not None]
    members["input"] = msgspec.Raw(msgspec.json.encode(kept))


def _cleaned(item: msgspec.Raw) -> msgspec.Raw | None:
    kind = _kind.decode(item)
    if kind.type == "reasoning":
        # The provider can read back only what it has encrypted itself.
        foreign = kind.encrypted_content is None or unseal(kind.encrypted_content) is not None
        return None if foreign else item
    if kind.type not in _NAMELESS or b'"id"' not in bytes(item):
        return item
    members = _members.decode(item)
    members.pop("id", None)
    return msgspec.Raw(msgspec.json.encode(members))


def _ask_for_thoughts(members: Members, request: ProviderRequest) -> None:
    """So that the conversation can go on with them. Models that cannot think refuse to be asked."""
    capabilities = request.model.capabilities or frozenset[Capability]()
    thinks = bytes(members.get("reasoning", b"null")) != b"null"
    if not thinks and Capability.REASONING not in capabilities:
        return
    given = members.get("include")
    included = [] if given is None or bytes(given) == b"null" else _texts.decode(given)
    if _THOUGHTS not in included:
        members["include"] = msgspec.Raw(msgspec.json.encode([*included, _THOUGHTS]))
