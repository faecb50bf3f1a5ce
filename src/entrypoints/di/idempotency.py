from dishka import Provider, Scope, provide
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.inference.process_presence import ProcessPresence
from adapters.postgres.operations.idempotent_requests import PostgresIdempotentRequests
from application.operations.idempotency.answer_once import AnswerOnce
from application.operations.idempotency.ports import IdempotentRequests


class IdempotencyProvider(Provider):
    """Requests that are done once."""

    scope = Scope.APP

    answer_once = provide(AnswerOnce)

    @provide
    def requests(self, engine: AsyncEngine, presence: ProcessPresence) -> IdempotentRequests:
        return PostgresIdempotentRequests(engine, process=presence.process)
