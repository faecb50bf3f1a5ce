import asyncio
from typing import Any

import pytest

from application.identity.joining.accept_invitation import AcceptInvitationCommand, Joined
from application.identity.joining.inspect_invitation import InspectInvitationQuery
from application.identity.joining.invite_member import InviteMemberCommand
from application.identity.joining.list_invitations import ListInvitationsQuery
from application.identity.joining.resend_invitation import ResendInvitationCommand
from application.identity.joining.revoke_invitation import RevokeInvitationCommand
from application.identity.joining.send_invitation import SentInvitation
from application.shared.actor import Actor
from application.shared.pagination import PageRequest
from domain.identity.errors import AlreadyMemberError, LoginFailedError, TooManyAttemptsError
from domain.identity.joining.errors import (
    InvitationClosedError,
    InvitationForAnotherError,
    InvitationInvalidError,
    InvitationNotFoundError,
    RoleExceededError,
)
from domain.identity.joining.invitation import INVITATION_LIVES, InvitationStatus
from domain.identity.permissions import Role, permissions_of
from domain.identity.user import User
from domain.shared.errors import ForbiddenError, InvalidError
from domain.shared.ids import SessionId, UserId
from tests.builders import (
    OTHER_TEAM_ID,
    TEAM_ID,
    USER_ID,
    a_membership,
    a_team,
    a_user,
    an_actor,
)
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at
from tests.fakes.mail import RecordingMailer
from tests.unit.application.identity.joining.porch import URL, Porch

BOB = "bob@example.com"
BOB_ID = UserId(uuid7_at(START, 60))
PASSWORD = "correct horse battery"


def somebody(role: Role = Role.OWNER, **fields: Any) -> Actor:
    """A person of the team with a session."""
    session_id = SessionId(uuid7_at(START, 61))
    defaults: dict[str, Any] = {"key_id": None, "session_id": session_id}
    return an_actor(permissions=permissions_of(role), **(defaults | fields))


async def invited(
    porch: Porch, *, email: str = BOB, role: Role = Role.MEMBER, by: Actor | None = None
) -> SentInvitation:
    sent = await porch.invite(InviteMemberCommand(actor=by or somebody(), email=email, role=role))
    await porch.errands.run_all()
    return sent


async def accepted(porch: Porch, token: str, **fields: Any) -> Joined:
    defaults: dict[str, Any] = {"password": PASSWORD, "display_name": "Bob"}
    return await porch.accept(AcceptInvitationCommand(token=token, **(defaults | fields)))


def has_bob(porch: Porch, **fields: Any) -> User:
    defaults: dict[str, Any] = {
        "id": BOB_ID,
        "display_name": "Bob",
        "email": BOB,
        "password_hash": f"hash:{PASSWORD}",
    }
    return porch.has(a_user(**(defaults | fields)))


async def test_an_invitation_is_mailed_after_the_answer(porch: Porch) -> None:
    sent = await porch.invite(
        InviteMemberCommand(actor=somebody(), email=" Bob@Example.com", role=Role.EDITOR)
    )
    before = list(porch.mailer.sent)
    await porch.errands.run_all()

    (mail,) = porch.mailer.sent
    assert before == []
    assert mail.to == BOB
    assert 'Ada invites you to the team "Acme"' in mail.text
    assert f"{URL}/invitation#token=" in mail.text
    assert sent.link is None
    invitation = sent.invitation
    assert (invitation.email, invitation.role, invitation.invited_by) == (
        BOB,
        Role.EDITOR,
        USER_ID,
    )
    assert invitation.status(START) is InvitationStatus.PENDING
    assert porch.actions == ["invitation.created"]


async def test_a_key_that_invites_is_not_named(porch: Porch) -> None:
    await invited(porch, by=an_actor())

    assert 'Somebody invites you to the team "Acme"' in porch.mailer.sent[0].text


