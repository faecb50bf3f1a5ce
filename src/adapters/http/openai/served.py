"""The operations of OpenAI's API that have a door."""

from uuid import UUID

from litestar.types import HTTPScope

from adapters.http.data_plane.event_stream import PING
from adapters.http.data_plane.manner import Manner
from adapters.http.data_plane.served import Served, Table
from adapters.http.limit_headers import State, tell_as_openai
from adapters.http.openai.media_requests import (
    read_image,
    read_moderation,
    read_rerank,
    read_speech,
    read_transcription,
)
from adapters.http.openai.requests import reading
from adapters.http.presented import Presented, presented
from adapters.http.problems import ErrorAnswer, Headers, openai_error
from application.inference.ports import Operation
from domain.inference.rate import Standings
from domain.shared.errors import StoaError


class OpenAIManner(Manner):
    @property
    def ping(self) -> bytes:
        return PING

    def presented(self, scope: HTTPScope) -> Presented:
        return presented(scope)

    def features(self, scope: HTTPScope) -> tuple[str, ...]:
        return ()

    def headers(self, request_id: UUID) -> Headers:
        return []

    def error(self, error: StoaError, request_id: UUID) -> ErrorAnswer:
        return openai_error(error)

    def error_event(self, error: StoaError, request_id: UUID, last: bytes = b"") -> bytes:
        """An event on which OpenAI's clients raise."""
        return b"data: " + openai_error(error).body + b"\n\n"

    def tell(self, state: State, standings: Standings) -> None:
        tell_as_openai(state, standings)


MANNER = OpenAIManner()
_TEXTS = (Operation.CHAT, Operation.COMPLETION, Operation.EMBEDDING)
OPENAI: Table = {
    **{operation: Served(manner=MANNER, read=reading(operation)) for operation in _TEXTS},
    Operation.RERANK: Served(manner=MANNER, read=read_rerank),
    Operation.MODERATION: Served(manner=MANNER, read=read_moderation),
    Operation.IMAGE: Served(manner=MANNER, read=read_image),
    # Models that do not stream transcripts answer with another content type, as all do with sound.
    Operation.TRANSCRIPTION: Served(manner=MANNER, read=read_transcription, is_events=False),
    Operation.SPEECH: Served(manner=MANNER, read=read_speech, is_events=False),
}
