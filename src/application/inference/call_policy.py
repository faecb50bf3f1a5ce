from dataclasses import dataclass

from application.inference.ports import Operation
from application.models.ports import ModelCatalog
from application.operations.ports import RuntimeSettings
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.inference.errors import (
    ContextLengthExceededError,
    RetrievalDisabledError,
    ToolsDisabledError,
)
from domain.models.errors import ModelNotAllowedError, ModelNotFoundError, WrongModelKindError
from domain.models.served_model import ModelKind, ServedModel
from domain.operations.model_settings import DEFAULT_OF_KIND
from domain.operations.runtime_settings import (
    CONTENT_CAPTURE,
    ENABLE_RETRIEVAL,
    ENABLE_TOOLS,
)
from domain.shared.ids import TeamId

# What a call names that leaves the choice of its model to the team.
DEFAULT_MODEL = "default"

KIND_OF_OPERATION = {
    Operation.CHAT: ModelKind.CHAT,
    Operation.COMPLETION: ModelKind.CHAT,
    Operation.RESPONSES: ModelKind.CHAT,
    Operation.MESSAGES: ModelKind.CHAT,
    Operation.COUNT_TOKENS: ModelKind.CHAT,
    Operation.EMBEDDING: ModelKind.EMBEDDING,
    Operation.RERANK: ModelKind.RERANK,
    Operation.MODERATION: ModelKind.MODERATION,
    Operation.IMAGE: ModelKind.IMAGE,
    Operation.TRANSCRIPTION: ModelKind.TRANSCRIPTION,
    Operation.SPEECH: ModelKind.SPEECH,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallWishes:
    """What a call asks for, as far as it may be refused."""

    actor: Actor
    operation: Operation
    model: str
    max_output_tokens: int | None = None
    offers_tools: bool = False
    asks_retrieval: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPolicy:
    """Says which model answers a call, or why none may. It runs at every call, so it looks at
    nothing but memory."""

    catalog: ModelCatalog
    settings: RuntimeSettings

    def model_for(self, wishes: CallWishes) -> ServedModel:
        """Raises ``FunctionalError``."""
        actor = wishes.actor
        actor.require(Permission.INVOKE_MODELS)
        kind = KIND_OF_OPERATION[wishes.operation]
        model = self._find(wishes.model, kind, actor.team_id)
        if not actor.may_use(model):
            raise ModelNotAllowedError(wishes.model)
        if model.kind is not kind:
            raise WrongModelKindError(wishes.model, model.kind)
        if wishes.offers_tools and not self.settings.get(ENABLE_TOOLS, actor.team_id):
            raise ToolsDisabledError
        if wishes.asks_retrieval and not self.settings.get(ENABLE_RETRIEVAL, actor.team_id):
            raise RetrievalDisabledError
        _check_length(wishes.max_output_tokens, model.context_length)
        return model

    def captures(self, actor: Actor) -> bool:
        """Whether what is asked and answered is kept with the call."""
        return self.settings.get(CONTENT_CAPTURE, actor.team_id)

    def _find(self, name: str, kind: ModelKind, team_id: TeamId) -> ServedModel:
        if name == DEFAULT_MODEL:
            chosen = self.settings.get(DEFAULT_OF_KIND[kind], team_id)
            model = (
                self._own_default(kind, team_id)
                if chosen is None
                else self.catalog.find(chosen, team_id)
            )
            name = chosen or name
        else:
            model = self.catalog.find(name, team_id)
        if model is None:
            raise ModelNotFoundError(name)
        return model

    def _own_default(self, kind: ModelKind, team_id: TeamId) -> ServedModel | None:
        """The model that the configuration calls so, else the first of its kind."""
        named = self.catalog.find(DEFAULT_MODEL, team_id)
        if named is not None and named.kind is kind:
            return named
        return next((model for model in self.catalog.all(team_id) if model.kind is kind), None)


def _check_length(wanted: int | None, limit: int | None) -> None:
    if wanted is not None and limit is not None and wanted > limit:
        raise ContextLengthExceededError(
            f"This model's maximum context length is {limit} tokens. "
            f"However, you requested {wanted} tokens in the completion.",
            param="max_tokens",
        )
