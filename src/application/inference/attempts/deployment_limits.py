from dataclasses import dataclass
from uuid import UUID, uuid5

from application.inference.allowance_ports import RateLimits
from application.inference.rate_limit_check import ASSUMED_OUTPUT_TOKENS, RateReservation
from domain.identity.allowance import Limits, Subject, SubjectKind
from domain.inference.errors import RateLimitedError
from domain.inference.rate import Demand, Limited, Purpose
from domain.inference.token_estimate import TokenEstimate
from domain.models.served_model import DeploymentLimits, ModelKind, ServedModel
from domain.shared.ids import CallId, TeamId
from domain.shared.usage import Usage

# The models of the configuration belong to no team; their counters stand under this one.
_NOBODY = TeamId(UUID(int=0))
_NAMESPACE = UUID("5f0a1c1e-8f6b-5d0e-9a57-6e2c3f0b7d11")


class DeploymentReservation(RateReservation):
    """What was set aside for one attempt; it is settled with the call that it has answered."""

    __slots__ = ()

    def keep(self, spent: Usage | None, *, is_cut_off: bool) -> None:
        """The attempt did not answer the call, but may have used something."""
        tokens: int | None = 0
        if spent is not None:
            tokens = spent.prompt_tokens + spent.completion_tokens
        elif is_cut_off:
            tokens = None
        self.limits.settle(self.demand, tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentLimitCheck:
    """What one deployment takes at most from all its callers together, on all nodes."""

    limits: RateLimits

    async def take(
        self,
        call_id: CallId,
        model: ServedModel,
        terms: DeploymentLimits,
        estimate: TokenEstimate,
    ) -> DeploymentReservation:
        """Set aside what an attempt may use. Raises ``RateLimitedError`` when the deployment has no
        room, and ``UnavailableError`` when nobody can say."""
        subject_id = uuid5(_NAMESPACE, f"{model.owner} {model.deployment}")
        limits = Limits(rpm=terms.rpm, tpm=terms.tpm, concurrency=terms.concurrency)
        output = estimate.output
        if output is None:
            output = ASSUMED_OUTPUT_TOKENS if model.kind is ModelKind.CHAT else 0
        demand = Demand(
            # A call holds a place of its caller under its own id.
            id=uuid5(call_id, str(subject_id)),
            team_id=model.owner or _NOBODY,
            purpose=Purpose.DEPLOYMENT,
            limited=(Limited(subject=Subject(SubjectKind.TEAM, subject_id), limits=limits),),
            tokens=estimate.prompt + output,
        )
        try:
            await self.limits.take(demand)
        except RateLimitedError as error:
            raise RateLimitedError(
                f"The model '{model.name}' takes no more calls at the moment: its deployment is at"
                f" its limit ({error.measure}).",
                measure=error.measure,
                retry_after=error.retry_after,
            ) from None
        return DeploymentReservation(self.limits, demand)
