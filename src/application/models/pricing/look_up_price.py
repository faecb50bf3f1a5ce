from dataclasses import dataclass

from application.models.pricing.ports import KnownPrices, PriceBook, PriceQuestion
from application.models.registry.ports import ProviderConfigurations
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.models.registry.errors import wrong_fields
from domain.models.served_model import ModelKind


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpPriceQuery:
    actor: Actor
    provider_type: str
    upstream_name: str
    base_url: str | None = None
    kind: ModelKind = ModelKind.CHAT


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpPrice:
    """Looks up what a provider publishes of a model's price, and how much the model reads; nothing
    where that is not known."""

    book: PriceBook
    configurations: ProviderConfigurations

    async def __call__(self, query: LookUpPriceQuery) -> KnownPrices | None:
        query.actor.require(Permission.MANAGE_MODELS)
        if query.provider_type not in self.configurations.types:
            types = ", ".join(self.configurations.types)
            raise wrong_fields([("provider_type", f"must be one of {types}")])
        question = PriceQuestion(
            provider_type=query.provider_type,
            base_url=query.base_url,
            upstream_name=query.upstream_name,
            kind=query.kind,
        )
        return (await self.book.look_up((question,))).get(question)
