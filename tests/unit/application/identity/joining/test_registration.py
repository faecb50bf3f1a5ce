import pytest

from application.identity.joining.accept_invitation import AcceptInvitationCommand
from application.identity.joining.invite_member import InviteMemberCommand
from domain.identity.errors import TooManyAttemptsError
from domain.identity.joining.errors import RegistrationClosedError
from domain.identity.joining.registration import RegistrationPolicy, RegistrationRole
from domain.identity.permissions import Role
from domain.operations.audit import ActorKind
from domain.operations.runtime_settings import REGISTRATION_POLICY, REGISTRATION_ROLE
from domain.shared.errors import InvalidError
from domain.shared.ids import UserId
from tests.builders import TEAM_ID, a_membership, a_user, an_actor
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at
from tests.unit.application.identity.joining.porch import URL, Porch

EVE = "eve@example.com"


@pytest.fixture
def gate(porch: Porch) -> Porch:
    porch.settings.set(REGISTRATION_POLICY, RegistrationPolicy.OPEN)
    return porch


async def registered(porch: Porch, email: str = EVE) -> None:
    await porch.register(email)
    await porch.errands.run_all()


async def test_a_server_takes_no_registrations_unless_it_is_told_to(porch: Porch) -> None:
    with pytest.raises(RegistrationClosedError):
        await porch.register(EVE)

    assert porch.errands.waiting == []


async def test_who_registers_invites_himself(gate: Porch) -> None:
    await registered(gate, " Eve@example.com")
    joined = await gate.accept(
        AcceptInvitationCommand(token=gate.token_in(), password="correct horse battery")
    )

    assert joined.user.email == EVE
    assert (joined.membership.team_id, joined.membership.role) == (TEAM_ID, Role.MEMBER)
    assert gate.actions == ["invitation.created", "user.created", "invitation.accepted"]
    assert gate.state.audit[0].actor_kind is ActorKind.SYSTEM


async def test_the_setting_says_what_one_becomes(gate: Porch) -> None:
    gate.settings.set(REGISTRATION_ROLE, RegistrationRole.VIEWER)

    await registered(gate)

    (invitation,) = gate.state.invitations.values()
    assert (invitation.role, invitation.invited_by) == (Role.VIEWER, None)


async def test_the_answer_waits_for_nothing_that_tells_who_has_an_account(gate: Porch) -> None:
    gate.has(a_user(id=UserId(uuid7_at(START, 70)), email=EVE))

    await gate.register(EVE)
    await gate.register("nobody@example.com")

    assert gate.errands.waiting == ["registration"] * 2
    assert gate.state.invitations == {}


async def test_who_has_an_account_is_told_so_by_mail(gate: Porch) -> None:
    gate.has(a_user(id=UserId(uuid7_at(START, 70)), email=EVE))

    await registered(gate)

    (mail,) = gate.mailer.sent
    assert mail.to == EVE
    assert "You have an\naccount already" in mail.text
    assert f"{URL}/reset-password\n" in mail.text
    assert "token" not in mail.text
    assert gate.state.invitations == {}


async def test_an_invitation_that_is_open_keeps_its_role(gate: Porch) -> None:
    await gate.invite(InviteMemberCommand(actor=an_actor(), email=EVE, role=Role.ADMIN))
    await gate.errands.run_all()

    await registered(gate)

    (invitation,) = gate.state.invitations.values()
    assert invitation.role is Role.ADMIN
    joined = await gate.accept(
        AcceptInvitationCommand(token=gate.token_in(), password="correct horse battery")
    )
    assert joined.membership.role is Role.ADMIN


async def test_an_invitation_that_nobody_stands_behind_gives_way_to_a_registration(
    gate: Porch,
) -> None:
    await gate.invite(InviteMemberCommand(actor=an_actor(), email=EVE, role=Role.ADMIN))
    await gate.errands.run_all()
    gate.has(a_user(), a_membership(role=Role.MEMBER))

    await registered(gate)
    joined = await gate.accept(
        AcceptInvitationCommand(token=gate.token_in(), password="correct horse battery")
    )

    assert joined.membership.role is Role.MEMBER


async def test_what_is_no_address_is_refused(gate: Porch) -> None:
    with pytest.raises(InvalidError):
        await gate.register("nobody")


async def test_nobody_can_fill_a_mailbox(gate: Porch) -> None:
    for _ in range(5):
        await registered(gate)
    with pytest.raises(TooManyAttemptsError):
        await registered(gate)

    assert len(gate.mailer.sent) == 5
