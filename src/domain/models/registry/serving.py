"""What a registry makes of the gateway: the models that it serves."""

from domain.models.registry.model import Model, ModelState, Visibility
from domain.models.registry.provider import Provider
from domain.models.served_model import ServedModel


def served(model: Model, provider: Provider, *, runs_here: bool) -> ServedModel:
    """The model as calls see it. A provider that is switched off takes its models along."""
    return ServedModel(
        name=model.name,
        kind=model.kind,
        provider=provider.name,
        upstream_name=model.upstream_name,
        owner=model.team_id,
        aliases=model.aliases,
        is_public=model.visibility is Visibility.PUBLIC,
        is_enabled=model.state is ModelState.ENABLED and provider.is_enabled,
        runs_here=runs_here,
        capabilities=model.capabilities,
        context_length=model.context_length,
        max_output_tokens=model.max_output_tokens,
        limits=model.limits,
        options=model.options,
    )
