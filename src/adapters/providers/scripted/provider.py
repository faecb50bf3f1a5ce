from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from adapters.providers.failures.mapping import ErrorMapping
from adapters.providers.failures.openai import openai_failure
from adapters.providers.scripted.embeddings import embed
from adapters.providers.scripted.moderation import moderate
from adapters.providers.scripted.options import ScriptedOptions, validate_options
from adapters.providers.scripted.pictures import draw, draw_in_pieces
from adapters.providers.scripted.pieces import PieceStream
from adapters.providers.scripted.ranking import rank
from adapters.providers.scripted.reply import reply_to
from adapters.providers.scripted.run import Run
from adapters.providers.scripted.sound import speak, speak_in_pieces
from adapters.providers.scripted.stream import ScriptedStream
from adapters.providers.scripted.transcripts import transcribe, transcribe_in_pieces
from adapters.providers.scripted.wire import request_id, whole_body
from application.inference.ports import (
    ModelProvider,
    Operation,
    ProviderAnswer,
    ProviderRequest,
    ProviderStream,
)
from domain.inference.errors import ProviderUnreachableError, UnsupportedByModelError
from domain.models.served_model import ServedModel

_WHOLE = {
    Operation.EMBEDDING: embed,
    Operation.RERANK: rank,
    Operation.MODERATION: moderate,
    Operation.IMAGE: draw,
    Operation.TRANSCRIPTION: transcribe,
    Operation.SPEECH: speak,
}
_IN_PIECES = {
    Operation.IMAGE: draw_in_pieces,
    Operation.TRANSCRIPTION: transcribe_in_pieces,
    Operation.SPEECH: speak_in_pieces,
}


class ScriptedProvider(ModelProvider):
    """A provider without a model: deterministic answers for tests and demonstrations.

    It echoes the last thing a user said unless the options of the served model tell it otherwise
    (``ScriptedOptions``). ``in_flight`` counts the calls that are not over.
    """

    def __init__(self, *, name: str, models: Iterable[ServedModel] = ()) -> None:
        """Raises ``InvalidError`` for wrong options of one of the models."""
        for model in models:
            validate_options(model.options)
        self._name = name
        self._errors = ErrorMapping(name, (), openai_failure)
        self._runs: set[Run] = set()
        self._stopped = False

    @property
    def in_flight(self) -> int:
        return len(self._runs)

    async def complete(self, request: ProviderRequest) -> ProviderAnswer:
        options = self._take(request)
        with self._running() as run:
            await run.sleep(None if options.hang else options.delay_ms / 1000)
            self._fail_if_told(options)
            if request.operation in _WHOLE:
                return _WHOLE[request.operation](request, options)
            reply = reply_to(request, options)
            return ProviderAnswer(
                body=whole_body(request, reply),
                usage=reply.usage,
                finish_reason=reply.finish_reason,
                provider_request_id=f"scripted-{request_id(request)}",
            )

    async def open_stream(self, request: ProviderRequest) -> ProviderStream:
        options = self._take(request)
        if request.operation in _WHOLE and request.operation not in _IN_PIECES:
            raise UnsupportedByModelError(
                f"'{request.operation}' cannot be streamed.", param="stream"
            )
        if options.fail_status is not None:
            with self._running() as run:
                await run.sleep(options.delay_ms / 1000)
                self._fail_if_told(options)
        in_pieces = _IN_PIECES.get(request.operation)
        if in_pieces is not None:
            pieces, run = in_pieces(request, options), self._begin()
            return PieceStream(request, pieces, options, run=run, on_close=self._runs.discard)
        reply, run = reply_to(request, options), self._begin()
        return ScriptedStream(request, reply, options, run=run, on_close=self._runs.discard)

    async def start(self) -> None:
        self._stopped = False

    async def stop(self) -> None:
        self._stopped = True
        for run in tuple(self._runs):
            run.abort()

    def _take(self, request: ProviderRequest) -> ScriptedOptions:
        if self._stopped:
            raise ProviderUnreachableError(f"The provider '{self._name}' was stopped.")
        return validate_options(request.model.options)

    def _fail_if_told(self, options: ScriptedOptions) -> None:
        if options.fail_status is not None:
            body = b'{"error":{"message":"The script says so.","type":"invalid_request_error"}}'
            raise self._errors.of_status(options.fail_status, lambda _: None, body)

    def _begin(self) -> Run:
        run = Run(self._name)
        self._runs.add(run)
        return run

    @contextmanager
    def _running(self) -> Iterator[Run]:
        run = self._begin()
        try:
            yield run
        finally:
            self._runs.discard(run)
