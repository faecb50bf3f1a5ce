"""Who may do what: the one table from roles to permissions."""

from enum import StrEnum


class Permission(StrEnum):
    """What an actor may do; use cases ask for one of these, never for a role."""

    INVOKE_MODELS = "models.invoke"
    READ_CALLS = "calls.read"
    READ_TEAM = "team.read"
    MANAGE_OWN_KEYS = "keys.own"
    MANAGE_KEYS = "keys.manage"
    MANAGE_TEAM = "team.manage"
    MANAGE_MEMBERS = "members.manage"
    MANAGE_OWNERS = "owners.manage"
    MANAGE_LIMITS = "limits.manage"
    READ_SETTINGS = "settings.read"
    MANAGE_SETTINGS = "settings.manage"
    READ_AUDIT = "audit.read"
    MANAGE_SERVER = "server.manage"
    READ_ERRORS = "errors.read"
    MANAGE_ERRORS = "errors.manage"
    MANAGE_MODELS = "models.manage"


MEANINGS: dict[Permission, str] = {
    Permission.INVOKE_MODELS: "Call models.",
    Permission.READ_CALLS: "See the ledger of calls and what they cost.",
    Permission.READ_TEAM: "See the people of the team, its events and one's notifications.",
    Permission.MANAGE_OWN_KEYS: "Make API keys, and see, change and revoke one's own.",
    Permission.MANAGE_KEYS: "See, change and revoke all API keys of the team.",
    Permission.MANAGE_TEAM: "Rename the team, and see how the server is in detail.",
    Permission.MANAGE_MEMBERS: "Invite people, make accounts, give roles, take people out.",
    Permission.MANAGE_OWNERS: "Make owners, and change or take out owners.",
    Permission.MANAGE_LIMITS: "Set limits and budgets of the team, its people and its keys.",
    Permission.READ_SETTINGS: "See the runtime settings.",
    Permission.MANAGE_SETTINGS: "Change the runtime settings of the team.",
    Permission.READ_AUDIT: "Read and export the audit log of the team.",
    Permission.MANAGE_SERVER: "Make teams, change the server's settings and any account.",
    Permission.READ_ERRORS: "See the technical errors of the server.",
    Permission.MANAGE_ERRORS: "Resolve, ignore and reopen technical errors.",
    Permission.MANAGE_MODELS: "Set up providers with their credentials, models, prices and routes.",
}


class Role(StrEnum):
    """A member's place in a team."""

    OWNER = "owner"
    ADMIN = "admin"
    EDITOR = "editor"
    MEMBER = "member"
    VIEWER = "viewer"


# What concerns all teams; a user has these by being an operator, whatever the role in a team.
SERVER_PERMISSIONS = frozenset(
    {Permission.MANAGE_SERVER, Permission.READ_ERRORS, Permission.MANAGE_ERRORS}
)
ALL_PERMISSIONS = frozenset(Permission)
CALLER_PERMISSIONS = frozenset({Permission.INVOKE_MODELS, Permission.READ_CALLS})

_VIEWER = frozenset({Permission.READ_TEAM, Permission.READ_CALLS, Permission.READ_SETTINGS})
_MEMBER = _VIEWER | {Permission.INVOKE_MODELS, Permission.MANAGE_OWN_KEYS}
_OWNER = ALL_PERMISSIONS - SERVER_PERMISSIONS

PERMISSIONS_OF: dict[Role, frozenset[Permission]] = {
    Role.OWNER: _OWNER,
    Role.ADMIN: _OWNER - {Permission.MANAGE_OWNERS},
    # Editors differ from members where there is something to edit: prompts, datasets, documents.
    Role.EDITOR: _MEMBER,
    Role.MEMBER: _MEMBER,
    Role.VIEWER: _VIEWER,
}


def permissions_of(role: Role, *, is_operator: bool = False) -> frozenset[Permission]:
    """What a member of that role may do."""
    of_role = PERMISSIONS_OF[role]
    return of_role | SERVER_PERMISSIONS if is_operator else of_role
