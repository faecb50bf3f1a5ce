from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from application.inference.call_allowances import TellStandings
from application.inference.call_trace import CallTrace
from application.inference.ports import JSON, Operation, ProviderAnswer
from application.shared.actor import Actor
from domain.inference.token_estimate import TokenEstimate
from domain.models.served_model import Capability, ServedModel
from domain.shared.ids import CallId
from domain.shared.usage import NO_USAGE, Usage

Deliver = Callable[[ProviderAnswer], Awaitable[None]]


# Not frozen like other commands: with so many members that would cost microseconds at every call.
@dataclass(slots=True, kw_only=True)
class InvokeModelCommand:
    """One model call. Nobody changes it.

    ``call_id`` comes from the door, which shows it as the request's id. ``body`` is the request in
    the format of the operation; the other members repeat what the core must know of it:
    ``max_output_tokens`` is the limit of each of the ``choices`` answers, where the client set one;
    ``needs`` is what the model has to be capable of; ``offers_tools`` and ``asks_retrieval`` are
    what a team may not want. ``prompt_bytes`` is the size of what becomes prompt tokens, where that
    is not the whole body; ``expected`` is what the request says will be billed beside tokens.
    ``features`` are those that the client asked for beside the body. ``endpoint`` is what the
    ledger shows, where that is not the operation.

    The client's wishes: ``local_only`` forbids that anything leaves the machine, ``user`` and
    ``conversation`` say who stays in one arm of a split, ``tags`` are for its own accounting;
    ``may_recall`` and ``may_keep`` say whether its answer may come out of the cache and go there,
    ``max_age_s`` how long it may have been there.
    ``tell_standings`` is called as soon as it is known what remains of the caller's limits;
    ``trace`` is kept up to date with what becomes of the call. ``deliver`` hands the client an
    answer in one piece when it may have it, before the outcome is put on record.
    """

    actor: Actor
    call_id: CallId
    correlation_id: str
    operation: Operation
    model: str
    body: bytes
    stream: bool = False
    include_usage: bool = False
    max_output_tokens: int | None = None
    choices: int = 1
    attachments: int = 0
    offers_tools: bool = False
    asks_retrieval: bool = False
    content_type: str = JSON
    needs: frozenset[Capability] = frozenset()
    prompt_bytes: int | None = None
    expected: Usage = NO_USAGE
    features: tuple[str, ...] = ()
    local_only: bool = False
    user: str | None = None
    conversation: str | None = None
    tags: tuple[str, ...] = ()
    may_recall: bool = True
    may_keep: bool = True
    max_age_s: int | None = None
    endpoint: str | None = None
    tell_standings: TellStandings | None = None
    trace: CallTrace | None = None
    deliver: Deliver | None = None

    def estimate_for(self, model: ServedModel) -> TokenEstimate:
        """What the call may use of the model's tokens, as far as can be told before it is made."""
        return TokenEstimate.of(
            len(self.body) if self.prompt_bytes is None else self.prompt_bytes,
            max_output=self.max_output_tokens,
            choices=self.choices,
            context_length=model.context_length,
        )
