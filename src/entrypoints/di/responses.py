from collections.abc import AsyncIterable

from dishka import Provider, Scope, provide

from adapters.dialects.openai_responses.keeping import OpenAIResponseFormat
from adapters.postgres.inference.stored_responses import PostgresStoredResponses
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.errands import BackgroundErrands
from application.inference.responses.answer_response import AnswerResponse
from application.inference.responses.cancel_response import CancelResponse
from application.inference.responses.delete_response import DeleteResponse
from application.inference.responses.get_response import GetResponse
from application.inference.responses.keep_response import KeepResponse
from application.inference.responses.list_input_items import ListInputItems
from application.inference.responses.planned_response import ResponsePlan
from application.inference.responses.ports import (
    ResponseFormat,
    ResponsesUnitOfWork,
    StoredResponses,
)
from application.inference.responses.stream_response import StreamResponse
from application.operations.records.error_reporter import ErrorReporter
from entrypoints.instrumentation import instrumented
from entrypoints.settings import Settings

# More than wait for one another where the database is slow for a moment, and no more than memory
# should hold where it is away.
MOST_WAITING = 2000
AT_ONCE = 4


class ResponsesProvider(Provider):
    """Responses that are kept, and what goes on from them."""

    scope = Scope.APP

    responses = provide(PostgresStoredResponses, provides=StoredResponses)
    response_format = provide(OpenAIResponseFormat, provides=ResponseFormat)
    unit_of_work = provide(PostgresUnitOfWork, provides=ResponsesUnitOfWork, scope=Scope.REQUEST)
    plan = provide(ResponsePlan)
    answer_response = provide(AnswerResponse)
    stream_response = provide(StreamResponse)

    def __init__(self) -> None:
        super().__init__()
        for use_case in (GetResponse, DeleteResponse, CancelResponse, ListInputItems):
            self.provide(instrumented(use_case), provides=use_case, scope=Scope.REQUEST)

    @provide
    async def keep_response(
        self, responses: StoredResponses, reporter: ErrorReporter, settings: Settings
    ) -> AsyncIterable[KeepResponse]:
        errands = BackgroundErrands(reporter=reporter, most=MOST_WAITING, at_once=AT_ONCE)
        yield KeepResponse(
            responses=responses, errands=errands, patience_s=settings.ledger_timeout_seconds
        )
        await errands.stop()
