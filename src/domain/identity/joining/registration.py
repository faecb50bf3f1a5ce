from enum import StrEnum


class RegistrationPolicy(StrEnum):
    """Who may come: only the invited, or everybody who can read mail at an address."""

    CLOSED = "closed"
    OPEN = "open"


class RegistrationRole(StrEnum):
    """What somebody who was invited by nobody may be at first."""

    EDITOR = "editor"
    MEMBER = "member"
    VIEWER = "viewer"