async def test_where_no_mail_is_sent_the_inviter_hands_the_link_over(porch: Porch) -> None:
    porch.mailer = RecordingMailer(is_there=False)

    sent = await invited(porch)

    assert sent.link is not None
    token = sent.link.removeprefix(f"{URL}/invitation#token=")
    assert (await accepted(porch, token)).user.email == BOB


@pytest.mark.parametrize("role", [Role.EDITOR, Role.MEMBER, Role.VIEWER])
async def test_only_who_manages_members_invites(porch: Porch, role: Role) -> None:
    actor = somebody(role)

    with pytest.raises(ForbiddenError):
        await invited(porch, by=actor, role=Role.VIEWER)
    with pytest.raises(ForbiddenError):
        await porch.list(ListInvitationsQuery(actor=actor, page=PageRequest()))


async def test_nobody_invites_as_more_than_himself(porch: Porch) -> None:
    admin = somebody(Role.ADMIN)

    with pytest.raises(RoleExceededError):
        await invited(porch, by=admin, role=Role.OWNER)
    await invited(porch, by=admin, role=Role.ADMIN)
    await invited(porch, by=somebody(Role.OWNER), role=Role.OWNER, email="eve@example.com")


async def test_an_admin_does_not_get_at_the_invitation_of_an_owner(porch: Porch) -> None:
    sent = await invited(porch, role=Role.OWNER)
    admin, invitation_id = somebody(Role.ADMIN), sent.invitation.id

    with pytest.raises(RoleExceededError):
        await porch.resend(ResendInvitationCommand(actor=admin, invitation_id=invitation_id))
    with pytest.raises(RoleExceededError):
        await porch.revoke(RevokeInvitationCommand(actor=admin, invitation_id=invitation_id))
    with pytest.raises(RoleExceededError):
        await invited(porch, by=admin)


async def test_who_is_a_member_is_not_invited(porch: Porch) -> None:
    has_bob(porch)
    membership = a_membership(user_id=BOB_ID, role=Role.VIEWER)
    porch.state.memberships[TEAM_ID, BOB_ID] = membership

    with pytest.raises(AlreadyMemberError):
        await invited(porch)


async def test_a_new_invitation_replaces_an_open_one(porch: Porch) -> None:
    first = await invited(porch)
    second = await invited(porch, role=Role.VIEWER)

    page = await porch.list(ListInvitationsQuery(actor=somebody(), page=PageRequest()))

    assert [(i.id, i.status(START)) for i in page.items] == [
        (second.invitation.id, InvitationStatus.PENDING),
        (first.invitation.id, InvitationStatus.REVOKED),
    ]
    with pytest.raises(InvitationInvalidError):
        await accepted(porch, porch.token_in(0))
    assert porch.actions == ["invitation.created", "invitation.revoked", "invitation.created"]


async def test_the_invited_sees_what_it_is_to(porch: Porch) -> None:
    await invited(porch)
    before = await porch.inspect(InspectInvitationQuery(token=porch.token_in()))
    has_bob(porch)
    after = await porch.inspect(InspectInvitationQuery(token=porch.token_in()))

    assert (before.team_name, before.email, before.role) == ("Acme", BOB, Role.MEMBER)
    assert before.expires_at == START + INVITATION_LIVES
    assert (before.has_account, after.has_account) == (False, True)


async def test_who_is_new_gets_an_account_and_a_place(porch: Porch) -> None:
    await invited(porch, role=Role.EDITOR)

    joined = await accepted(porch, porch.token_in())

    assert (joined.user.email, joined.user.display_name) == (BOB, "Bob")
    assert joined.user.password_hash == f"hash:{PASSWORD}"
    assert not joined.user.is_operator
    assert porch.state.users[joined.user.id] == joined.user
    assert porch.state.memberships[TEAM_ID, joined.user.id].role is Role.EDITOR
    assert porch.actions == ["invitation.created", "user.created", "invitation.accepted"]


async def test_without_a_name_it_is_what_stands_before_the_at(porch: Porch) -> None:
    await invited(porch)

    joined = await accepted(porch, porch.token_in(), display_name=None)

    assert joined.user.display_name == "bob"


