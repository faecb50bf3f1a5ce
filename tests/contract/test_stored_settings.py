"""What every store of settings has to keep."""

import asyncio

import pytest

from application.operations.ports import Sealed, StoredSetting
from domain.shared.ids import TeamId
from tests.builders import OTHER_TEAM_ID, TEAM_ID, a_team
from tests.fakes.secret_box import ReversibleSecretBox
from tests.fixtures.patience import PATIENCE_S
from tests.fixtures.stores import IdentityStore


@pytest.fixture
async def store(identity: IdentityStore) -> IdentityStore:
    """With two teams."""
    async with identity.unit_of_work() as tx:
        await tx.teams.add(a_team())
        await tx.teams.add(a_team(id=OTHER_TEAM_ID))
        await tx.commit()
    return identity


def a_setting(
    team_id: TeamId | None = None, name: str = "cache_disable_all", value: str | Sealed = "true"
) -> StoredSetting:
    return StoredSetting(team_id=team_id, name=name, value=value)


def of_team(name: str = "enable_tools", team_id: TeamId = TEAM_ID) -> StoredSetting:
    return a_setting(team_id, name, "false")


async def put(store: IdentityStore, *settings: StoredSetting) -> None:
    async with store.unit_of_work() as tx:
        for setting in settings:
            await tx.settings.put(setting)
        await tx.commit()


async def stored(store: IdentityStore, team_id: TeamId | None) -> list[StoredSetting]:
    async with store.unit_of_work() as tx:
        return list(await tx.settings.of(team_id))


async def test_settings_come_back_as_they_were_by_owner_and_name(store: IdentityStore) -> None:
    await put(store, a_setting(), of_team("enable_tools"), of_team("content_capture"))
    await put(store, of_team(team_id=OTHER_TEAM_ID))

    assert await stored(store, None) == [a_setting()]
    assert await stored(store, TEAM_ID) == [of_team("content_capture"), of_team("enable_tools")]
    assert await stored(store, OTHER_TEAM_ID) == [of_team(team_id=OTHER_TEAM_ID)]


@pytest.mark.parametrize("team_id", [None, TEAM_ID])
async def test_a_later_value_replaces_an_earlier_one(
    store: IdentityStore, team_id: TeamId | None
) -> None:
    name = "cache_disable_all" if team_id is None else "enable_tools"

    await put(store, a_setting(team_id, name, "true"))
    await put(store, a_setting(team_id, name, "false"))

    assert await stored(store, team_id) == [a_setting(team_id, name, "false")]


@pytest.mark.parametrize("team_id", [None, TEAM_ID])
async def test_what_is_removed_is_gone_and_nothing_else(
    store: IdentityStore, team_id: TeamId | None
) -> None:
    names = ("retention_calls_days", "cache_disable_all")
    if team_id is not None:
        names = ("enable_tools", "enable_retrieval")
    values = ("1", "true") if team_id is None else ("true", "true")
    await put(store, *(a_setting(team_id, n, v) for n, v in zip(names, values, strict=True)))

    async with store.unit_of_work() as tx:
        await tx.settings.remove(team_id, names[0])
        await tx.settings.remove(team_id, "content_capture" if team_id else "retention_events_days")
        await tx.commit()

    assert [one.name for one in await stored(store, team_id)] == [names[1]]


async def test_what_is_not_committed_does_not_count(store: IdentityStore) -> None:
    async with store.unit_of_work() as tx:
        await tx.settings.put(a_setting())
        within = list(await tx.settings.of(None))

    assert within == [a_setting()]
    assert await stored(store, None) == []


async def test_sealed_values_are_told_from_others(store: IdentityStore) -> None:
    sealed = ReversibleSecretBox().seal("true", place=f"setting {TEAM_ID} enable_tools")
    await put(store, of_team("content_capture"), a_setting(TEAM_ID, "enable_tools", sealed))
    server = ReversibleSecretBox().seal("true", place="setting server cache_disable_all")
    await put(store, a_setting(value=server))

    async with store.unit_of_work() as tx:
        secrets = list(await tx.settings.secrets())

    by_owner = {(one.team_id, one.name): one.value for one in secrets}
    assert by_owner == {(None, "cache_disable_all"): server, (TEAM_ID, "enable_tools"): sealed}


@pytest.mark.parametrize("team_id", [None, TEAM_ID])
async def test_a_lock_keeps_others_waiting_to_the_end(
    store: IdentityStore, team_id: TeamId | None
) -> None:
    order = []

    async def change(number: int) -> None:
        async with store.unit_of_work() as tx:
            await tx.settings.lock(team_id)
            order.append(number)
            await asyncio.sleep(0.05)
            order.append(number)
            await tx.commit()

    await asyncio.gather(change(1), change(2))

    assert order in ([1, 1, 2, 2], [2, 2, 1, 1])


async def test_locks_of_different_owners_do_not_meet(store: IdentityStore) -> None:
    async with store.unit_of_work() as one, store.unit_of_work() as two:
        await one.settings.lock(None)
        async with asyncio.timeout(PATIENCE_S):
            await two.settings.lock(TEAM_ID)
