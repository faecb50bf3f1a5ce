from dishka import Provider, Scope, provide

from adapters.http.data_plane.door import InferenceDoor
from adapters.http.data_plane.idempotency import Idempotency
from adapters.http.data_plane.use_cases import UseCases
from adapters.http.events.event_stream import Pace
from adapters.http.events.open_streams import OpenStreams
from application.identity.authenticate import Authenticate
from application.inference.invoke_model import InvokeModel
from application.inference.ports import Operation
from application.inference.refuse_call import RefuseCall
from application.inference.responses.answer_response import AnswerResponse
from application.inference.responses.stream_response import StreamResponse
from application.inference.show_limits import ShowLimits
from application.inference.stream_model import StreamModel
from application.operations.idempotency.answer_once import AnswerOnce
from entrypoints.settings import Settings


class DoorsProvider(Provider):
    """What only a server has. It stands apart because the HTTP framework takes more than half a
    second to import, which no other command should pay for."""

    scope = Scope.APP

    @provide
    def streams(self) -> OpenStreams:
        return OpenStreams()

    @provide
    def pace(self, settings: Settings) -> Pace:
        return Pace(heartbeat=settings.stream_heartbeat_seconds)

    @provide
    def idempotency(
        self, authenticate: Authenticate, once: AnswerOnce, settings: Settings
    ) -> Idempotency:
        return Idempotency(
            authenticate=authenticate, once=once, max_body_bytes=settings.max_body_bytes
        )

    @provide
    def door(
        self,
        *,
        authenticate: Authenticate,
        invoke: InvokeModel,
        stream: StreamModel,
        answer_response: AnswerResponse,
        stream_response: StreamResponse,
        refuse: RefuseCall,
        show_limits: ShowLimits,
        settings: Settings,
    ) -> InferenceDoor:
        return InferenceDoor(
            authenticate=authenticate,
            usual=UseCases(invoke=invoke, stream=stream),
            refuse=refuse,
            show_limits=show_limits,
            max_body_bytes=settings.max_body_bytes,
            heartbeat_s=settings.stream_heartbeat_seconds,
            special={Operation.RESPONSES: UseCases(invoke=answer_response, stream=stream_response)},
        )
