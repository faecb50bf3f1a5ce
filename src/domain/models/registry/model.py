from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from domain.models.registry.errors import ModelArchivedError, wrong_fields
from domain.models.registry.free_form import free_form_problem
from domain.models.registry.names import (
    MAX_UPSTREAM_NAME_LENGTH,
    Problem,
    is_upstream_name,
    model_name_problems,
)
from domain.models.served_model import Capability, DeploymentLimits, ModelKind
from domain.shared.ids import ModelId, ProviderId, TeamId

LARGEST_NUMBER = 10**9


class ModelState(StrEnum):
    """A ``disabled`` model refuses calls until it is enabled; an ``archived`` one is kept for the
    calls that it has answered."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    ARCHIVED = "archived"


class Visibility(StrEnum):
    """Whether the other teams of the server may use it too."""

    PUBLIC = "public"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A deployment that a team has set up, under its public name. What is ``None`` nobody has
    said, as in ``ServedModel``. ``former_names`` are those that it had and has not any more."""

    id: ModelId
    team_id: TeamId
    name: str
    aliases: tuple[str, ...] = ()
    kind: ModelKind
    provider_id: ProviderId
    upstream_name: str
    capabilities: frozenset[Capability] | None = None
    context_length: int | None = None
    max_output_tokens: int | None = None
    limits: DeploymentLimits | None = None
    visibility: Visibility = Visibility.PRIVATE
    state: ModelState = ModelState.ENABLED
    options: dict[str, object] = field(default_factory=dict)
    former_names: tuple[str, ...] = ()
    created_at: datetime
    updated_at: datetime

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)

    @property
    def names_ever(self) -> tuple[str, ...]:
        return (*self.names, *self.former_names)

    def former_names_beside(self, new: "Model") -> tuple[str, ...]:
        """What it had been called once it is called as ``new`` is."""
        return tuple(
            dict.fromkeys(n for n in (*self.former_names, *self.names) if n not in new.names)
        )

    def check(self) -> None:
        """Raise ``InvalidError`` that names each field that is wrong."""
        problems = [*model_name_problems(self.name, self.aliases), *_number_problems(self)]
        if not is_upstream_name(self.upstream_name):
            rule = f"must have 1 to {MAX_UPSTREAM_NAME_LENGTH} printable characters"
            problems.append(("upstream_name", rule))
        if self.capabilities and self.kind is not ModelKind.CHAT:
            problems.append(("capabilities", "are for models of the kind 'chat'"))
        if (wrong := free_form_problem(self.options)) is not None:
            problems.append(("options", wrong))
        if problems:
            raise wrong_fields(problems)

    def must_not_be_archived(self) -> None:
        """Raise ``ModelArchivedError`` if it is."""
        if self.state is ModelState.ARCHIVED:
            raise ModelArchivedError(self.name)


def _number_problems(model: Model) -> list[Problem]:
    limits = model.limits or DeploymentLimits()
    numbers = {
        "context_length": model.context_length,
        "max_output_tokens": model.max_output_tokens,
        "limits.rpm": limits.rpm,
        "limits.tpm": limits.tpm,
        "limits.concurrency": limits.concurrency,
    }
    return [
        (name, f"must be a whole number from 1 to {LARGEST_NUMBER}")
        for name, number in numbers.items()
        if number is not None and not 1 <= number <= LARGEST_NUMBER
    ]
