from dataclasses import dataclass

from application.identity.joining.ports import JoiningUnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSetup:
    """Says whether the server still waits for a person to own it."""

    uow: JoiningUnitOfWork

    async def __call__(self) -> bool:
        async with self.uow as tx:
            return not await tx.setup_tokens.has_owner()
