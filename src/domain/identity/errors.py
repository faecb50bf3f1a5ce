from collections.abc import Sequence

from domain.shared.errors import (
    ConflictError,
    ForbiddenError,
    LimitExceededError,
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


class LastOwnerError(ConflictError):
    """A team always has an owner who can log in."""

    code = "LAST_OWNER"

    def __init__(self) -> None:
        super().__init__("This is the last owner of a team. Make somebody else an owner first.")


class UserElsewhereError(ForbiddenError):
    """Only operators change an account that other teams rely on too."""

    code = "USER_ELSEWHERE"

    def __init__(self) -> None:
        super().__init__(
            "This user is an operator or in other teams too: only operators may change the account."
        )


class TeamAmbiguousError(ConflictError):
    """Several teams have that name."""

    code = "TEAM_AMBIGUOUS"

    def __init__(self, name: str) -> None:
        super().__init__(f"There are several teams named '{name}'. Give the id instead.")


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


class LoginFailedError(UnauthenticatedError):
    """The e-mail address or the password is wrong, or the account is closed: which of them is not
    said."""

    code = "LOGIN_FAILED"

    def __init__(self) -> None:
        super().__init__("The e-mail address or the password is wrong.")


class TooManyAttemptsError(LimitExceededError):
    """It has been tried too often, on the same account or from the same address."""

    code = "TOO_MANY_ATTEMPTS"

    def __init__(self, retry_after: float) -> None:
        super().__init__("Too many attempts. Try again later.", retry_after=retry_after)


class NoTeamError(ForbiddenError):
    """The user is in no team, so there is nowhere to act."""

    code = "NO_TEAM"

    def __init__(self) -> None:
        super().__init__("You are not a member of any team.")


class PersonUnknownError(ForbiddenError):
    """An identity provider vouches for the person, who has no account here."""

    code = "PERSON_UNKNOWN"

    def __init__(self) -> None:
        super().__init__("Your identity provider knows you, but you have no account here.")


class PersonRequiredError(ForbiddenError):
    """Only somebody who has logged in can do this: an API key is no person."""

    code = "PERSON_REQUIRED"

    def __init__(self) -> None:
        super().__init__("Only a person who has logged in can do this.")


class SessionNotFoundError(NotFoundError):
    """The user has no session of that id that has not ended."""

    code = "SESSION_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such session.")


class RefreshTokenInvalidError(UnauthenticatedError):
    """The refresh token is unknown, used or of a session that has ended. Using one twice ends its
    session."""

    code = "REFRESH_TOKEN_INVALID"

    def __init__(self) -> None:
        super().__init__("The refresh token is not valid (any more). Log in again.")


class SessionEndedError(UnauthenticatedError):
    """The session of the cookie has ended: it was logged out, revoked or has expired."""

    code = "SESSION_ENDED"

    def __init__(self) -> None:
        super().__init__("Your session has ended. Log in again.")


class WrongPasswordError(ForbiddenError):
    """The present password, which has to be given to change it, is wrong."""

    code = "WRONG_PASSWORD"

    def __init__(self) -> None:
        super().__init__("The present password is wrong.")
