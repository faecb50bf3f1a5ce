from datetime import timedelta
from hashlib import sha256

import pytest

from domain.identity.api_key import SECRET_PREFIX, ApiKey, hash_secret
from domain.identity.errors import KeyRevokedError
from domain.identity.permissions import Permission
from domain.shared.errors import InvalidError
from tests.builders import KEY_ID, TEAM_ID, USER_ID, a_key
from tests.fakes.clock import START

SECOND = timedelta(seconds=1)


def test_a_new_key_knows_only_the_hash_and_the_end_of_its_secret() -> None:
    secret = f"{SECRET_PREFIX}hunter2hunter2"

    key = ApiKey.issue(
        id=KEY_ID,
        team_id=TEAM_ID,
        user_id=USER_ID,
        name=" ci ",
        secret=secret,
        allowed_models=("gpt-*",),
        scopes=(Permission.READ_CALLS, Permission.INVOKE_MODELS),
        expires_at=START + SECOND,
        at=START,
    )

    assert key == ApiKey(
        id=KEY_ID,
        team_id=TEAM_ID,
        user_id=USER_ID,
        name="ci",
        secret_hash=sha256(secret.encode()).digest(),
        hint="ter2",
        allowed_models=("gpt-*",),
        scopes=(Permission.INVOKE_MODELS, Permission.READ_CALLS),
        created_at=START,
        expires_at=START + SECOND,
    )
    assert key.masked == "sk-stoa-…ter2"
    assert "hunter" not in repr(key)


def test_a_hash_depends_on_the_whole_secret() -> None:
    assert hash_secret("sk-stoa-a") == hash_secret("sk-stoa-a")
    assert hash_secret("sk-stoa-a") != hash_secret("sk-stoa-b")


def test_a_key_without_expiry_lives_until_it_is_revoked() -> None:
    key = a_key()

    assert key.is_live(START + timedelta(days=36_500))

    key.revoke(START)

    assert not key.is_live(START)


def test_a_key_is_dead_from_the_moment_of_its_expiry() -> None:
    key = a_key(expires_at=START + SECOND)

    assert key.is_live(START + SECOND - timedelta(microseconds=1))
    assert not key.is_live(START + SECOND)


def test_revoking_again_keeps_the_first_time() -> None:
    key = a_key()

    key.revoke(START)
    key.revoke(START + SECOND)

    assert key.revoked_at == START


def test_a_key_allows_what_its_patterns_cover() -> None:
    key = a_key(allowed_models=("gpt-*",))

    assert key.allows_model("gpt-5")
    assert not key.allows_model("claude-5")


def test_a_live_key_can_be_changed() -> None:
    key = a_key()

    key.rename(" deploy ")
    key.restrict_to(("small",))
    key.expire(START + SECOND, at=START)

    assert (key.name, key.allowed_models, key.expires_at) == (
        "deploy",
        ("small",),
        START + SECOND,
    )


def test_an_expiry_can_be_taken_away() -> None:
    key = a_key(expires_at=START + SECOND)

    key.expire(None, at=START)

    assert key.expires_at is None


def test_a_revoked_key_cannot_be_changed() -> None:
    key = a_key(name="ci", revoked_at=START)

    with pytest.raises(KeyRevokedError):
        key.rename("deploy")
    with pytest.raises(KeyRevokedError):
        key.restrict_to(("small",))
    with pytest.raises(KeyRevokedError):
        key.expire(None, at=START)

    assert (key.name, key.allowed_models) == ("ci", ("*",))


def test_an_expiry_must_be_in_the_future() -> None:
    key = a_key()

    with pytest.raises(InvalidError) as refused:
        key.expire(START, at=START)

    assert refused.value.param == "expires_at"
    assert refused.value.message == "'expires_at' must be in the future."
    assert key.expires_at is None


def test_an_expiry_needs_a_time_zone() -> None:
    with pytest.raises(InvalidError, match="needs a time zone offset"):
        a_key().expire((START + SECOND).replace(tzinfo=None), at=START)
