import asyncio
from datetime import timedelta

import pytest

from application.identity.issue_key import IssueKeyCommand
from domain.identity.api_key import SECRET_PREFIX, ApiKey, hash_secret
from domain.identity.errors import KeyNameTakenError
from domain.identity.permissions import Permission
from domain.shared.errors import ForbiddenError, InvalidError
from tests.builders import KEY_ID, OTHER_TEAM_ID, TEAM_ID, USER_ID, a_key, an_actor
from tests.fakes.clock import START
from tests.unit.application.identity.desk import Desk

TOMORROW = START + timedelta(days=1)


async def test_shows_the_secret_once_and_stores_its_hash(desk: Desk) -> None:
    issued = await desk.issue(IssueKeyCommand(actor=an_actor(key_id=None), name="ci"))

    assert issued.secret.startswith(SECRET_PREFIX)
    assert desk.key(issued.key.id) == ApiKey(
        id=issued.key.id,
        team_id=TEAM_ID,
        user_id=USER_ID,
        name="ci",
        secret_hash=hash_secret(issued.secret),
        hint=issued.secret[-4:],
        allowed_models=("*",),
        scopes=tuple(Permission),
        created_at=START,
    )


async def test_a_key_can_be_narrow_and_short_lived(desk: Desk) -> None:
    command = IssueKeyCommand(
        actor=an_actor(key_id=None), name="ci", allowed_models=("gpt-*",), expires_at=TOMORROW
    )

    issued = await desk.issue(command)

    assert (issued.key.allowed_models, issued.key.expires_at) == (("gpt-*",), TOMORROW)


async def test_two_keys_have_different_secrets(desk: Desk) -> None:
    one = await desk.issue(IssueKeyCommand(actor=an_actor(key_id=None), name="one"))
    other = await desk.issue(IssueKeyCommand(actor=an_actor(key_id=None), name="other"))

    assert one.secret != other.secret
    assert one.key.id < other.key.id


async def test_what_a_key_of_nobody_makes_is_nobodys_too(desk: Desk) -> None:
    desk.has(a_key(id=KEY_ID, user_id=None))

    issued = await desk.issue(IssueKeyCommand(actor=an_actor(user_id=None), name="ci"))

    assert issued.key.user_id is None


async def test_refuses_a_name_in_use(desk: Desk) -> None:
    desk.has(a_key(name="ci"))

    with pytest.raises(KeyNameTakenError):
        await desk.issue(IssueKeyCommand(actor=an_actor(key_id=None), name=" ci "))

    assert len(desk.database.committed.keys) == 1


async def test_takes_the_name_of_a_revoked_key_or_of_another_teams(desk: Desk) -> None:
    desk.has(a_key(name="ci", revoked_at=START))
    desk.has(a_key(name="ci", team_id=OTHER_TEAM_ID))

    issued = await desk.issue(IssueKeyCommand(actor=an_actor(key_id=None), name="ci"))

    assert issued.key.name == "ci"


async def test_one_of_two_that_want_a_name_at_once_gets_it(desk: Desk) -> None:
    command = IssueKeyCommand(actor=an_actor(key_id=None), name="ci")

    results = await asyncio.gather(desk.issue(command), desk.issue(command), return_exceptions=True)

    assert [type(result).__name__ for result in results] == ["IssuedKey", "KeyNameTakenError"]


@pytest.mark.parametrize(
    ("command", "param"),
    [
        (IssueKeyCommand(actor=an_actor(key_id=None), name=" "), "name"),
        (
            IssueKeyCommand(actor=an_actor(key_id=None), name="ci", allowed_models=("gpt-?",)),
            "allowed_models",
        ),
        (IssueKeyCommand(actor=an_actor(key_id=None), name="ci", expires_at=START), "expires_at"),
    ],
    ids=["name", "pattern", "expiry"],
)
async def test_wrong_input_issues_no_key(desk: Desk, command: IssueKeyCommand, param: str) -> None:
    with pytest.raises(InvalidError) as refused:
        await desk.issue(command)

    assert refused.value.param == param
    assert desk.database.committed.keys == {}


async def test_issuing_keys_needs_the_permission(desk: Desk) -> None:
    actor = an_actor(permissions=frozenset({Permission.INVOKE_MODELS}))

    with pytest.raises(ForbiddenError):
        await desk.issue(IssueKeyCommand(actor=actor, name="ci"))

    assert desk.database.committed.keys == {}
