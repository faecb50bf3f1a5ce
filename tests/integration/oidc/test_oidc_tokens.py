"""Which tokens are believed."""

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from jwt.warnings import InsecureKeyLengthWarning

from application.identity.external.ports import ExternalIdentity
from domain.identity.errors import CredentialsInvalidError
from domain.operations.runtime_settings import (
    OIDC_AUDIENCE,
    OIDC_CLOCK_SKEW_SECONDS,
    OIDC_ISSUER,
    OIDC_JWKS_URL,
)
from tests.fakes.identity_provider import (
    AUDIENCE,
    DISCOVERY,
    IdentityProvider,
    PrivateKey,
    jwk_of,
    rsa_key,
)
from tests.fakes.oidc_reader import OidcReader

HOUR = timedelta(hours=1)


@pytest.fixture
def reader(provider: IdentityProvider) -> OidcReader:
    return OidcReader(provider)


async def refused(reader: OidcReader, token: str) -> bool:
    try:
        await reader.tokens.verify(token)
    except CredentialsInvalidError:
        return True
    return False


def encoded(document: object) -> str:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


async def test_a_token_says_who_somebody_is(reader: OidcReader) -> None:
    token = reader.token(email="ada@example.com", email_verified=True, name="Ada")

    identity = await reader.tokens.verify(token)

    assert identity == ExternalIdentity(
        issuer=reader.provider.issuer,
        subject="subject-1",
        email="ada@example.com",
        email_verified=True,
        name="Ada",
    )


async def test_what_describes_the_person_may_be_missing_or_odd(reader: OidcReader) -> None:
    token = reader.token(email=["a"], email_verified="true", name="  ")

    identity = await reader.tokens.verify(token)

    assert identity == ExternalIdentity(issuer=reader.provider.issuer, subject="subject-1")


async def test_reading_again_fetches_nothing(reader: OidcReader) -> None:
    for subject in ("a", "b", "c"):
        await reader.tokens.verify(reader.token(sub=subject))

    assert reader.provider.asked == {DISCOVERY: 1, "/keys": 1}


async def test_keys_come_from_the_url_that_is_set(reader: OidcReader) -> None:
    reader.settings.set(OIDC_JWKS_URL, reader.provider.jwks_url)

    await reader.tokens.verify(reader.token())

    assert reader.provider.asked == {"/keys": 1}


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("RS512", rsa_key()),
        ("PS256", rsa_key()),
        ("ES256", ec.generate_private_key(ec.SECP256R1())),
        ("ES384", ec.generate_private_key(ec.SECP384R1())),
        ("ES512", ec.generate_private_key(ec.SECP521R1())),
        ("EdDSA", ed25519.Ed25519PrivateKey.generate()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_asymmetric_algorithms_are_taken(
    reader: OidcReader, algorithm: str, key: PrivateKey
) -> None:
    reader.provider.rotate("other", key)

    assert not await refused(reader, reader.token(algorithm=algorithm))


@pytest.mark.parametrize("audience", [AUDIENCE, ["else", AUDIENCE]], ids=["one", "several"])
async def test_a_token_may_be_for_several(reader: OidcReader, audience: Any) -> None:
    reader.settings.set(OIDC_AUDIENCE, ("another", AUDIENCE))

    assert not await refused(reader, reader.token(aud=audience))


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "somebody-else"},
        {"aud": ["somebody-else"]},
        {"aud": None},
        {"iss": "https://elsewhere.example.com"},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "s" * 256},
        {"sub": "with\0nul"},
        {"sub": 7},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": 1e300},
        {"iat": None},
        {"iat": "yesterday"},
        {"nbf": "now"},
    ],
    ids=str,
)
async def test_claims_have_to_be_right(reader: OidcReader, claims: dict[str, Any]) -> None:
    token = jwt.encode(
        reader.provider.claims(reader.clock.now(), **claims),
        reader.provider.keys["one"],
        "RS256",
        headers={"kid": "one"},
    )

    assert await refused(reader, token)


@pytest.mark.parametrize(
    ("claim", "ahead", "is_refused"),
    [
        ("exp", timedelta(seconds=-59), False),
        ("exp", timedelta(seconds=-60), True),
        ("nbf", timedelta(seconds=60), False),
        ("nbf", timedelta(seconds=61), True),
        ("iat", timedelta(seconds=60), False),
        ("iat", timedelta(seconds=61), True),
    ],
)
async def test_clocks_may_differ_by_so_much(
    reader: OidcReader, claim: str, ahead: timedelta, is_refused: bool
) -> None:
    claims: dict[str, Any] = {claim: int((reader.clock.now() + ahead).timestamp())}

    assert await refused(reader, reader.token(**claims)) is is_refused


async def test_how_much_clocks_may_differ_is_set(reader: OidcReader) -> None:
    reader.settings.set(OIDC_CLOCK_SKEW_SECONDS, 0)
    ended = int((reader.clock.now() - timedelta(seconds=1)).timestamp())

    assert await refused(reader, reader.token(exp=ended))


async def test_a_good_token_ends(reader: OidcReader) -> None:
    token = reader.token()
    before = await refused(reader, token)

    reader.clock.advance((HOUR + timedelta(minutes=1)).total_seconds())

    assert (before, await refused(reader, token)) == (False, True)


async def test_a_token_without_a_signature_is_refused(reader: OidcReader) -> None:
    claims = reader.provider.claims(reader.clock.now())

    for name in ("none", "None", "NONE"):
        header = {"alg": name, "typ": "JWT", "kid": "one"}
        assert await refused(reader, f"{encoded(header)}.{encoded(claims)}.")


