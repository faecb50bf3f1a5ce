from enum import StrEnum


class Permission(StrEnum):
    """What an actor may do; use cases ask for one of these, never for a role."""

    INVOKE_MODELS = "models.invoke"
    READ_CALLS = "calls.read"
    MANAGE_KEYS = "keys.manage"
    MANAGE_TEAM = "team.manage"


OWNER_PERMISSIONS = frozenset(Permission)
CALLER_PERMISSIONS = frozenset({Permission.INVOKE_MODELS, Permission.READ_CALLS})
