import pytest

from application.identity.sessions.change_password import ChangePasswordCommand
from application.identity.sessions.list_sessions import ListSessionsQuery
from application.identity.sessions.revoke_all_sessions import RevokeAllSessionsCommand
from application.identity.sessions.revoke_session import RevokeSessionCommand
from application.identity.sessions.switch_team import SwitchTeamCommand
from application.shared.pagination import PageRequest
from domain.identity.errors import (
    PersonRequiredError,
    SessionNotFoundError,
    TeamNotFoundError,
    TooManyAttemptsError,
    WrongPasswordError,
)
from domain.identity.joining.password_reset import PasswordReset
from domain.shared.errors import InvalidError
from domain.shared.ids import PasswordResetId, SessionId, TeamId, UserId
from tests.builders import (
    OTHER_TEAM_ID,
    TEAM_ID,
    USER_ID,
    a_membership,
    a_session,
    a_team,
    a_user,
    an_actor,
)
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at
from tests.unit.application.identity.sessions.front_desk import PASSWORD, FrontDesk

NEW_PASSWORD = "another horse altogether"
RESET_ID = PasswordResetId(uuid7_at(START, 998))


async def test_lists_the_sessions_that_have_not_ended(desk: FrontDesk) -> None:
    first, second = await desk.opened(), await desk.opened()
    actor = desk.actor(first)
    await desk.revoke_session(RevokeSessionCommand(actor=actor, session_id=second.session.id))

    page = await desk.list_sessions(ListSessionsQuery(actor=actor, page=PageRequest()))

    assert page.items == (first.session,)


async def test_logging_out_ends_the_own_session(desk: FrontDesk) -> None:
    opened, other = await desk.opened(), await desk.opened()

    await desk.revoke_session(RevokeSessionCommand(actor=desk.actor(opened)))

    assert desk.session(opened.session.id).revoked_at == START
    assert desk.session(other.session.id).revoked_at is None
    assert desk.actions[-1] == "session.revoked"


async def test_a_session_ends_once(desk: FrontDesk) -> None:
    command = RevokeSessionCommand(actor=desk.actor(await desk.opened()))
    await desk.revoke_session(command)

    with pytest.raises(SessionNotFoundError):
        await desk.revoke_session(command)


async def test_nobody_ends_the_session_of_somebody_else(desk: FrontDesk) -> None:
    actor = desk.actor(await desk.opened())
    theirs = a_session(user_id=UserId(uuid7_at(START, 60)))
    desk.has_user(a_user(id=theirs.user_id))
    desk.database.committed.memberships[TEAM_ID, theirs.user_id] = a_membership()
    desk.database.committed.sessions[theirs.id] = theirs

    for session_id in (theirs.id, SessionId(uuid7_at(START, 999))):
        with pytest.raises(SessionNotFoundError):
            await desk.revoke_session(RevokeSessionCommand(actor=actor, session_id=session_id))


@pytest.mark.parametrize("keep_current", [True, False])
async def test_ends_all_sessions(desk: FrontDesk, *, keep_current: bool) -> None:
    opened = [await desk.opened() for _ in range(3)]

    await desk.revoke_all(
        RevokeAllSessionsCommand(actor=desk.actor(opened[0]), keep_current=keep_current)
    )

    live = [desk.session(one.session.id).revoked_at is None for one in opened]
    assert live == [keep_current, False, False]
    assert desk.actions.count("session.revoked") == live.count(False)


async def test_switches_to_another_team(desk: FrontDesk) -> None:
    desk.database.committed.teams[OTHER_TEAM_ID] = a_team(id=OTHER_TEAM_ID)
    place = a_membership(team_id=OTHER_TEAM_ID)
    desk.database.committed.memberships[OTHER_TEAM_ID, USER_ID] = place
    opened = await desk.opened()

    session = await desk.switch(SwitchTeamCommand(actor=desk.actor(opened), team_id=OTHER_TEAM_ID))

    assert session.team_id == desk.session(session.id).team_id == OTHER_TEAM_ID
    entry = desk.audit[-1]
    assert (entry.action, entry.team_id) == ("session.switched", OTHER_TEAM_ID)


async def test_stays_out_of_the_teams_of_others(desk: FrontDesk) -> None:
    desk.database.committed.teams[OTHER_TEAM_ID] = a_team(id=OTHER_TEAM_ID)
    actor = desk.actor(await desk.opened())

    for team_id in (OTHER_TEAM_ID, TeamId(uuid7_at(START, 999))):
        with pytest.raises(TeamNotFoundError):
            await desk.switch(SwitchTeamCommand(actor=actor, team_id=team_id))


async def test_another_password_ends_all_other_sessions_and_links(desk: FrontDesk) -> None:
    own, other = await desk.opened(), await desk.opened()
    reset = PasswordReset.issue(id=RESET_ID, user_id=USER_ID, secret="reset", at=START)
    desk.database.committed.password_resets[reset.id] = reset

    await desk.change_password(
        ChangePasswordCommand(
            actor=desk.actor(own), current_password=PASSWORD, new_password=NEW_PASSWORD
        )
    )

    assert desk.user.password_hash == f"hash:{NEW_PASSWORD}"
    assert desk.session(own.session.id).revoked_at is None
    assert desk.session(other.session.id).revoked_at == START
    assert desk.database.committed.password_resets == {}
    entry = desk.audit[-1]
    assert (entry.action, entry.target_id) == ("password.changed", str(USER_ID))
    assert NEW_PASSWORD not in repr(entry)


async def test_the_present_password_has_to_be_known(desk: FrontDesk) -> None:
    command = ChangePasswordCommand(
        actor=desk.actor(await desk.opened()),
        current_password="wrong",
        new_password=NEW_PASSWORD,
    )

    for _ in range(10):
        with pytest.raises(WrongPasswordError):
            await desk.change_password(command)
    with pytest.raises(TooManyAttemptsError):
        await desk.change_password(command)

    assert desk.user.password_hash == f"hash:{PASSWORD}"


async def test_a_weak_password_is_refused(desk: FrontDesk) -> None:
    with pytest.raises(InvalidError) as refused:
        await desk.change_password(
            ChangePasswordCommand(
                actor=desk.actor(await desk.opened()),
                current_password=PASSWORD,
                new_password="short",
            )
        )

    assert refused.value.param == "new_password"


async def test_a_key_is_no_person(desk: FrontDesk) -> None:
    actor = an_actor()

    with pytest.raises(PersonRequiredError):
        await desk.list_sessions(ListSessionsQuery(actor=actor, page=PageRequest()))
    with pytest.raises(PersonRequiredError):
        await desk.revoke_session(RevokeSessionCommand(actor=actor))
    with pytest.raises(PersonRequiredError):
        await desk.revoke_all(RevokeAllSessionsCommand(actor=actor))
    with pytest.raises(PersonRequiredError):
        await desk.get_me(actor)