async def test_the_public_key_is_no_shared_secret(reader: OidcReader) -> None:
    """The classic confusion: who knows the public key signs with it as a secret."""
    key = reader.provider.keys["one"].public_key()
    claims = reader.provider.claims(reader.clock.now())
    public = [
        key.public_bytes(encoding, form)
        for encoding, form in (
            (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
            (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
        )
    ] + [json.dumps(reader.provider.published[0]).encode()]

    for secret in public:
        signed = f"{encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': 'one'})}.{encoded(claims)}"
        signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
            signed.encode(), secret
        )
        assert await refused(reader, f"{signed}.{encoded(signature)}")


async def test_a_symmetric_key_of_the_provider_is_not_used(reader: OidcReader) -> None:
    secret = b"s" * 64
    published = {"kty": "oct", "kid": "shared", "k": encoded(secret), "alg": "HS256"}
    reader.provider.published.append(published)
    claims = reader.provider.claims(reader.clock.now())
    token = jwt.encode(claims, secret, "HS256", headers={"kid": "shared"})

    assert await refused(reader, token)


async def test_a_token_that_brings_its_own_key_is_refused(reader: OidcReader) -> None:
    own = rsa_key()
    header = {"kid": "one", "jwk": jwk_of("one", own), "jku": "http://127.0.0.1:1/keys"}
    claims = reader.provider.claims(reader.clock.now())

    assert await refused(reader, jwt.encode(claims, own, "RS256", headers=header))


async def test_another_key_with_a_known_id_is_refused(reader: OidcReader) -> None:
    claims = reader.provider.claims(reader.clock.now())

    assert await refused(reader, jwt.encode(claims, rsa_key(), "RS256", headers={"kid": "one"}))


async def test_a_token_that_was_changed_is_refused(reader: OidcReader) -> None:
    header, _, signature = reader.token().split(".")
    claims = reader.provider.claims(reader.clock.now(), sub="root")

    assert await refused(reader, f"{header}.{encoded(claims)}.{signature}")


@pytest.mark.parametrize(
    "members",
    [{"use": "enc"}, {"alg": "RS512"}, {"key_ops": ["encrypt"]}, {"kty": "EC"}, {"n": "AQAB"}],
    ids=str,
)
async def test_a_key_is_used_for_what_it_was_published_for(
    reader: OidcReader, members: dict[str, Any]
) -> None:
    good = jwk_of("good", rsa_key())
    reader.provider.published = [reader.provider.published[0] | members, good]

    assert await refused(reader, reader.token())


async def test_a_short_key_is_not_used(reader: OidcReader) -> None:
    reader.provider.rotate("short", rsa_key(1024))
    with pytest.warns(InsecureKeyLengthWarning):
        token = reader.token()

    assert await refused(reader, token)


async def test_a_token_may_leave_out_the_id_of_the_only_key(reader: OidcReader) -> None:
    claims = reader.provider.claims(reader.clock.now())
    token = jwt.encode(claims, reader.provider.keys["one"], "RS256")
    with_one = await refused(reader, token)

    reader.provider.published.append(jwk_of("two", rsa_key()))
    reader.clock.advance(24 * 3600)
    later = reader.provider.claims(reader.clock.now())
    with_two = await refused(reader, jwt.encode(later, reader.provider.keys["one"], "RS256"))

    assert (with_one, with_two) == (False, True)


@pytest.mark.parametrize(
    ("kind", "is_refused"),
    [("JWT", False), ("at+jwt", False), ("application/at+jwt", False), ("logout+jwt", True)],
)
async def test_tokens_are_for_signing_in(reader: OidcReader, kind: str, is_refused: bool) -> None:
    assert await refused(reader, reader.token(header={"typ": kind})) is is_refused


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "...",
        "a.b.c",
        "é.é.é",
        f"{encoded(b'[' * 5000)}.{encoded({})}.",
        f"{encoded({'alg': 'RS256'})}.{encoded(b'[' * 5000)}.",
        f"{encoded({'alg': ['RS256']})}.{encoded({})}.",
        f"{encoded({'alg': 'RS256', 'kid': {}})}.{encoded({})}.",
        f"{encoded({'alg': 'RS256', 'typ': 7})}.{encoded({})}.",
        f"{encoded([])}.{encoded([])}.",
        f"{encoded({'alg': 'RS256'})}.{encoded(b'1' * 5000)}.",
        f"{encoded({'alg': 'RS256', 'crit': ['b64'], 'b64': False})}.{encoded({})}.",
        "e" * 20_000,
    ],
    ids=range(13),
)
async def test_nonsense_is_refused_without_asking_the_provider(
    reader: OidcReader, token: str
) -> None:
    assert await refused(reader, token)
    assert not reader.provider.asked


@pytest.mark.parametrize("setting", [OIDC_ISSUER, OIDC_AUDIENCE], ids=lambda s: s.name)
async def test_nothing_is_believed_until_both_are_set(reader: OidcReader, setting: Any) -> None:
    reader.settings.reset(setting)

    assert await refused(reader, reader.token())
    assert not reader.provider.asked


async def test_another_provider_may_be_set_at_any_time(reader: OidcReader) -> None:
    before = reader.token()
    await reader.tokens.verify(before)

    async with IdentityProvider() as other:
        reader.settings.set(OIDC_ISSUER, other.issuer)
        old = await refused(reader, before)
        new = await refused(reader, other.token(reader.clock.now()))

    assert (old, new) == (True, False)


async def test_other_settings_are_obeyed_for_tokens_that_were_taken(reader: OidcReader) -> None:
    token = reader.token()
    before = await refused(reader, token)

    reader.settings.set(OIDC_AUDIENCE, ("another",))

    assert (before, await refused(reader, token)) == (False, True)