async def test_an_invitation_is_accepted_once(porch: Porch) -> None:
    sent = await invited(porch)
    await accepted(porch, porch.token_in())

    with pytest.raises(InvitationInvalidError):
        await accepted(porch, porch.token_in())
    with pytest.raises(InvitationInvalidError):
        await porch.inspect(InspectInvitationQuery(token=porch.token_in()))
    with pytest.raises(InvitationClosedError):
        await porch.revoke(
            RevokeInvitationCommand(actor=somebody(), invitation_id=sent.invitation.id)
        )


async def test_of_two_who_accept_at_once_one_joins(porch: Porch) -> None:
    await invited(porch)

    results = await asyncio.gather(
        accepted(porch, porch.token_in()),
        accepted(porch, porch.token_in()),
        return_exceptions=True,
    )

    assert sum(isinstance(result, Joined) for result in results) == 1
    assert len(porch.state.users) == 2


async def test_who_has_an_account_gives_its_password(porch: Porch) -> None:
    bob = has_bob(porch)
    await invited(porch)

    with pytest.raises(LoginFailedError):
        await accepted(porch, porch.token_in(), password="another password")
    joined = await accepted(porch, porch.token_in(), display_name="Somebody else")

    assert joined.user == bob
    assert porch.state.memberships[TEAM_ID, BOB_ID].role is Role.MEMBER
    assert porch.actions == ["invitation.created", "invitation.accepted"]


async def test_who_has_an_account_may_have_a_session_instead(porch: Porch) -> None:
    has_bob(porch)
    await invited(porch)
    bob = somebody(Role.VIEWER, team_id=OTHER_TEAM_ID, user_id=BOB_ID)

    await accepted(porch, porch.token_in(), password=None, actor=bob)

    assert (TEAM_ID, BOB_ID) in porch.state.memberships


@pytest.mark.parametrize(
    "actor",
    [None, somebody(), an_actor(user_id=BOB_ID)],
    ids=["nobody", "another person", "a key"],
)
async def test_nobody_else_accepts_for_an_account(porch: Porch, actor: Actor | None) -> None:
    has_bob(porch)
    await invited(porch)

    with pytest.raises(InvitationForAnotherError):
        await accepted(porch, porch.token_in(), password=None, actor=actor)


async def test_another_persons_session_makes_no_account(porch: Porch) -> None:
    await invited(porch)

    with pytest.raises(InvitationForAnotherError):
        await accepted(porch, porch.token_in(), password=None, actor=somebody())


async def test_a_deactivated_account_does_not_join(porch: Porch) -> None:
    has_bob(porch, is_active=False)
    await invited(porch)

    with pytest.raises(LoginFailedError):
        await accepted(porch, porch.token_in())


@pytest.mark.parametrize(
    ("fields", "param"),
    [({"password": "short"}, "password"), ({"display_name": " "}, "display_name")],
)
async def test_what_is_wrong_is_named_and_costs_no_invitation(
    porch: Porch, fields: dict[str, str], param: str
) -> None:
    await invited(porch)

    with pytest.raises(InvalidError) as caught:
        await accepted(porch, porch.token_in(), **fields)

    assert caught.value.param == param
    await accepted(porch, porch.token_in())


async def test_an_invitation_lives_for_seven_days(porch: Porch) -> None:
    sent = await invited(porch)
    porch.clock.advance(INVITATION_LIVES.total_seconds())

    assert sent.invitation.status(porch.clock.now()) is InvitationStatus.EXPIRED
    with pytest.raises(InvitationInvalidError):
        await accepted(porch, porch.token_in())


async def test_sending_again_gives_a_new_link_and_new_days(porch: Porch) -> None:
    sent = await invited(porch)
    porch.clock.advance(INVITATION_LIVES.total_seconds())

    await porch.resend(ResendInvitationCommand(actor=somebody(), invitation_id=sent.invitation.id))
    await porch.errands.run_all()

    with pytest.raises(InvitationInvalidError):
        await accepted(porch, porch.token_in(0))
    await accepted(porch, porch.token_in(1))
    assert porch.actions[:2] == ["invitation.created", "invitation.renewed"]


