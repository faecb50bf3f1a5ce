from domain.identity.permissions import Role
from domain.shared.errors import ConflictError, ForbiddenError, NotFoundError


class SetupDoneError(ConflictError):
    """Somebody owns this server already: the first start's set-up happens once."""

    code = "SETUP_DONE"

    def __init__(self) -> None:
        super().__init__("This server has been set up already.")


class SetupTokenInvalidError(ForbiddenError):
    """The token is none that the server printed at its latest starts."""

    code = "SETUP_TOKEN_INVALID"

    def __init__(self) -> None:
        super().__init__(
            "This set-up link is not valid. The server prints a new one each time it starts."
        )


class ResetTokenInvalidError(ForbiddenError):
    """The token is unknown, used or expired: which of them is not said."""

    code = "RESET_TOKEN_INVALID"

    def __init__(self) -> None:
        super().__init__("This link is not valid any more. Ask for another one.")


class InvitationInvalidError(ForbiddenError):
    """The token is unknown, or its invitation accepted, revoked or expired: which is not said."""

    code = "INVITATION_INVALID"

    def __init__(self) -> None:
        super().__init__("This invitation is not valid any more. Ask for another one.")


class InvitationForAnotherError(ForbiddenError):
    """The session is that of another person than the invited one."""

    code = "INVITATION_FOR_ANOTHER"

    def __init__(self) -> None:
        super().__init__("This invitation is for another e-mail address than yours.")


class InvitationNotFoundError(NotFoundError):
    """The team has no invitation of that id."""

    code = "INVITATION_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such invitation.")


class InvitationClosedError(ConflictError):
    """An invitation that was accepted or revoked cannot be sent again."""

    code = "INVITATION_CLOSED"

    def __init__(self) -> None:
        super().__init__("This invitation has been accepted or revoked.")


class InvitationPendingError(ConflictError):
    """Somebody else has just invited the same address."""

    code = "INVITATION_PENDING"

    def __init__(self) -> None:
        super().__init__("There is an open invitation for this e-mail address.")


class RoleExceededError(ForbiddenError):
    """Nobody can make others more than he is himself."""

    code = "ROLE_EXCEEDED"

    def __init__(self, role: Role) -> None:
        super().__init__(f"You may not give the role '{role}': it may do more than you.")


class RegistrationClosedError(ForbiddenError):
    """Whoever wants to join this server has to be invited."""

    code = "REGISTRATION_CLOSED"

    def __init__(self) -> None:
        super().__init__("This server takes no registrations. Ask its people for an invitation.")
