from adapters.catalog.catalog_file import CatalogFile
from application.models.applying.wanted_registry import WantedRegistry
from application.models.registry.models.entries import ModelDraft
from application.models.registry.providers.entries import ProviderDraft
from domain.models.registry.model import ModelState, Visibility
from domain.models.served_model import ServedModel


def wanted_of(file: CatalogFile) -> WantedRegistry:
    """What the file makes of a team's registry."""
    return WantedRegistry(
        providers=tuple(
            ProviderDraft(
                name=provider.name,
                type=provider.type,
                configuration_and_secrets=provider.given,
                is_enabled=provider.is_enabled,
            )
            for provider in file.providers
        ),
        models=tuple(map(_draft_of, file.models)),
        routes=file.routes,
        prices=file.prices,
        lines=file.lines,
    )


def _draft_of(model: ServedModel) -> ModelDraft:
    return ModelDraft(
        name=model.name,
        provider=model.provider,
        kind=model.kind,
        aliases=model.aliases,
        upstream_name=model.upstream_name,
        capabilities=model.capabilities,
        context_length=model.context_length,
        max_output_tokens=model.max_output_tokens,
        limits=model.limits,
        visibility=Visibility.PUBLIC if model.is_public else Visibility.PRIVATE,
        state=ModelState.ENABLED if model.is_enabled else ModelState.DISABLED,
        options=model.options,
    )
