from dataclasses import dataclass

from application.identity.joining.ports import JoiningUnitOfWork
from application.shared.ports import Clock, IdGenerator, SecretGenerator
from domain.identity.joining.setup_token import KEPT_TOKENS, SetupToken
from domain.shared.ids import SetupTokenId


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferSetup:
    """While the first team has no person as owner, makes a token with which somebody can become
    the owner. Returns ``None`` when there is nothing to set up, so it may run at every start."""

    uow: JoiningUnitOfWork
    clock: Clock
    ids: IdGenerator
    secrets: SecretGenerator

    async def __call__(self) -> str | None:
        async with self.uow as tx:
            team = await tx.teams.first()
            if team is None or await tx.setup_tokens.has_owner():
                return None
            secret = self.secrets.token()
            token = SetupToken.issue(
                id=SetupTokenId(self.ids.new()), secret=secret, at=self.clock.now()
            )
            await tx.setup_tokens.add(token, keep=KEPT_TOKENS)
            await tx.commit()
        return secret
