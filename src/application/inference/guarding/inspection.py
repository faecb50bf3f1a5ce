from collections import Counter
from dataclasses import dataclass, field

from application.inference.guarding.ports import Channel
from domain.inference.call import Call, GuardrailVerdict
from domain.inference.errors import ContentRefusedError
from domain.inference.guardrails.channel import JsonChannel, Judge, TextChannel
from domain.inference.guardrails.deny_list import RULE as DENIED
from domain.inference.guardrails.finding import Finding
from domain.inference.guardrails.rules import Rules
from domain.inference.guardrails.screen import screen_of
from domain.models.route import PiiAction

INPUT, OUTPUT = "input", "output"
_DONE = {PiiAction.REDACT: "redacted", PiiAction.REFUSE: "refused", PiiAction.REPORT: "reported"}


@dataclass(slots=True, kw_only=True)
class Inspection:
    """What becomes of one side of a call. All that is found is on its row at once, as the call may
    end at any moment."""

    call: Call
    stage: str
    rules: Rules
    characters: int = 0
    _before: tuple[GuardrailVerdict, ...] = ()
    _found: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._before = self.call.guardrails

    def opens(self, is_json: bool) -> Channel:
        """A channel for a text that is new."""
        return _Counted(self._channel(is_json, self._replaces), self)

    def repeats(self, is_json: bool) -> Channel:
        """A channel for a text that was seen before in pieces, and is not counted again. What may
        not be shown is refused, since it may have come in no pieces."""
        return self._channel(is_json, self._replaces_again)

    def _channel(self, is_json: bool, judge: Judge) -> Channel:
        screen = screen_of(tuple(self.rules.actions), self.rules.denied)
        return (JsonChannel if is_json else TextChannel)(screen, judge)

    def refuse(self, rule: str) -> ContentRefusedError:
        self._note(rule, _DONE[PiiAction.REFUSE])
        return ContentRefusedError(stage=self.stage, rule=rule)

    def count(self, characters: int) -> None:
        """Raises ``ContentRefusedError`` for more than may be asked, before that is looked at."""
        self.characters += characters
        most = self.rules.max_input
        if most is not None and self.characters > most:
            raise self.refuse("max_input")

    def _replaces(self, finding: Finding) -> bool:
        action = self._action(finding)
        self._note(finding.rule, _DONE[action])
        return action is PiiAction.REDACT

    def _replaces_again(self, finding: Finding) -> bool:
        return self._action(finding) is PiiAction.REDACT

    def _action(self, finding: Finding) -> PiiAction:
        """Raises ``ContentRefusedError``."""
        if finding.rule == DENIED:
            raise self.refuse(finding.rule)
        action = self.rules.actions[finding.rule.rpartition(":")[2]]
        if action is PiiAction.REFUSE:
            raise self.refuse(finding.rule)
        return action

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