async def test_a_revoked_invitation_is_worth_nothing(porch: Porch) -> None:
    sent = await invited(porch)
    command = RevokeInvitationCommand(actor=somebody(), invitation_id=sent.invitation.id)

    await porch.revoke(command)

    with pytest.raises(InvitationInvalidError):
        await accepted(porch, porch.token_in())
    with pytest.raises(InvitationClosedError):
        await porch.resend(
            ResendInvitationCommand(actor=somebody(), invitation_id=sent.invitation.id)
        )
    assert porch.actions == ["invitation.created", "invitation.revoked"]


@pytest.mark.parametrize("loss", ["demoted", "outranked", "removed", "deactivated"])
async def test_the_invitation_of_who_may_invite_no_more_is_worth_nothing(
    porch: Porch, loss: str
) -> None:
    role = Role.ADMIN if loss == "outranked" else Role.MEMBER
    await invited(porch, role=Role.OWNER if loss == "outranked" else Role.MEMBER)
    if loss == "removed":
        del porch.state.memberships[TEAM_ID, USER_ID]
    elif loss == "deactivated":
        porch.has(a_user(is_active=False))
    else:
        porch.has(a_user(), a_membership(role=role))

    with pytest.raises(InvitationInvalidError):
        await porch.inspect(InspectInvitationQuery(token=porch.token_in()))
    with pytest.raises(InvitationInvalidError):
        await porch.accept(AcceptInvitationCommand(token=porch.token_in(), password=PASSWORD))

    assert BOB not in {user.email for user in porch.state.users.values()}


async def test_who_sends_an_invitation_again_vouches_for_it(porch: Porch) -> None:
    sent = await invited(porch)
    ada = UserId(uuid7_at(START, 62))
    porch.has(a_user(id=ada), a_membership(user_id=ada, role=Role.ADMIN))
    del porch.state.memberships[TEAM_ID, USER_ID]

    again = ResendInvitationCommand(
        actor=somebody(Role.ADMIN, user_id=ada), invitation_id=sent.invitation.id
    )
    await porch.resend(again)
    await porch.errands.run_all()
    joined = await porch.accept(AcceptInvitationCommand(token=porch.token_in(), password=PASSWORD))

    assert joined.membership.role is Role.MEMBER


async def test_another_teams_invitation_is_not_found(porch: Porch) -> None:
    porch.state.teams[OTHER_TEAM_ID] = a_team(id=OTHER_TEAM_ID)
    sent = await invited(porch)
    stranger = somebody(team_id=OTHER_TEAM_ID)

    with pytest.raises(InvitationNotFoundError):
        await porch.revoke(
            RevokeInvitationCommand(actor=stranger, invitation_id=sent.invitation.id)
        )
    with pytest.raises(InvitationNotFoundError):
        await porch.resend(
            ResendInvitationCommand(actor=stranger, invitation_id=sent.invitation.id)
        )
    page = await porch.list(ListInvitationsQuery(actor=stranger, page=PageRequest()))
    assert page.items == ()


async def test_a_guessed_token_is_refused_and_slowed_down(porch: Porch) -> None:
    for _ in range(30):
        with pytest.raises(InvitationInvalidError):
            await accepted(porch, "guessed")
    with pytest.raises(TooManyAttemptsError):
        await accepted(porch, "guessed")


async def test_the_password_of_an_account_is_not_guessed_by_an_invitation(porch: Porch) -> None:
    has_bob(porch)
    await invited(porch)

    for _ in range(10):
        with pytest.raises(LoginFailedError):
            await accepted(porch, porch.token_in(), password="a guessed password")
    with pytest.raises(TooManyAttemptsError):
        await accepted(porch, porch.token_in())


def test_no_secret_is_shown_of_an_acceptance() -> None:
    assert "canary" not in repr(AcceptInvitationCommand(token="canary", password="canary"))
