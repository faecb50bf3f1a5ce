from collections import Counter
from dataclasses import dataclass, field

from application.inference.guarding.ports import Channel
from domain.inference.call import Call, GuardrailVerdict
from domain.inference.errors import ContentRefusedError
from domain.inference.guardrails.channel import JsonChannel, Judge, TextChannel
from domain.inference.guardrails.deny_list import RULE as DENIED
from domain.inference.guardrails.finding import Finding
from domain.inference.guardrails.screen import screen_of
from domain.models.route import GuardrailPolicy, PiiAction

INPUT, OUTPUT = "input", "output"
_DONE = {PiiAction.REDACT: "redacted", PiiAction.REFUSE: "refused", PiiAction.REPORT: "reported"}


@dataclass(slots=True, kw_only=True)
class Inspection:
    """What becomes of one side of a call. All that is found is on its row at once, as the call may
    end at any moment."""

    call: Call
    stage: str
    policy: GuardrailPolicy
    is_on: bool
    characters: int = 0
    _before: tuple[GuardrailVerdict, ...] = ()
    _found: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._before = self.call.guardrails

    def opens(self, is_json: bool) -> Channel:
        """A channel for a text that is new."""
        return _Counted(self._channel(is_json, self._replaces), self)

    def repeats(self, is_json: bool) -> Channel:
        """A channel for a text that was seen before, and is not counted again."""
        return self._channel(is_json, self._replaces_again)

    def _channel(self, is_json: bool, judge: Judge) -> Channel:
        policy = self.policy
        screen = screen_of(policy.pii, policy.denied) if self.is_on else screen_of((), ())
        return (JsonChannel if is_json else TextChannel)(screen, judge)

    def refuse(self, rule: str) -> ContentRefusedError:
        self._note(rule, _DONE[PiiAction.REFUSE])
        return ContentRefusedError(stage=self.stage, rule=rule)

    def count(self, characters: int) -> None:
        """Raises ``ContentRefusedError`` for more than may be asked, before that is looked at."""
        self.characters += characters
        most = self.policy.max_input
        if self.stage == INPUT and most is not None and self.characters > most:
            raise self.refuse("max_input")

    def _replaces(self, finding: Finding) -> bool:
        action = PiiAction.REFUSE if finding.rule == DENIED else self.policy.pii_action
        if action is PiiAction.REFUSE:
            raise self.refuse(finding.rule)
        self._note(finding.rule, _DONE[action])
        return action is PiiAction.REDACT

    def _replaces_again(self, finding: Finding) -> bool:
        return finding.rule != DENIED and self.policy.pii_action is PiiAction.REDACT

    def _note(self, rule: str, action: str) -> None:
        self._found[rule, action] += 1
        self.call.guardrails = self._before + tuple(
            GuardrailVerdict(stage=self.stage, rule=one, action=done, count=count)
            for (one, done), count in self._found.items()
        )


@dataclass(frozen=True, slots=True)
class _Counted(Channel):
    channel: Channel
    inspection: Inspection

    def feed(self, text: str) -> str:
        self.inspection.count(len(text))
        return self.channel.feed(text)

    def end(self) -> str:
        return self.channel.end()
