from dishka import AsyncContainer, Scope

from application.identity.found_first_team import FoundFirstTeam, ShowKey
from application.identity.joining.offer_setup import OfferSetup
from entrypoints.welcome import Welcome


async def first_run(container: AsyncContainer, show: ShowKey) -> Welcome:
    """Do what a fresh server needs; on another one there is nothing to do, and to show."""
    async with container(scope=Scope.REQUEST) as request:
        found_first_team = await request.get(FoundFirstTeam)
        offer_setup = await request.get(OfferSetup)
        await found_first_team(show)
        return Welcome(setup_token=await offer_setup())
