from application.inference.call_allowances import AllowanceCheck
from application.inference.guarding.guard_content import GuardContent
from application.inference.guarding.guardrails import Guardrails
from application.inference.guarding.large_texts import LargeTexts
from application.inference.keeping.find_meaning import FindMeaning
from application.inference.keeping.question_facts import QuestionFacts
from application.inference.keeping.recall_answer import RecallAnswer
from application.inference.observed_ledger import ObservedLedger
from domain.models.route import Route
from domain.models.served_model import ServedModel
from tests.fakes.answer_cache import InMemoryAnswerCache, JoinedForms, Neighbourhood, WatchedAsking
from tests.fakes.embedding_words import WordVectors
from tests.fakes.guarding import PlainFormats, TypeSchemas
from tests.fakes.ids import SequentialIds
from tests.fakes.providers import ScriptedModelProviders
from tests.unit.application.inference.routing.route_scene import RouteScene


class KeepingScene(RouteScene):
    """The data plane with a cache of answers, and with guardrails where ``is_guarded``."""

    def __init__(
        self,
        *entries: ServedModel | Route,
        checks: tuple[AllowanceCheck, ...] = (),
        is_guarded: bool = False,
    ) -> None:
        super().__init__(*entries, checks=checks)
        self.formats = PlainFormats()
        self.whereabouts = Neighbourhood()
        self.sharing = WatchedAsking(clock=self.clock)
        self.plane.ledger = ObservedLedger(self.ledger, (self.sharing,))
        self.guardrails = Guardrails(settings=self.settings)
        self.vectors = WordVectors("how", "are", "you", "me")
        self.plane.providers = ScriptedModelProviders(
            **(self.providers | {"vectors": self.vectors})
        )
        self._invoke, _ = self.plane.use_cases()
        self.cache = InMemoryAnswerCache()
        recall = RecallAnswer(
            cache=self.cache,
            forms=JoinedForms(),
            facts=QuestionFacts(
                catalog=self.plane.catalog,
                settings=self.settings,
                guardrails=self.guardrails,
                whereabouts=self.whereabouts,
            ),
            sharing=self.sharing,
            settings=self.settings,
            clock=self.clock,
            find_meaning=FindMeaning(invoke=self._invoke, ids=SequentialIds()),
            large=LargeTexts(),
        )
        guard = GuardContent(
            guardrails=self.guardrails,
            formats=self.formats,
            schemas=TypeSchemas(),
            large=LargeTexts(),
        )
        self.plane.interceptors = (guard, recall) if is_guarded else (recall,)
        self._invoke, self._stream = self.plane.use_cases()
