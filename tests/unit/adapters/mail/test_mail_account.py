import pytest

from adapters.mail.mail_account import MailAccount
from domain.shared.errors import InvalidError


def test_a_url_says_where_and_as_whom() -> None:
    account = MailAccount.of_url("smtp://stoa%40acme:p%2Fw@mail.acme.test:2525")

    assert (account.host, account.port, account.is_tls) == ("mail.acme.test", 2525, False)
    assert (account.user, account.password) == ("stoa@acme", "p/w")
    assert "p/w" not in repr(account)


@pytest.mark.parametrize(
    ("url", "port"), [("smtp://mail.acme.test", 587), ("smtps://mail.acme.test", 465)]
)
def test_each_scheme_has_its_port(url: str, port: int) -> None:
    assert MailAccount.of_url(url).port == port


@pytest.mark.parametrize(
    ("url", "start_tls"),
    [
        ("smtp://u:p@mail.acme.test", True),
        ("smtp://mail.acme.test", None),
        ("smtp://u:p@127.0.0.1", None),
        ("smtp://u:p@localhost", None),
        ("smtps://u:p@mail.acme.test", False),
    ],
)
def test_a_password_wants_an_encrypted_connection(url: str, start_tls: bool | None) -> None:
    assert MailAccount.of_url(url).start_tls is start_tls


@pytest.mark.parametrize(
    "url",
    [
        "http://mail.acme.test",
        "smtp://",
        "smtp://secretuser@mail.acme.test",
        "smtp://u:secret@mail.acme.test:no",
        "smtp://u:secret@mail.acme.test/path",
        "smtp://u:secret#1@mail.acme.test",
    ],
)
def test_another_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InvalidError) as caught:
        MailAccount.of_url(url)

    assert "secret" not in caught.value.message
