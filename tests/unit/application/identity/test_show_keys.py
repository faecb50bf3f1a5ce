import pytest

from application.identity.find_key import FindKeyQuery
from application.identity.get_key import GetKeyQuery
from application.identity.list_keys import ListKeysQuery
from application.shared.pagination import PageRequest
from domain.identity.errors import KeyNotFoundError
from domain.identity.permissions import PERMISSIONS_OF, Role
from domain.shared.errors import ForbiddenError
from tests.builders import KEY_ID, OTHER_TEAM_ID, a_key, an_actor
from tests.fakes.clock import START
from tests.unit.application.identity.desk import Desk


async def test_lists_the_keys_of_the_team_newest_first(desk: Desk) -> None:
    old, new = desk.has(a_key()), desk.has(a_key(revoked_at=START))
    desk.has(a_key(team_id=OTHER_TEAM_ID))

    page = await desk.list(ListKeysQuery(actor=an_actor(), page=PageRequest()))

    assert page.items == (new, old)
    assert (page.total, page.page, page.page_size) == (2, 1, 20)


async def test_lists_one_page_at_a_time(desk: Desk) -> None:
    keys = [desk.has(a_key()) for _ in range(5)]
    request = PageRequest(page=2, page_size=2)

    page = await desk.list(ListKeysQuery(actor=an_actor(), page=request))

    assert page.items == (keys[2], keys[1])
    assert (page.total, page.total_pages) == (5, 3)


async def test_a_page_after_the_last_is_empty(desk: Desk) -> None:
    desk.has(a_key())

    page = await desk.list(ListKeysQuery(actor=an_actor(), page=PageRequest(page=2)))

    assert (page.items, page.total) == ((), 1)


async def test_shows_a_key(desk: Desk) -> None:
    key = desk.has(a_key())

    assert await desk.get(GetKeyQuery(actor=an_actor(), key_id=key.id)) == key


async def test_a_missing_key_or_another_teams_is_not_there(desk: Desk) -> None:
    foreign = desk.has(a_key(team_id=OTHER_TEAM_ID))

    for key_id in (foreign.id, KEY_ID):
        with pytest.raises(KeyNotFoundError):
            await desk.get(GetKeyQuery(actor=an_actor(), key_id=key_id))


async def test_finds_a_live_key_by_its_name(desk: Desk) -> None:
    desk.has(a_key(name="ci", revoked_at=START))
    desk.has(a_key(name="ci", team_id=OTHER_TEAM_ID))
    live = desk.has(a_key(name="ci"))

    assert await desk.find(FindKeyQuery(actor=an_actor(), reference="ci")) == live


async def test_finds_any_key_by_its_id(desk: Desk) -> None:
    revoked = desk.has(a_key(revoked_at=START))

    assert await desk.find(FindKeyQuery(actor=an_actor(), reference=str(revoked.id))) == revoked


@pytest.mark.parametrize("reference", ["ci", str(KEY_ID)])
async def test_finds_nothing_by_an_unknown_name_or_id(desk: Desk, reference: str) -> None:
    desk.has(a_key(name="ci", revoked_at=START))

    with pytest.raises(KeyNotFoundError):
        await desk.find(FindKeyQuery(actor=an_actor(), reference=reference))


async def test_seeing_keys_needs_the_permission(desk: Desk) -> None:
    actor = an_actor(permissions=PERMISSIONS_OF[Role.VIEWER])

    with pytest.raises(ForbiddenError):
        await desk.list(ListKeysQuery(actor=actor, page=PageRequest()))
    with pytest.raises(ForbiddenError):
        await desk.get(GetKeyQuery(actor=actor, key_id=KEY_ID))
    with pytest.raises(ForbiddenError):
        await desk.find(FindKeyQuery(actor=actor, reference="ci"))
