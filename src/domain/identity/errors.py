from collections.abc import Sequence

from domain.shared.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    UnauthenticatedError,
)


class KeyNotFoundError(NotFoundError):
    """The team has no API key of that id or name."""

    code = "KEY_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such API key.")


class KeyNameTakenError(ConflictError):
    """The team has another live key of that name."""

    code = "KEY_NAME_TAKEN"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is already an API key named '{name}'.")


class KeyRevokedError(ConflictError):
    """A revoked key cannot be changed any more."""

    code = "KEY_REVOKED"

    def __init__(self) -> None:
        super().__init__("This API key has been revoked and cannot be changed.")


class ScopesExceededError(ForbiddenError):
    """Nobody can give a key a scope that he does not have himself."""

    code = "SCOPES_EXCEEDED"

    def __init__(self, exceeding: Sequence[str]) -> None:
        super().__init__(
            f"'scopes' must be among your own permissions, without {', '.join(exceeding)}."
        )


class CredentialsMissingError(UnauthenticatedError):
    """The request carries no credentials."""

    code = "CREDENTIALS_MISSING"

    def __init__(self) -> None:
        super().__init__(
            "You didn't provide an API key. Send it in an Authorization header: "
            "'Authorization: Bearer sk-stoa-...'."
        )


class CredentialsInvalidError(UnauthenticatedError):
    """The key is unknown, expired or revoked: which of them is not said."""

    code = "CREDENTIALS_INVALID"

    def __init__(self) -> None:
        super().__init__("Incorrect API key provided.")


class TeamNotFoundError(NotFoundError):
    """There is no team of that id."""

    code = "TEAM_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such team.")


class UserNotFoundError(NotFoundError):
    """There is no user of that id, or none in the team."""

    code = "USER_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such user.")


class MemberNotFoundError(NotFoundError):
    """The user is no member of the team."""

    code = "MEMBER_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such member of the team.")


class AlreadyMemberError(ConflictError):
    """The user is a member of the team already."""

    code = "ALREADY_MEMBER"

    def __init__(self) -> None:
        super().__init__("This user is a member of the team already.")


class EmailTakenError(ConflictError):
    """Another user has the e-mail address."""

    code = "EMAIL_TAKEN"

    def __init__(self) -> None:
        super().__init__("There is already a user with this e-mail address.")


class ExternalIdentityTakenError(ConflictError):
    """Another user has this identity at the identity provider."""

    code = "EXTERNAL_IDENTITY_TAKEN"

    def __init__(self) -> None:
        super().__init__("There is already a user with this external identity.")
