from dataclasses import dataclass

from application.identity.joining.ports import JoiningUnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSetup:
    """Says whether the server still waits for a person to own it."""

    uow: JoiningUnitOfWork

    async def __call__(self) -> bool:
        async with self.uow as tx:
            team = await tx.teams.first()
            return team is not None and not await tx.setup_tokens.has_owner(team.id)
