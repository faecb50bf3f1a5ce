"""Providers that speak OpenAI's chat, for clients that speak something else."""

import re
from collections.abc import Collection, Mapping

from adapters.dialects.openai_chat.dialect import OpenAIChat
from adapters.providers.definition import Surroundings
from adapters.providers.registry import HostedStatus, ModelHost
from adapters.providers.translation.provider import TranslatingProvider
from adapters.providers.translation.tool_names import PLAIN_NAMES
from adapters.providers.translation.wire import WireGeneration
from application.inference.ports import ModelProvider, Operation

_CHAT = frozenset({Operation.CHAT})


def speaking_chat(
    native: ModelProvider,
    surroundings: Surroundings,
    *,
    speaks: Collection[Operation] = _CHAT,
    dialect: OpenAIChat | None = None,
    tool_names: re.Pattern[str] | None = PLAIN_NAMES,
) -> TranslatingProvider:
    """``native``, which speaks chat and possibly more, asked for the rest by way of chat."""
    return TranslatingProvider(
        native,
        speaks=speaks,
        generation=_by_chat(native, dialect),
        clock=surroundings.clock,
        ids=surroundings.ids,
        tool_names=tool_names,
    )


class TranslatingHost(TranslatingProvider, ModelHost):
    """``host``, which has its models in this process, asked by way of chat."""

    def __init__(self, native: ModelProvider, host: ModelHost, surroundings: Surroundings) -> None:
        super().__init__(
            native,
            speaks=_CHAT,
            generation=_by_chat(native),
            clock=surroundings.clock,
            ids=surroundings.ids,
        )
        self._host = host

    def status(self) -> Mapping[str, HostedStatus]:
        return self._host.status()


def _by_chat(native: ModelProvider, dialect: OpenAIChat | None = None) -> WireGeneration:
    return WireGeneration(
        provider=native, operation=Operation.CHAT, dialect=dialect or OpenAIChat()
    )
