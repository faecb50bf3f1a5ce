from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from application.inference.interception import Interceptor, Passage
from application.inference.keeping.find_meaning import FindMeaning
from application.inference.keeping.keep_answer import KeepAnswer
from application.inference.keeping.kept_stream import KeptStream
from application.inference.keeping.ports import AnswerCache, KeptAnswer, Meaning
from application.inference.keeping.question_facts import QuestionFacts
from application.inference.model_command import InvokeModelCommand
from application.inference.ports import GENERATION, JSON, Operation, ProviderAnswer
from application.inference.routing.plan import Plan
from application.operations.ports import RuntimeSettings
from application.shared.ports import Clock
from domain.inference.call import CacheUse, Call
from domain.inference.keeping.question import (
    WITHOUT_EFFECT,
    WITHOUT_EFFECT_ON_RESPONSES,
    key_of,
    likeness_of,
    read_question,
)
from domain.models.route import CachePolicy
from domain.operations.keeping_settings import ANSWER_CACHE_SECONDS
from domain.operations.runtime_settings import CACHE_DISABLE_ALL
from domain.shared.errors import StoaError
from domain.shared.ids import TeamId

log = structlog.get_logger()

# Whoever asks for the same image or the same sound again wants another one.
KEEPABLE = GENERATION | {
    Operation.COMPLETION,
    Operation.EMBEDDING,
    Operation.RERANK,
    Operation.MODERATION,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallAnswer(Interceptor):
    """Answers a call as an equal one was answered, where the route or the team wants that.

    Two equal calls at the same time both reach a model: none waits for the other, whose slowness or
    failure it would share. A cache that is away is no reason for a call to fail.

    Where the route says how similar it has to be, a similar question at the end of an otherwise
    equal conversation gets the same answer, too.
    """

    cache: AnswerCache
    facts: QuestionFacts
    settings: RuntimeSettings
    clock: Clock
    find_meaning: FindMeaning

    def concerns(self, command: InvokeModelCommand, plan: Plan) -> bool:
        if command.operation not in KEEPABLE:
            return False
        return self._policy(plan, command.actor.team_id) is not None

    async def intercept(self, passage: Passage) -> None:
        command, call = passage.command, passage.call
        policy = self._policy(passage.plan, call.team_id)
        if policy is None:
            return
        call.cache = CacheUse.BYPASS
        if not (command.may_recall or command.may_keep):
            return
        question = _question(passage)
        if question is None:
            return
        key = key_of(self.facts.of(command, passage.plan), question)
        try:
            meaning = await self._recall(passage, key, question, policy)
        except StoaError as error:
            log.warning("answer_cache.away", call_id=str(call.id), reason=error.message)
            call.cache = CacheUse.AWAY
            return
        if passage.instead is None and command.may_keep:
            # The first one sees what the client sees.
            passage.filters.insert(0, self._keeper(call, key, policy, meaning))

    async def _recall(
        self, passage: Passage, key: bytes, question: dict[str, Any], policy: CachePolicy
    ) -> Meaning | None:
        """What the question means, if that had to be found out."""
        recalls = passage.command.may_recall
        if recalls and await self._recalled(passage, key):
            return None
        meaning = await self._meaning(passage, question, policy)
        if recalls:
            passage.call.cache = CacheUse.MISS
            if meaning is not None:
                await self._recall_alike(passage, meaning, policy)
        return meaning

    async def _recalled(self, passage: Passage, key: bytes) -> bool:
        now = self.clock.now()
        kept = await self.cache.find(passage.call.team_id, key, now)
        if kept is None:
            return False
        _answer(passage, kept, CacheUse.HIT, now - kept.kept_at)
        return True

    async def _meaning(
        self, passage: Passage, question: dict[str, Any], policy: CachePolicy
    ) -> Meaning | None:
        command = passage.command
        if policy.semantic_threshold is None or command.operation not in GENERATION:
            return None
        likeness = likeness_of(self.facts.of(command, passage.plan), question)
        if likeness is None:
            return None
        try:
            return await self.find_meaning(command, likeness)
        except StoaError as error:
            # Equal questions are still found.
            call_id, reason = str(passage.call.id), error.message
            log.warning("answer_cache.no_meaning", call_id=call_id, reason=reason)
            return None

    async def _recall_alike(self, passage: Passage, meaning: Meaning, policy: CachePolicy) -> None:
        now = self.clock.now()
        near = await self.cache.nearest(passage.call.team_id, meaning, now)
        if near is None or near.similarity < (policy.semantic_threshold or 1):
            return
        passage.call.reason = f"similarity {near.similarity:.4f}"
        _answer(passage, near.answer, CacheUse.SEMANTIC, now - near.answer.kept_at)

    def _keeper(
        self, call: Call, key: bytes, policy: CachePolicy, meaning: Meaning | None
    ) -> KeepAnswer:
        return KeepAnswer(
            cache=self.cache,
            clock=self.clock,
            call=call,
            key=key,
            ttl_s=policy.ttl_s,
            meaning=meaning,
        )

    def _policy(self, plan: Plan, team_id: TeamId) -> CachePolicy | None:
        policy = None if plan.route is None else plan.route.cache
        if policy is None:
            ttl_s = self.settings.get(ANSWER_CACHE_SECONDS, team_id)
            policy = CachePolicy(ttl_s=ttl_s) if ttl_s else None
        if policy is None or self.settings.get(CACHE_DISABLE_ALL):
            return None
        return policy


def _question(passage: Passage) -> dict[str, Any] | None:
    """``None`` if it cannot be compared."""
    command = passage.command
    if not command.content_type.startswith(JSON):
        return None
    is_response = command.operation is Operation.RESPONSES
    without = WITHOUT_EFFECT_ON_RESPONSES if is_response else WITHOUT_EFFECT
    return read_question(passage.body, without)


def _answer(passage: Passage, kept: KeptAnswer, use: CacheUse, age: timedelta) -> None:
    """Let it stand in for the answer of a model."""
    call, trace = passage.call, passage.command.trace
    call.cache, call.saved, call.routed_to = use, kept.worth, kept.model
    if trace is not None:
        trace.age_s = max(0, int(age.total_seconds()))
    if passage.command.stream:
        passage.instead = KeptStream(kept)
    else:
        passage.instead = ProviderAnswer(
            body=b"".join(kept.blocks),
            usage=kept.usage,
            content_type=kept.content_type,
            finish_reason=kept.finish_reason,
        )
