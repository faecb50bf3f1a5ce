from dataclasses import dataclass

from domain.identity.allowance import Allowance
from domain.identity.model_patterns import ANY_MODEL, allows
from domain.identity.permissions import ALL_PERMISSIONS, Permission
from domain.models.route import Route
from domain.models.served_model import ServedModel
from domain.operations.audit import ActorKind
from domain.shared.errors import ForbiddenError
from domain.shared.ids import KeyId, SessionId, TeamId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """On whose behalf something happens: a person with a session, an API key (a service account
    that its user made), or whoever sits at the server's terminal. It travels in every command.
    ``allowances`` are those set on the team, the user and the key; the tightest wins.
    ``acting_as`` is for who has neither session nor key and yet is nobody at the terminal."""

    team_id: TeamId
    user_id: UserId | None = None
    key_id: KeyId | None = None
    session_id: SessionId | None = None
    permissions: frozenset[Permission] = ALL_PERMISSIONS
    allowed_models: tuple[str, ...] = ANY_MODEL
    allowances: tuple[Allowance, ...] = ()
    acting_as: ActorKind | None = None

    @property
    def kind(self) -> ActorKind:
        if self.acting_as is not None:
            return self.acting_as
        if self.key_id is not None:
            return ActorKind.KEY
        return ActorKind.OPERATOR if self.session_id is None else ActorKind.USER

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise ``ForbiddenError`` unless the actor has the permission."""
        if permission not in self.permissions:
            raise ForbiddenError(f"This needs the permission '{permission}'.")

    def may_use(self, model: ServedModel | Route) -> bool:
        """Whether the allow-list covers the model or route by its name or one of its aliases."""
        patterns = self.allowed_models
        return patterns == ANY_MODEL or any(allows(patterns, name) for name in model.names)
