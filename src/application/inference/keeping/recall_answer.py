from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from application.inference.guarding.large_texts import LargeTexts
from application.inference.interception import Interceptor, Passage
from application.inference.keeping.find_meaning import FindMeaning
from application.inference.keeping.keep_answer import KeepAnswer
from application.inference.keeping.kept_stream import answer_with
from application.inference.keeping.ports import (
    AnswerCache,
    AnswerForms,
    Meaning,
    Moment,
)
from application.inference.keeping.question_facts import QuestionFacts
from application.inference.keeping.shared_asking import SharedAsking
from application.inference.model_command import InvokeModelCommand
from application.inference.ports import GENERATION, Operation
from application.inference.routing.plan import Plan
from application.operations.ports import RuntimeSettings
from application.shared.ports import Clock
from domain.inference.call import CacheUse, Call
from domain.inference.keeping.question import (
    WITHOUT_EFFECT,
    WITHOUT_EFFECT_ON_RESPONSES,
    key_in_form,
    key_of,
    likeness_of,
    read_question,
)
from domain.models.route import CachePolicy
from domain.operations.keeping_settings import ANSWER_CACHE_SECONDS, ANSWER_CACHE_WAIT_SECONDS
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
# In which forms an answer may be wanted, where one can be made of the other.
_WHOLE, _STREAM, _MEASURED_STREAM = "whole", "stream", "stream with usage"
_FORMS = {
    Operation.CHAT: (_WHOLE, _MEASURED_STREAM, _STREAM),
    Operation.MESSAGES: (_WHOLE, _STREAM),
    Operation.RESPONSES: (_WHOLE, _STREAM),
}
_HAVE_USAGE_CHUNKS = frozenset({Operation.CHAT, Operation.COMPLETION})


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallAnswer(Interceptor):
    """Answers a call as an equal one was answered, where the route or the team wants that. Of equal
    calls at the same time, the first asks a model, and the others wait for what it gets.

    A cache that is away is no reason for a call to fail.

    Where the route says how similar it has to be, a similar question at the end of an otherwise
    equal conversation gets the same answer, too.
    """

    cache: AnswerCache
    forms: AnswerForms
    facts: QuestionFacts
    sharing: SharedAsking
    settings: RuntimeSettings
    clock: Clock
    find_meaning: FindMeaning
    large: LargeTexts

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
        facts = tuple(self.facts.of(command, passage.plan))
        asked = await self.large.look(passage.body, lambda body: _asked(command, facts, body))
        if asked is None:
            return
        question, keys = asked
        if await self._shared(passage, keys[0], policy):
            return
        try:
            meaning = await self._recall(passage, keys, question, policy)
        except StoaError as error:
            self.sharing.observe(call)
            log.warning("answer_cache.away", call_id=str(call.id), reason=error.message)
            call.cache = CacheUse.AWAY
            return
        if passage.instead is None and command.may_keep:
            # The first one sees what the client sees.
            passage.filters.insert(0, self._keeper(call, keys[0], policy, meaning))

    async def _recall(
        self,
        passage: Passage,
        keys: tuple[bytes, ...],
        question: dict[str, Any],
        policy: CachePolicy,
    ) -> Meaning | None:
        """What the question means, if that had to be found out."""
        recalls = passage.command.may_recall
        if recalls and await self._recalled(passage, keys, policy):
            return None
        meaning = await self._meaning(passage, question, policy)
        if recalls:
            passage.call.cache = CacheUse.MISS
            if meaning is not None:
                await self._recall_alike(passage, meaning, policy)
        return meaning

    async def _recalled(
        self, passage: Passage, keys: tuple[bytes, ...], policy: CachePolicy
    ) -> bool:
        command = passage.command
        moment = self._moment(command, policy)
        found = await self.cache.find(passage.call.team_id, keys, moment)
        if found is None:
            return False
        key, kept = found
        blocks: tuple[bytes, ...] | None = kept.blocks
        if key != keys[0]:
            blocks = self.forms.recast(command.operation, passage.body, kept, stream=command.stream)
        if blocks is None:
            return False
        kept = replace(kept, blocks=blocks)
        answer_with(passage, kept, CacheUse.HIT, at=moment.at)
        self.sharing.answered(passage.call, kept)
        return True

    async def _shared(self, passage: Passage, key: bytes, policy: CachePolicy) -> bool:
        """Whether an equal call has just been answered. It is waited for before the cache is asked:
        an answer could be kept between the two."""
        command, call = passage.command, passage.call
        patience_s = self.settings.get(ANSWER_CACHE_WAIT_SECONDS, call.team_id)
        if not (patience_s and command.may_recall and command.may_keep):
            return False
        kept = await self.sharing.join((call.team_id, key), call, patience_s)
        moment = self._moment(command, policy)
        if kept is None or not moment.allows(kept):
            return False
        answer_with(passage, kept, CacheUse.HIT, at=moment.at)
        return True

    async def _meaning(
        self, passage: Passage, question: dict[str, Any], policy: CachePolicy
    ) -> Meaning | None:
        command = passage.command
        if policy.semantic_threshold is None or command.operation not in GENERATION:
            return None
        facts = (*self.facts.of(command, passage.plan), _form(command))
        likeness = likeness_of(facts, question)
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
        moment = self._moment(passage.command, policy)
        near = await self.cache.nearest(passage.call.team_id, meaning, moment)
        if near is None or near.similarity < (policy.semantic_threshold or 1):
            return
        passage.call.reason = f"similarity {near.similarity:.4f}"
        answer_with(passage, near.answer, CacheUse.SEMANTIC, at=moment.at)

    def _keeper(
        self, call: Call, key: bytes, policy: CachePolicy, meaning: Meaning | None
    ) -> KeepAnswer:
        return KeepAnswer(
            cache=self.cache,
            clock=self.clock,
            call=call,
            key=key,
            ttl_s=policy.ttl_s,
            tell=partial(self.sharing.answered, call),
            meaning=meaning,
        )

    def _moment(self, command: InvokeModelCommand, policy: CachePolicy) -> Moment:
        """What was kept for longer than the policy allows by now does not count either."""
        now, most_s = self.clock.now(), policy.ttl_s
        if command.max_age_s is not None:
            most_s = min(most_s, command.max_age_s)
        return Moment(now, now - timedelta(seconds=most_s))

    def _policy(self, plan: Plan, team_id: TeamId) -> CachePolicy | None:
        policy = None if plan.route is None else plan.route.cache
        if policy is None:
            ttl_s = self.settings.get(ANSWER_CACHE_SECONDS, team_id)
            policy = CachePolicy(ttl_s=ttl_s) if ttl_s else None
        if policy is None or self.settings.get(CACHE_DISABLE_ALL):
            return None
        return policy


def _form(command: InvokeModelCommand) -> str:
    if not command.stream:
        return _WHOLE
    is_measured = command.include_usage and command.operation in _HAVE_USAGE_CHUNKS
    return _MEASURED_STREAM if is_measured else _STREAM


def _keys(command: InvokeModelCommand, key: bytes) -> tuple[bytes, ...]:
    """That of the form which is wanted, then those of which it can be made."""
    wanted = _form(command)
    forms = dict.fromkeys((wanted, *_FORMS.get(command.operation, ())))
    return tuple(key_in_form(key, form) for form in forms)


def _asked(
    command: InvokeModelCommand, facts: tuple[object, ...], body: bytes
) -> tuple[dict[str, Any], tuple[bytes, ...]] | None:
    """The question and its keys; ``None`` if it cannot be compared."""
    is_response = command.operation is Operation.RESPONSES
    without = WITHOUT_EFFECT_ON_RESPONSES if is_response else WITHOUT_EFFECT
    question = read_question(body, without)
    return None if question is None else (question, _keys(command, key_of(facts, question)))
