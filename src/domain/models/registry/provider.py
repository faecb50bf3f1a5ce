from dataclasses import dataclass, field
from datetime import datetime

from domain.models.registry.errors import wrong_fields
from domain.models.registry.free_form import free_form_problem
from domain.models.registry.names import provider_name_problems
from domain.shared.ids import ProviderId, TeamId


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Where models of a team run, and how to get there.

    ``configuration`` is what its type reads, without the secrets: those are ``sealed``, together,
    and ``credentials`` says which there are (``headers.x-key`` for one in a
    mapping). ``may_reach_private`` says that somebody who may
    manage the server has set the addresses, so that they may be inside its own network.
    """

    id: ProviderId
    team_id: TeamId
    name: str
    type: str
    configuration: dict[str, object]
    credentials: tuple[str, ...] = ()
    sealed: bytes | None = field(default=None, repr=False)
    may_reach_private: bool = False
    is_enabled: bool = True
    created_at: datetime
    updated_at: datetime

    def check(self) -> None:
        """Raise ``InvalidError`` that names each field that is wrong."""
        problems = provider_name_problems(self.name)
        if (wrong := free_form_problem(self.configuration)) is not None:
            problems.append(("configuration", wrong))
        if problems:
            raise wrong_fields(problems)

    @property
    def secret_keys(self) -> frozenset[str]:
        """The keys of the configuration that are sealed."""
        return frozenset(name.partition(".")[0] for name in self.credentials)

    @property
    def place(self) -> str:
        """Where its secrets belong: they cannot be opened as those of another provider."""
        return f"provider {self.team_id} {self.id}"
