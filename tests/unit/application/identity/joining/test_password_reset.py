from typing import Any

import pytest

from application.identity.joining.confirm_password_reset import ConfirmPasswordResetCommand
from domain.identity.errors import TooManyAttemptsError
from domain.identity.joining.errors import ResetTokenInvalidError
from domain.identity.joining.password_reset import RESET_LIVES
from domain.identity.session import Session
from domain.operations.audit import ActorKind
from domain.operations.errors import MailFailedError
from domain.shared.errors import InvalidError
from domain.shared.ids import SessionId
from tests.builders import OTHER_TEAM_ID, TEAM_ID, USER_ID, a_membership, a_user
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at
from tests.unit.application.identity.joining.porch import URL, Porch

EMAIL = "ada@example.com"
NEW = "a new long password"


@pytest.fixture
def people(porch: Porch) -> Porch:
    porch.has(a_user(email=EMAIL, password_hash="hash:old"), a_membership())
    return porch


def a_session(number: int) -> Session:
    return Session.start(
        id=SessionId(uuid7_at(START, number)),
        team_id=TEAM_ID,
        user_id=USER_ID,
        at=START,
        remember_me=False,
        cookie_hash=b"%d" % number,
        address=None,
        user_agent=None,
    )


async def ask(porch: Porch, email: str = EMAIL) -> None:
    await porch.request_reset(email)
    await porch.errands.run_all()


def confirmation(token: str, password: str = NEW) -> ConfirmPasswordResetCommand:
    return ConfirmPasswordResetCommand(token=token, password=password)


async def test_the_link_is_mailed_after_the_answer(people: Porch) -> None:
    await people.request_reset(" Ada@example.com")
    before = list(people.mailer.sent)
    await people.errands.run_all()

    (mail,) = people.mailer.sent
    assert before == []
    assert mail.to == EMAIL
    assert f"{URL}/reset-password#token={people.token_in()}\n" in mail.text


async def test_the_answer_waits_for_nothing_that_tells_who_has_an_account(people: Porch) -> None:
    await people.request_reset(EMAIL)
    await people.request_reset("nobody@example.com")

    assert people.errands.waiting == ["password_reset"] * 2
    assert people.state.password_resets == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"email": "other@example.com"},
        {"is_active": False},
        {"password_hash": None, "external_issuer": "i", "external_subject": "s"},
    ],
    ids=["unknown", "deactivated", "external"],
)
async def test_who_can_have_no_new_password_gets_no_mail(
    people: Porch, fields: dict[str, Any]
) -> None:
    people.has(a_user(**{"email": EMAIL, "password_hash": "hash:old", **fields}))

    await ask(people)

    assert people.mailer.sent == []
    assert people.state.password_resets == {}


async def test_who_has_no_password_yet_gets_one(people: Porch) -> None:
    people.has(a_user(email=EMAIL))

    await ask(people)

    assert len(people.mailer.sent) == 1


async def test_what_is_no_address_is_refused(people: Porch) -> None:
    with pytest.raises(InvalidError):
        await people.request_reset("nobody")


async def test_the_token_sets_the_password_and_ends_all_sessions(people: Porch) -> None:
    for number in (1, 2):
        session = a_session(number)
        people.state.sessions[session.id] = session
    await ask(people)

    await people.confirm_reset(confirmation(people.token_in()))

    assert people.state.users[USER_ID].password_hash == f"hash:{NEW}"
    assert [s.revoked_at for s in people.state.sessions.values()] == [START, START]


async def test_the_reset_is_on_record_in_all_teams_of_the_user(people: Porch) -> None:
    people.has(a_user(email=EMAIL, password_hash="hash:old"), a_membership(team_id=OTHER_TEAM_ID))
    await ask(people)
    await people.confirm_reset(confirmation(people.token_in()))

    entries = people.state.audit
    assert [entry.team_id for entry in entries] == [TEAM_ID, OTHER_TEAM_ID]
    assert {entry.action for entry in entries} == {"user.password_reset"}
    assert {(entry.actor_kind, entry.user_id) for entry in entries} == {(ActorKind.USER, USER_ID)}
    assert entries[0].after == {"ended_sessions": 0}


async def test_a_link_works_once_and_takes_the_others_along(people: Porch) -> None:
    await ask(people)
    await ask(people)

    await people.confirm_reset(confirmation(people.token_in(1)))

    for number in (0, 1):
        with pytest.raises(ResetTokenInvalidError):
            await people.confirm_reset(confirmation(people.token_in(number)))


async def test_a_password_that_is_refused_costs_no_link(people: Porch) -> None:
    await ask(people)

    with pytest.raises(InvalidError, match="10 characters"):
        await people.confirm_reset(confirmation(people.token_in(), "short"))
    await people.confirm_reset(confirmation(people.token_in()))


async def test_a_link_lives_for_half_an_hour(people: Porch) -> None:
    await ask(people)
    people.clock.advance(RESET_LIVES.total_seconds())

    with pytest.raises(ResetTokenInvalidError):
        await people.confirm_reset(confirmation(people.token_in()))


async def test_a_link_is_worth_nothing_once_the_user_is_deactivated(people: Porch) -> None:
    await ask(people)
    people.has(a_user(email=EMAIL, password_hash="hash:old", is_active=False))

    with pytest.raises(ResetTokenInvalidError):
        await people.confirm_reset(confirmation(people.token_in()))


async def test_a_guessed_token_is_refused_and_slowed_down(people: Porch) -> None:
    for _ in range(30):
        with pytest.raises(ResetTokenInvalidError):
            await people.confirm_reset(confirmation("guessed"))
    with pytest.raises(TooManyAttemptsError):
        await people.confirm_reset(confirmation("guessed"))


async def test_nobody_can_fill_a_mailbox(people: Porch) -> None:
    for _ in range(5):
        await ask(people)
    with pytest.raises(TooManyAttemptsError):
        await ask(people)

    assert len(people.mailer.sent) == 5


async def test_one_address_cannot_ask_for_ever(people: Porch) -> None:
    for number in range(20):
        await people.request_reset(f"person{number}@example.com")
    with pytest.raises(TooManyAttemptsError):
        await people.request_reset("another@example.com")


async def test_a_mail_that_fails_is_told_to_whoever_runs_errands(people: Porch) -> None:
    people.mailer.reason = "nobody there"

    with pytest.raises(MailFailedError):
        await ask(people)
