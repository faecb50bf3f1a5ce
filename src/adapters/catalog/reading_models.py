from collections.abc import Mapping
from pathlib import Path

from adapters.catalog.embedded import EMBEDDED_MODELS, EMBEDDED_PREFIX, FREE
from adapters.catalog.fields import Fields
from adapters.catalog.reading_prices import read_prices
from adapters.providers.local.configuration import LOCAL
from adapters.providers.model_options import option_problems
from adapters.providers.types import PROVIDER_TYPES
from domain.models.registry.names import (
    MAX_MODEL_NAME_LENGTH,
    RESERVED_NAMES,
    is_model_name,
)
from domain.models.served_model import Capability, DeploymentLimits, ModelKind, ServedModel


def read_model(
    fields: Fields, providers: Mapping[str, str], directory: Path, *, is_public: bool
) -> ServedModel | None:
    """``None`` when it has no name or provider, which is then noted like all else. ``providers``
    are the types of the providers by name."""
    name, aliases = _read_name(fields), _read_aliases(fields)
    provider = _read_provider(fields, providers)
    kind = fields.choice("kind", ModelKind)
    context_length = fields.whole("context_length")
    upstream = fields.text("upstream_name") or name or ""
    is_local = providers.get(provider or "") == LOCAL.name
    if is_local:
        upstream = _local_upstream(fields, upstream, directory)
        kind, context_length = _of_embedded(fields, upstream, kind, context_length)
    kind = kind or ModelKind.CHAT
    prices = read_prices(fields, kind) or (FREE if is_local else None)
    options, capabilities = _read_options(fields), _read_capabilities(fields, kind)
    max_output_tokens, limits = fields.whole("max_output_tokens"), _read_limits(fields)
    is_off = fields.flag("enabled") is False
    fields.end()
    if name is None or provider is None:
        return None
    model = ServedModel(
        name=name,
        aliases=aliases,
        kind=kind,
        provider=provider,
        upstream_name=upstream,
        is_public=is_public,
        is_enabled=not is_off,
        runs_here=_runs_here(providers.get(provider)),
        capabilities=capabilities,
        context_length=context_length,
        max_output_tokens=max_output_tokens,
        limits=limits,
        prices=prices,
        options=options,
    )
    _check_options(fields, providers.get(provider, ""), model)
    return model


def _read_capabilities(fields: Fields, kind: ModelKind) -> frozenset[Capability] | None:
    """``None`` where nobody has said."""
    capabilities = fields.choices("capabilities", Capability)
    if capabilities and kind is not ModelKind.CHAT:
        fields.note("capabilities", "are for models of the kind 'chat'")
    return None if capabilities is None else frozenset(capabilities)


def _read_options(fields: Fields) -> dict[str, object]:
    nested = fields.fields("options")
    return {} if nested is None else nested.plain()


def _check_options(fields: Fields, type_name: str, model: ServedModel) -> None:
    if type_name == LOCAL.name:
        # What stands in files of its own is looked at when they are.
        return
    for path, message in option_problems(type_name, model):
        fields.note("options", message if path == "options" else f"'{path}' {message}")


def _read_provider(fields: Fields, providers: Mapping[str, str]) -> str | None:
    provider = fields.text("provider", required=True)
    if provider is not None and provider not in providers:
        fields.note("provider", f"names '{provider}', which is not among the providers")
    return provider


def _runs_here(type_name: str | None) -> bool:
    provider_type = PROVIDER_TYPES.get(type_name or "")
    return provider_type is not None and provider_type.runs_here


def _read_limits(fields: Fields) -> DeploymentLimits | None:
    nested = fields.fields("limits")
    if nested is None:
        return None
    limits = DeploymentLimits(
        rpm=nested.whole("rpm"), tpm=nested.whole("tpm"), concurrency=nested.whole("concurrency")
    )
    nested.end()
    return limits


def _read_name(fields: Fields) -> str | None:
    name = fields.text("name", required=True)
    if name is not None and not is_model_name(name):
        fields.note("name", f"must have 1 to {MAX_MODEL_NAME_LENGTH} characters and no spaces")
    elif name in RESERVED_NAMES:
        fields.note("name", _reserved(name))
    return name


def _read_aliases(fields: Fields) -> tuple[str, ...]:
    aliases = fields.texts("aliases")
    for alias, node in aliases:
        if not is_model_name(alias):
            message = f"must have 1 to {MAX_MODEL_NAME_LENGTH} characters each and no spaces"
            fields.note("aliases", message, node)
        elif alias in RESERVED_NAMES:
            fields.note("aliases", _reserved(alias), node)
    return tuple(alias for alias, _ in aliases)


def _reserved(name: str) -> str:
    return f"cannot be '{name}', which calls use for a free choice"


def _local_upstream(fields: Fields, upstream: str, directory: Path) -> str:
    """``embedded:<name>``, or the absolute path of a file that exists."""
    if not fields.has("upstream_name") and upstream in EMBEDDED_MODELS:
        return EMBEDDED_PREFIX + upstream
    known = ", ".join(EMBEDDED_PREFIX + name for name in EMBEDDED_MODELS)
    if upstream.startswith(EMBEDDED_PREFIX):
        if upstream.removeprefix(EMBEDDED_PREFIX) not in EMBEDDED_MODELS:
            fields.note("upstream_name", f"names an unknown embedded model; known are {known}")
        return upstream
    if not fields.has("upstream_name"):
        fields.note("upstream_name", f"is missing: the path of a GGUF file, or one of {known}")
        return upstream
    path = directory / Path(upstream).expanduser()
    if path.suffix != ".gguf":
        fields.note("upstream_name", f"must be the path of a .gguf file, or one of {known}")
    elif not path.is_file():
        fields.note("upstream_name", f"names a file that does not exist: {path}")
    return str(path)


def _of_embedded(
    fields: Fields, upstream: str, kind: ModelKind | None, context_length: int | None
) -> tuple[ModelKind | None, int | None]:
    """What is known of an embedded model stands, unless the file says it otherwise."""
    embedded = EMBEDDED_MODELS.get(upstream.removeprefix(EMBEDDED_PREFIX))
    if embedded is None or not upstream.startswith(EMBEDDED_PREFIX):
        return kind, context_length
    if kind not in {None, *embedded.kinds}:
        known = " or ".join(f"'{one}'" for one in embedded.kinds)
        fields.note("kind", f"must be {known} for {upstream}")
    return kind or embedded.kind, context_length or embedded.context_length
