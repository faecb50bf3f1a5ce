from dataclasses import dataclass

from domain.identity.model_patterns import ANY_MODEL, allows
from domain.identity.permissions import OWNER_PERMISSIONS, Permission
from domain.models.served_model import ServedModel
from domain.shared.errors import ForbiddenError
from domain.shared.ids import KeyId, TeamId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """On whose behalf something happens. It travels in every command."""

    team_id: TeamId
    user_id: UserId | None = None
    key_id: KeyId | None = None
    permissions: frozenset[Permission] = OWNER_PERMISSIONS
    allowed_models: tuple[str, ...] = ANY_MODEL
    capture_content: bool = False

    def require(self, permission: Permission) -> None:
        """Raise ``ForbiddenError`` unless the actor has the permission."""
        if permission not in self.permissions:
            raise ForbiddenError(f"This needs the permission '{permission}'.")

    def may_use(self, model: ServedModel) -> bool:
        """Whether the allow-list covers the model by its name or one of its aliases."""
        patterns = self.allowed_models
        return patterns == ANY_MODEL or any(allows(patterns, name) for name in model.names)
