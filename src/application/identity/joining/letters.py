"""What Stoa writes to people who join it or have forgotten their password."""

from domain.identity.joining.invitation import INVITATION_LIVES
from domain.identity.joining.password_reset import RESET_LIVES
from domain.operations.mail import Mail

_RESET_MINUTES = RESET_LIVES.seconds // 60

_RESET = f"""\
Somebody, probably you, wants to set a new password for your Stoa account.
Open this page within {_RESET_MINUTES} minutes to do so:

{{link}}

The page works once. If it was not you, there is nothing to do: your password
stays as it is.
"""

_INVITATION = f"""\
{{inviter}} invites you to the team "{{team}}" on Stoa.
Open this page within {INVITATION_LIVES.days} days to join:

{{link}}

If you do not know what this is about, there is nothing to do.
"""

_REGISTRATION = f"""\
Somebody, probably you, wants to join Stoa with this e-mail address.
Open this page within {INVITATION_LIVES.days} days to make your account:

{{link}}

If it was not you, there is nothing to do.
"""

_ACCOUNT_EXISTS = """\
Somebody, probably you, wants to join Stoa with this e-mail address. You have an
account already, so there is nothing to do but to log in. If you have forgotten
your password, you can set a new one here:

{link}

If it was not you, there is nothing to do.
"""


def reset_letter(to: str, *, link: str) -> Mail:
    return Mail(to=to, subject="Set a new password for Stoa", text=_RESET.format(link=link))


def invitation_letter(to: str, *, inviter: str | None, team: str, link: str) -> Mail:
    """``inviter`` is the display name of whoever invites, or ``None`` where it is no person."""
    text = _INVITATION.format(inviter=inviter or "Somebody", team=team, link=link)
    return Mail(to=to, subject="You are invited to Stoa", text=text)


def registration_letter(to: str, *, link: str) -> Mail:
    return Mail(to=to, subject="Join Stoa", text=_REGISTRATION.format(link=link))


def account_exists_letter(to: str, *, link: str) -> Mail:
    """``link`` leads to where a reset of the password can be asked for."""
    text = _ACCOUNT_EXISTS.format(link=link)
    return Mail(to=to, subject="You have a Stoa account", text=text)
