from datetime import timedelta

import pytest

from application.identity.authenticate import Authenticate
from application.shared.actor import Actor
from domain.identity.errors import CredentialsInvalidError, CredentialsMissingError
from domain.identity.permissions import Permission
from domain.shared.errors import UnavailableError
from tests.builders import TEAM_ID, USER_ID, a_key
from tests.fakes.authentication import session_access
from tests.fakes.clock import START
from tests.fakes.credentials import InMemoryCredentials, InMemoryKeyActivity
from tests.unit.application.identity.desk import Desk

SECRET = "sk-stoa-correct-horse-battery-staple"


class Door:
    def __init__(self, desk: Desk) -> None:
        self.credentials = InMemoryCredentials(desk.database)
        self.activity = InMemoryKeyActivity(desk.database)
        self.sessions = session_access(desk.database, desk.clock)
        self.authenticate = Authenticate(
            credentials=self.credentials,
            activity=self.activity,
            sessions=self.sessions,
            clock=desk.clock,
        )


@pytest.fixture
def door(desk: Desk) -> Door:
    return Door(desk)


async def test_a_live_key_opens_the_door(desk: Desk, door: Door) -> None:
    key = desk.has(
        a_key(
            secret=SECRET,
            allowed_models=("gpt-*",),
            scopes=(Permission.INVOKE_MODELS, Permission.READ_CALLS),
        )
    )

    actor = await door.authenticate(SECRET)

    assert actor == Actor(
        team_id=TEAM_ID,
        user_id=USER_ID,
        key_id=key.id,
        permissions=frozenset({Permission.INVOKE_MODELS, Permission.READ_CALLS}),
        allowed_models=("gpt-*",),
    )


async def test_a_key_may_do_what_its_scopes_say(desk: Desk, door: Door) -> None:
    desk.has(a_key(secret=SECRET, scopes=(Permission.READ_AUDIT,)))

    assert (await door.authenticate(SECRET)).permissions == {Permission.READ_AUDIT}


@pytest.mark.parametrize("secret", [None, ""])
async def test_no_secret_is_missing(door: Door, secret: str | None) -> None:
    with pytest.raises(CredentialsMissingError):
        await door.authenticate(secret)


async def test_an_unknown_secret_is_refused(desk: Desk, door: Door) -> None:
    desk.has(a_key(secret=SECRET))

    with pytest.raises(CredentialsInvalidError):
        await door.authenticate(SECRET + "r")


@pytest.mark.parametrize("secret", ["sk-somebody-elses", "hello", "SK-STOA-x", " "])
async def test_what_is_no_key_of_ours_is_refused_without_a_look_up(door: Door, secret: str) -> None:
    door.credentials.away = True

    with pytest.raises(CredentialsInvalidError):
        await door.authenticate(secret)


async def test_a_key_is_refused_from_its_expiry_on(desk: Desk, door: Door) -> None:
    desk.has(a_key(secret=SECRET, expires_at=START + timedelta(seconds=1)))
    await door.authenticate(SECRET)

    desk.clock.advance(1)

    with pytest.raises(CredentialsInvalidError):
        await door.authenticate(SECRET)


async def test_a_revoked_key_is_refused(desk: Desk, door: Door) -> None:
    desk.has(a_key(secret=SECRET, revoked_at=START))

    with pytest.raises(CredentialsInvalidError):
        await door.authenticate(SECRET)

    assert door.activity.touched == {}


async def test_the_use_of_a_key_is_noted(desk: Desk, door: Door) -> None:
    key = desk.has(a_key(secret=SECRET))

    await door.authenticate(SECRET)
    desk.clock.advance(5)
    await door.authenticate(SECRET)

    assert door.activity.touched == {key.id: START + timedelta(seconds=5)}

    await door.activity.flush()

    assert desk.key(key.id).last_used_at == START + timedelta(seconds=5)


async def test_a_known_key_still_opens_the_door_while_the_database_is_away(
    desk: Desk, door: Door
) -> None:
    desk.has(a_key(secret=SECRET))
    await door.authenticate(SECRET)
    door.credentials.away = True

    await door.authenticate(SECRET)
    with pytest.raises(UnavailableError):
        await door.authenticate(SECRET + "r")
