import asyncio
from dataclasses import replace

import pytest

from application.identity.joining.claim_setup import Claimed, ClaimSetupCommand
from domain.identity.errors import EmailTakenError, TeamNotFoundError, TooManyAttemptsError
from domain.identity.joining.errors import SetupDoneError, SetupTokenInvalidError
from domain.identity.joining.setup_token import KEPT_TOKENS
from domain.operations.audit import ActorKind
from domain.shared.errors import InvalidError
from domain.shared.ids import UserId
from tests.builders import TEAM_ID, USER_ID, a_user
from tests.fakes.clock import START
from tests.fakes.identity_state import InMemoryIdentity
from tests.fakes.ids import uuid7_at
from tests.unit.application.identity.joining.porch import Porch

PASSWORD = "correct horse battery"


def a_claim(token: str, **fields: str) -> ClaimSetupCommand:
    defaults = {
        "token": token,
        "email": "Ada@Example.com",
        "password": PASSWORD,
        "team_name": " Engines ",
        "display_name": "Ada Lovelace",
    }
    return ClaimSetupCommand(**(defaults | fields))


async def offered(porch: Porch) -> str:
    token = await porch.offer_setup()
    assert token is not None
    return token


async def test_the_nameless_owner_becomes_a_person(porch: Porch) -> None:
    claimed = await porch.claim_setup(a_claim(await offered(porch)))

    assert claimed.user == a_user(
        email="ada@example.com",
        display_name="Ada Lovelace",
        password_hash=f"hash:{PASSWORD}",
        is_operator=True,
    )
    assert porch.state.users == {USER_ID: claimed.user}
    assert porch.state.teams[TEAM_ID].name == "Engines"
    assert porch.state.setup_tokens == {}


async def test_the_claim_is_on_record_without_the_password(porch: Porch) -> None:
    await porch.claim_setup(a_claim(await offered(porch)))

    (entry,) = porch.state.audit
    assert (entry.action, entry.target_type, entry.target_id) == (
        "setup.claimed",
        "user",
        str(USER_ID),
    )
    assert (entry.actor_kind, entry.user_id) == (ActorKind.USER, USER_ID)
    assert entry.after == {
        "email": "ada@example.com",
        "display_name": "Ada Lovelace",
        "team": "Engines",
    }
    assert entry.address == "192.0.2.1"


async def test_it_is_needed_until_it_is_done(porch: Porch) -> None:
    token = await offered(porch)

    before = await porch.check_setup()
    await porch.claim_setup(a_claim(token))

    assert before
    assert not await porch.check_setup()
    assert await porch.offer_setup() is None


async def test_it_works_once(porch: Porch) -> None:
    first, second = await offered(porch), await offered(porch)
    await porch.claim_setup(a_claim(first))

    with pytest.raises(SetupDoneError):
        await porch.claim_setup(a_claim(second, email="eve@example.com"))
    with pytest.raises(SetupDoneError):
        await porch.claim_setup(a_claim("guessed", email="eve@example.com"))
    assert porch.state.users[USER_ID].email == "ada@example.com"


async def test_of_two_who_claim_at_once_one_wins(porch: Porch) -> None:
    token = await offered(porch)

    results = await asyncio.gather(
        porch.claim_setup(a_claim(token)),
        porch.claim_setup(a_claim(token, email="eve@example.com")),
        return_exceptions=True,
    )

    refused = [result for result in results if not isinstance(result, Claimed)]
    assert [type(result) for result in refused] == [SetupDoneError]
    assert len(porch.state.audit) == 1


async def test_nobody_claims_without_the_token(porch: Porch) -> None:
    await offered(porch)

    with pytest.raises(SetupTokenInvalidError):
        await porch.claim_setup(a_claim("guessed"))
    assert porch.state.users == {USER_ID: a_user()}


async def test_links_of_the_latest_starts_work(porch: Porch) -> None:
    tokens = [await offered(porch) for _ in range(KEPT_TOKENS + 1)]

    with pytest.raises(SetupTokenInvalidError):
        await porch.claim_setup(a_claim(tokens[0]))
    await porch.claim_setup(a_claim(tokens[1]))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "nobody"),
        ("password", "short"),
        ("password", "password123"),
        ("team_name", " "),
        ("display_name", ""),
    ],
)
async def test_what_is_wrong_is_named_and_costs_no_link(
    porch: Porch, field: str, value: str
) -> None:
    token = await offered(porch)

    with pytest.raises(InvalidError) as caught:
        await porch.claim_setup(a_claim(token, **{field: value}))

    assert caught.value.param == field
    await porch.claim_setup(a_claim(token))


async def test_a_person_may_have_come_some_other_way(porch: Porch) -> None:
    token = await offered(porch)
    porch.state.users[USER_ID] = replace(porch.state.users[USER_ID], email="ada@example.com")

    assert not await porch.check_setup()
    with pytest.raises(SetupDoneError):
        await porch.claim_setup(a_claim(token))


async def test_an_address_in_use_is_refused(porch: Porch) -> None:
    token = await offered(porch)
    porch.has(a_user(id=UserId(uuid7_at(START, 9)), email="ada@example.com"))

    with pytest.raises(EmailTakenError):
        await porch.claim_setup(a_claim(token))


async def test_guessing_is_slowed_down(porch: Porch) -> None:
    token = await offered(porch)

    for _ in range(30):
        with pytest.raises(SetupTokenInvalidError):
            await porch.claim_setup(a_claim("guessed"))
    with pytest.raises(TooManyAttemptsError):
        await porch.claim_setup(a_claim(token))
    porch.clock.advance(10)
    await porch.claim_setup(a_claim(token))


async def test_there_is_nothing_to_claim_before_there_is_a_team(porch: Porch) -> None:
    porch.database = InMemoryIdentity()

    assert await porch.offer_setup() is None
    with pytest.raises(TeamNotFoundError):
        await porch.claim_setup(a_claim("any"))


def test_the_command_shows_no_secret() -> None:
    assert "canary" not in repr(a_claim("canary-token", password="canary-password"))
