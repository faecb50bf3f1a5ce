from collections.abc import AsyncIterable

from dishka import AnyOf, Provider, Scope, provide
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.dialects.guarding.formats import DialectContentFormats
from adapters.dialects.guarding.json_schemas import JsonSchemaValidators
from adapters.dialects.recasting.answer_forms import DialectAnswerForms
from adapters.postgres.inference.answer_cache import PostgresAnswerCache
from adapters.system.errands import BackgroundErrands
from application.inference.admission import Admission
from application.inference.attempts.attempts import Attempts
from application.inference.call_allowances import CallAllowances
from application.inference.guarding.guard_content import GuardContent
from application.inference.guarding.guardrails import Guardrails
from application.inference.guarding.large_texts import LargeTexts
from application.inference.guarding.ports import ContentFormats, JsonSchemas
from application.inference.interception import Interception
from application.inference.invoke_model import InvokeModel
from application.inference.keeping.find_meaning import FindMeaning
from application.inference.keeping.ports import AnswerCache, AnswerForms
from application.inference.keeping.question_facts import QuestionFacts
from application.inference.keeping.recall_answer import RecallAnswer
from application.inference.keeping.shared_asking import SharedAsking
from application.inference.keeping.tidy_answers import TidyAnswers
from application.inference.ports import Ledger
from application.inference.routing.deployments import Deployments
from application.inference.routing.planner import Planner
from application.models.registry.ports import SchemaCheck
from application.operations.records.error_reporter import ErrorReporter
from application.shared.ports import Clock, IdGenerator


class KeepingProvider(Provider):
    """What stands between a call and the models: guardrails, and answers that are there already."""

    scope = Scope.APP

    guardrails = provide(Guardrails)
    facts = provide(QuestionFacts)
    answer_forms = provide(DialectAnswerForms, provides=AnswerForms)
    content_formats = provide(DialectContentFormats, provides=ContentFormats)
    json_schemas = provide(JsonSchemaValidators, provides=AnyOf[JsonSchemas, SchemaCheck])
    large_texts = provide(LargeTexts)
    guard_content = provide(GuardContent)
    tidy_answers = provide(TidyAnswers)
    recall = provide(RecallAnswer)

    @provide
    def sharing(self, clock: Clock) -> SharedAsking:
        return SharedAsking(clock=clock)

    @provide
    async def answer_cache(
        self, engine: AsyncEngine, reporter: ErrorReporter
    ) -> AsyncIterable[AnswerCache]:
        errands = BackgroundErrands(reporter=reporter)
        yield PostgresAnswerCache(engine, errands)
        await errands.stop()

    @provide
    def find_meaning(
        self,
        *,
        planner: Planner,
        attempts: Attempts,
        deployments: Deployments,
        ledger: Ledger,
        clock: Clock,
        ids: IdGenerator,
        allowances: CallAllowances,
    ) -> FindMeaning:
        """Its calls go by the cache, which could not be built otherwise."""
        admission = Admission(
            policy=planner.policy,
            planner=planner,
            deployments=deployments,
            interception=Interception(),
            ledger=ledger,
            clock=clock,
            allowances=allowances,
        )
        return FindMeaning(invoke=InvokeModel(admission=admission, attempts=attempts), ids=ids)

    @provide
    def interception(self, guard: GuardContent, recall: RecallAnswer) -> Interception:
        """What is asked for, and what is kept, is what guardrails let through."""
        return Interception((guard, recall))
