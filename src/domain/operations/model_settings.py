"""Which model answers where a call leaves the choice to its team, for every kind of model."""

from collections.abc import Mapping
from types import MappingProxyType

from domain.models.served_model import ModelKind
from domain.operations.runtime_setting import RuntimeSetting, SettingGroup, SettingScope
from domain.operations.setting_values import BoolType, TextType

_MODEL_NAME = TextType(what="the name of a served model", max_length=200)


def _default(kind: ModelKind, what: str) -> RuntimeSetting[str | None]:
    return RuntimeSetting(
        name=f"default_{kind}_model",
        group=SettingGroup.MODELS,
        scope=SettingScope.TEAM,
        type=_MODEL_NAME,
        default=None,
        description=(
            f"The {what} model that answers where a call asks for the model `default`; the first"
            " that is served, if not set."
        ),
    )


DEFAULT_CHAT_MODEL = _default(ModelKind.CHAT, "chat")
DEFAULT_EMBEDDING_MODEL = _default(ModelKind.EMBEDDING, "embedding")

DEFAULT_OF_KIND: Mapping[ModelKind, RuntimeSetting[str | None]] = MappingProxyType(
    {
        ModelKind.CHAT: DEFAULT_CHAT_MODEL,
        ModelKind.EMBEDDING: DEFAULT_EMBEDDING_MODEL,
        ModelKind.RERANK: _default(ModelKind.RERANK, "reranking"),
        ModelKind.MODERATION: _default(ModelKind.MODERATION, "moderation"),
        ModelKind.IMAGE: _default(ModelKind.IMAGE, "image"),
        ModelKind.TRANSCRIPTION: _default(ModelKind.TRANSCRIPTION, "transcription"),
        ModelKind.SPEECH: _default(ModelKind.SPEECH, "speech"),
    }
)

ALLOW_PRIVATE_PROVIDERS = RuntimeSetting(
    name="allow_private_providers",
    group=SettingGroup.MODELS,
    scope=SettingScope.SERVER,
    type=BoolType(),
    default=False,
    description=(
        "Let teams set up providers inside the server's own network (private addresses and the"
        " machine itself). Those who manage the server always may."
    ),
)
