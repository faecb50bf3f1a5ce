from collections.abc import AsyncIterable

from dishka import Provider, Scope, provide
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.inference.answer_cache import PostgresAnswerCache
from adapters.system.errands import BackgroundErrands
from application.inference.interception import Interception
from application.inference.keeping.ports import AnswerCache
from application.inference.keeping.question_facts import QuestionFacts
from application.inference.keeping.recall_answer import RecallAnswer
from application.inference.keeping.tidy_answers import TidyAnswers
from application.operations.records.error_reporter import ErrorReporter


class KeepingProvider(Provider):
    """What stands between a call and the models: answers that are there already."""

    scope = Scope.APP

    facts = provide(QuestionFacts)
    tidy_answers = provide(TidyAnswers)
    recall = provide(RecallAnswer)

    @provide
    async def answer_cache(
        self, engine: AsyncEngine, reporter: ErrorReporter
    ) -> AsyncIterable[AnswerCache]:
        errands = BackgroundErrands(reporter=reporter)
        yield PostgresAnswerCache(engine, errands)
        await errands.stop()

    @provide
    def interception(self, recall: RecallAnswer) -> Interception:
        return Interception((recall,))
