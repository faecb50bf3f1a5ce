from datetime import timedelta

import pytest

from domain.identity.joining.errors import RoleExceededError
from domain.identity.joining.invitation import Invitation, InvitationStatus, check_grant
from domain.identity.permissions import Permission, Role, permissions_of
from domain.shared.errors import InvalidError
from domain.shared.ids import InvitationId
from tests.builders import TEAM_ID, USER_ID
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at


def an_invitation(email: str = "ada@example.com") -> Invitation:
    return Invitation.issue(
        id=InvitationId(uuid7_at(START, 80)),
        team_id=TEAM_ID,
        email=email,
        role=Role.MEMBER,
        secret="canary",
        invited_by=USER_ID,
        at=START,
    )


def test_the_address_is_normalised() -> None:
    assert an_invitation(" Ada@Example.COM ").email == "ada@example.com"
    with pytest.raises(InvalidError):
        an_invitation("nobody")


def test_revoking_twice_changes_nothing() -> None:
    invitation = an_invitation()
    invitation.revoke(START)

    invitation.revoke(START + timedelta(days=1))

    assert invitation.revoked_at == START
    assert invitation.status(START) is InvitationStatus.REVOKED
    assert not invitation.is_open


def test_the_secret_is_kept_as_a_hash_that_is_not_shown() -> None:
    invitation = an_invitation()

    assert invitation.secret_hash != b"canary"
    assert "secret_hash" not in repr(invitation)


@pytest.mark.parametrize("role", list(Role))
def test_everybody_may_make_others_what_he_is_himself(role: Role) -> None:
    check_grant(role, permissions_of(role))


def test_nobody_may_make_others_more_than_he_is_himself() -> None:
    with pytest.raises(RoleExceededError):
        check_grant(Role.OWNER, permissions_of(Role.ADMIN))
    with pytest.raises(RoleExceededError):
        check_grant(Role.VIEWER, frozenset({Permission.MANAGE_MEMBERS}))
