from datetime import timedelta
from typing import Any

import jwt
import pytest

from adapters.tokens.jwt_access_tokens import JwtAccessTokens
from domain.identity.errors import CredentialsInvalidError
from domain.identity.session import SessionKind
from domain.operations.errors import SecretKeyMissingError
from tests.builders import a_session
from tests.fakes.clock import START

KEY = "a secret key of thirty-two characters"
OTHER_KEY = "another key of thirty-two characters."
SESSION = a_session(kind=SessionKind.TOKEN)


@pytest.fixture
def tokens() -> JwtAccessTokens:
    return JwtAccessTokens(KEY)


def resigned(token: str, *, key: bytes = b"k" * 32, typ: str = "at+jwt", **claims: Any) -> str:
    said = jwt.decode(token, options={"verify_signature": False}) | claims
    return jwt.encode(said, key, "HS256", headers={"typ": typ})


def test_a_token_names_its_session_for_a_quarter_of_an_hour(tokens: JwtAccessTokens) -> None:
    token = tokens.issue(SESSION, START)

    last = START + timedelta(minutes=15, seconds=-1)
    assert [tokens.session_of(token, at) for at in (START, last)] == [SESSION.id] * 2
    with pytest.raises(CredentialsInvalidError):
        tokens.session_of(token, START + timedelta(minutes=15))


def test_a_token_does_not_outlive_its_session(tokens: JwtAccessTokens) -> None:
    ending = START + timedelta(minutes=1)
    token = tokens.issue(a_session(kind=SessionKind.TOKEN, expires_at=ending), START)

    with pytest.raises(CredentialsInvalidError):
        tokens.session_of(token, ending)


def test_says_what_it_is_and_nothing_of_the_person(tokens: JwtAccessTokens) -> None:
    token = tokens.issue(SESSION, START)

    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "at+jwt"}
    claims = jwt.decode(token, options={"verify_signature": False})
    assert set(claims) == {"iss", "sub", "sid", "iat", "exp"}


@pytest.mark.parametrize("text", ["", "a", "a.b.c", "rt-stoa-x", "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_token_is_not_ours(tokens: JwtAccessTokens, text: str) -> None:
    assert tokens.session_of(text, START) is None


def test_a_token_of_another_key_is_not_ours(tokens: JwtAccessTokens) -> None:
    theirs = JwtAccessTokens(OTHER_KEY).issue(SESSION, START)

    assert tokens.session_of(theirs, START) is None
    assert tokens.session_of(resigned(theirs), START) is None


def test_an_unsigned_token_is_not_ours(tokens: JwtAccessTokens) -> None:
    claims = jwt.decode(tokens.issue(SESSION, START), options={"verify_signature": False})
    unsigned = jwt.encode(claims, "", "none", headers={"typ": "at+jwt"})

    assert tokens.session_of(unsigned, START) is None


def test_a_token_of_another_type_or_issuer_is_not_ours(tokens: JwtAccessTokens) -> None:
    key: bytes = tokens._current or b""
    token = tokens.issue(SESSION, START)

    others = [resigned(token, key=key, typ="JWT"), resigned(token, key=key, iss="other")]

    assert [tokens.session_of(other, START) for other in others] == [None, None]
    assert tokens.session_of(resigned(token, key=key), START) == SESSION.id


def test_tokens_of_the_previous_key_are_still_read() -> None:
    old = JwtAccessTokens(OTHER_KEY).issue(SESSION, START)
    rotated = JwtAccessTokens(KEY, previous=OTHER_KEY)

    assert rotated.session_of(old, START) == SESSION.id
    assert JwtAccessTokens(OTHER_KEY).session_of(rotated.issue(SESSION, START), START) is None


def test_without_a_secret_key_there_are_no_tokens() -> None:
    tokens = JwtAccessTokens(None)

    assert tokens.session_of(JwtAccessTokens(KEY).issue(SESSION, START), START) is None
    with pytest.raises(SecretKeyMissingError):
        tokens.issue(SESSION, START)
