from dataclasses import dataclass

from application.identity.joining.letters import (
    account_exists_letter,
    invitation_letter,
    registration_letter,
    reset_letter,
)
from application.identity.joining.links import Links
from application.operations.ports import Mailer


@dataclass(frozen=True, slots=True, kw_only=True)
class Postbox:
    """Sends people the links that tokens are in. Everything raises what a ``Mailer`` raises."""

    mailer: Mailer
    links: Links

    async def send_reset(self, email: str, *, secret: str) -> None:
        await self.mailer.send(reset_letter(email, link=self.links.password_reset(secret)))

    async def send_invitation(
        self, email: str, *, inviter: str | None, team: str, secret: str
    ) -> None:
        link = self.links.invitation(secret)
        await self.mailer.send(invitation_letter(email, inviter=inviter, team=team, link=link))

    async def send_registration(self, email: str, *, secret: str) -> None:
        await self.mailer.send(registration_letter(email, link=self.links.invitation(secret)))

    async def send_account_exists(self, email: str) -> None:
        await self.mailer.send(account_exists_letter(email, link=self.links.forgotten_password()))
