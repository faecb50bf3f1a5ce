from domain.identity.errors import (
    CredentialsInvalidError,
    CredentialsMissingError,
    KeyNameTakenError,
    KeyNotFoundError,
    KeyRevokedError,
    TeamNotFoundError,
)


def test_a_taken_name_is_told() -> None:
    assert KeyNameTakenError("ci").message == "There is already an API key named 'ci'."


def test_missing_credentials_come_with_the_way_to_send_them() -> None:
    assert "Authorization: Bearer sk-stoa-" in CredentialsMissingError().message


def test_invalid_credentials_do_not_say_why() -> None:
    message = CredentialsInvalidError().message

    assert not any(word in message for word in ("expired", "revoked", "unknown"))


def test_what_is_missing_is_named() -> None:
    assert KeyNotFoundError().message == "There is no such API key."
    assert TeamNotFoundError().message == "There is no such team."
    assert "revoked" in KeyRevokedError().message
