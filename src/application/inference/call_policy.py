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
from domain.inference.token_estimate import TokenEstimate
from domain.models.errors import (
    ModelDisabledError,
    ModelNotAllowedError,
    ModelNotFoundError,
    WrongModelKindError,
)
from domain.models.route import Route
from domain.models.served_model import Capability, ModelKind, ServedModel
from domain.operations.model_settings import DEFAULT_OF_KIND
from domain.operations.routing_settings import LOCAL_ONLY
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


# What a call names that leaves the choice of its model to the gateway.
AUTO = "auto"


@dataclass(slots=True, kw_only=True)
class CallWishes:
    """What a call asks for, as far as it may be refused or decides about its way. ``prompt_bytes``
    is the size of what becomes prompt tokens."""

    actor: Actor
    operation: Operation
    model: str
    max_output_tokens: int | None = None
    offers_tools: bool = False
    asks_retrieval: bool = False
    needs: frozenset[Capability] = frozenset()
    local_only: bool = False
    prompt_bytes: int = 0
    attachments: int = 0
    choices: int = 1
    stream: bool = False
    user: str | None = None
    conversation: str | None = None

    @property
    def kind(self) -> ModelKind:
        return KIND_OF_OPERATION[self.operation]

    @property
    def estimate(self) -> TokenEstimate | None:
        """``None`` where the size of the request says nothing: with attachments."""
        if self.attachments:
            return None
        return TokenEstimate.of(
            self.prompt_bytes, max_output=self.max_output_tokens, choices=self.choices
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPolicy:
    """Says what a call may ask for. It runs at every call, so it looks at nothing but memory."""

    catalog: ModelCatalog
    settings: RuntimeSettings

    def named(self, wishes: CallWishes) -> ServedModel | Route | None:
        """The model or the route that the call asked for, or ``None`` where it leaves the choice to
        the gateway. Raises ``FunctionalError``."""
        actor = wishes.actor
        actor.require(Permission.INVOKE_MODELS)
        kind = KIND_OF_OPERATION[wishes.operation]
        found = self._find(wishes.model, kind, actor.team_id)
        if found is not None:
            if not actor.may_use(found):
                raise ModelNotAllowedError(wishes.model)
            if found.kind is not kind:
                raise WrongModelKindError(wishes.model, found.kind)
            if not found.is_enabled:
                raise ModelDisabledError(wishes.model)
        if wishes.offers_tools and not self.settings.get(ENABLE_TOOLS, actor.team_id):
            raise ToolsDisabledError
        if wishes.asks_retrieval and not self.settings.get(ENABLE_RETRIEVAL, actor.team_id):
            raise RetrievalDisabledError
        if isinstance(found, ServedModel):
            _check_length(wishes.max_output_tokens, found.context_length)
        return found

    def keeps_local(self, actor: Actor) -> bool:
        """Whether no call of the team may leave the machine."""
        return self.settings.get(LOCAL_ONLY, actor.team_id)

    def captures(self, actor: Actor) -> bool:
        """Whether what is asked and answered is kept with the call."""
        return self.settings.get(CONTENT_CAPTURE, actor.team_id)

    def _find(self, name: str, kind: ModelKind, team_id: TeamId) -> ServedModel | Route | None:
        found: ServedModel | Route | None
        if name == DEFAULT_MODEL:
            chosen = self.settings.get(DEFAULT_OF_KIND[kind], team_id)
            found = (
                self._own_default(kind, team_id) if chosen is None else self._entry(chosen, team_id)
            )
            name = chosen or name
        else:
            found = self._entry(name, team_id)
        # Vectors of different models have nothing to do with each other: nobody may choose there.
        if found is None and not (name == AUTO and kind is ModelKind.CHAT):
            raise ModelNotFoundError(name)
        return found

    def _entry(self, name: str, team_id: TeamId) -> ServedModel | Route | None:
        return self.catalog.find(name, team_id) or self.catalog.route(name, team_id)

    def _own_default(self, kind: ModelKind, team_id: TeamId) -> ServedModel | Route | None:
        """The model or route that is called so, else the first model of its kind."""
        named = self._entry(DEFAULT_MODEL, team_id)
        if named is not None and named.kind is kind:
            return named
        models = self.catalog.all(team_id)
        return next((one for one in models if one.kind is kind and one.is_enabled), None)


def _check_length(wanted: int | None, limit: int | None) -> None:
    if wanted is not None and limit is not None and wanted > limit:
        raise ContextLengthExceededError(
            f"This model's maximum context length is {limit} tokens. "
            f"However, you requested {wanted} tokens in the completion.",
            param="max_tokens",
        )
