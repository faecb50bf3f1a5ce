from application.identity.session_ports import ExternalIdentities
from application.shared.actor import Actor
from domain.identity.errors import CredentialsInvalidError


class NoExternalIdentities(ExternalIdentities):
    """Nobody is vouched for by anybody else."""

    async def actor_of(self, token: str) -> Actor:
        raise CredentialsInvalidError
