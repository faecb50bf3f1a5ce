from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from application.inference.model_command import InvokeModelCommand
from application.inference.ports import ProviderAnswer, StreamReport


class Source(Protocol):
    @property
    def report(self) -> StreamReport: ...


class Pieces(Protocol):
    """An answer in pieces, as ``AnswerStream`` is one."""

    @property
    def source(self) -> Source: ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None: ...


class Invoke(Protocol):
    async def __call__(self, command: InvokeModelCommand) -> ProviderAnswer: ...


class Stream(Protocol):
    async def __call__(self, command: InvokeModelCommand) -> Pieces: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCases:
    """What answers the calls of an operation."""

    invoke: Invoke
    stream: Stream
