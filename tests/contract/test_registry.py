"""What every store of registries has to keep."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.inference.rows import calls
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from application.models.registry.ports import ModelFilter, RegistrySort, RegistryUnitOfWork
from application.operations.ports import Sealed
from application.shared.pagination import PageRequest
from domain.models.registry.errors import (
    ModelNameTakenError,
    ModelNotRegisteredError,
    ProviderInUseError,
    ProviderNameTakenError,
    ProviderNotFoundError,
    RouteNotFoundError,
)
from domain.models.registry.model import Model, ModelState, Visibility
from domain.models.registry.provider import Provider
from domain.models.route import (
    Arm,
    CachePolicy,
    GuardrailPolicy,
    RetryPolicy,
    RouteTimeouts,
    Split,
    SplitBy,
    Strategy,
    Target,
)
from domain.models.served_model import Capability, DeploymentLimits, ModelKind
from domain.shared.ids import TeamId
from tests.builders import OTHER_TEAM_ID, TEAM_ID, a_team
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at
from tests.fakes.registry import InMemoryRegistry, InMemoryRegistryUnitOfWork
from tests.registry_builders import a_provider, a_registered_model, a_registered_route

Store = Callable[[], RegistryUnitOfWork]
OWNER = TeamId(UUID(int=3))
PAGE = PageRequest()


@pytest.fixture
def memory_registry() -> Store:
    database = InMemoryRegistry()
    return lambda: InMemoryRegistryUnitOfWork(database)


@pytest.fixture
async def postgres_registry(database_url: str) -> AsyncIterator[Store]:
    engine = make_engine(database_url, pool_size=2, max_overflow=3)
    sessions = make_sessions(engine)
    async with PostgresUnitOfWork(sessions) as tx:
        await tx.teams.add(a_team())
        await tx.teams.add(a_team(id=OTHER_TEAM_ID))
        await tx.commit()
    yield lambda: PostgresUnitOfWork(sessions)
    await engine.dispose()


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> Store:
    store: Store = request.getfixturevalue(f"{request.param}_registry")
    return store


async def put(store: Store, provider: Provider, *models: Model) -> None:
    async with store() as tx:
        await tx.providers.add(provider)
        for model in models:
            await tx.models.add(model)
        await tx.commit()


async def test_providers_come_back_as_they_were(store: Store) -> None:
    whole = a_provider(
        configuration={"base_url": "https://a.example", "timeouts": {"connect": "2"}},
        credentials=("api_key",),
        sealed=b"\x00sealed",
        may_reach_private=True,
        is_enabled=False,
        updated_at=START + timedelta(seconds=1),
    )
    await put(store, whole)

    async with store() as tx:
        assert await tx.providers.get(TEAM_ID, whole.id) == whole
        assert await tx.providers.all(TEAM_ID) == (whole,)
        assert await tx.providers.all(OTHER_TEAM_ID) == ()


async def test_models_come_back_as_they_were(store: Store) -> None:
    provider = a_provider()
    whole = a_registered_model(
        provider,
        aliases=("big", "bigger"),
        capabilities=frozenset({Capability.TOOLS, Capability.IMAGES}),
        context_length=128_000,
        max_output_tokens=4_096,
        limits=DeploymentLimits(rpm=10, concurrency=2),
        visibility=Visibility.PUBLIC,
        state=ModelState.DISABLED,
        options={"temperature": {"max": 1}},
    )
    plain = a_registered_model(provider, name="plain", capabilities=frozenset())
    await put(store, provider, whole, plain)

    async with store() as tx:
        assert await tx.models.all(TEAM_ID) == (whole, plain)
        assert await tx.models.get(TEAM_ID, plain.id) == plain


async def test_routes_come_back_as_they_were(store: Store) -> None:
    whole = a_registered_route(
        aliases=("either",),
        targets=(Target(model="a", weight=3), Target(model="b", priority=1)),
        strategy=Strategy.WEIGHTED,
        fallbacks=("c",),
        retry=RetryPolicy(attempts=5, backoff_ms=1, max_backoff_ms=2),
        timeouts=RouteTimeouts(first_token=1.5),
        hedge_after_ms=100,
        health_check_s=30,
        split=Split(by=SplitBy.USER, arms=(Arm(name="x", model="a"), Arm(name="y", model="b"))),
        cache=CachePolicy(ttl_s=60, semantic_threshold=0.9),
        guardrails=GuardrailPolicy(denied=("no",), pii=("email",), output_schema={"type": "x"}),
        is_enabled=False,
    )
    async with store() as tx:
        await tx.routes.add(whole)
        await tx.commit()

    async with store() as tx:
        assert await tx.routes.all(TEAM_ID) == (whole,)
        assert await tx.routes.get(TEAM_ID, whole.id) == whole


async def test_what_is_saved_replaces_what_was(store: Store) -> None:
    provider = a_provider()
    model = a_registered_model(provider, aliases=("old",))
    await put(store, provider, model)
    newer = replace(provider, name="other"), replace(model, aliases=("new",), context_length=5)

    async with store() as tx:
        await tx.providers.save(newer[0])
        await tx.models.save(newer[1])
        await tx.commit()

    async with store() as tx:
        assert await tx.providers.all(TEAM_ID) == (newer[0],)
        assert await tx.models.all(TEAM_ID) == (newer[1],)


async def test_what_is_not_committed_does_not_count(store: Store) -> None:
    async with store() as tx:
        await tx.providers.add(a_provider())

    async with store() as tx:
        assert await tx.providers.all(TEAM_ID) == ()


async def test_what_is_another_teams_is_not_found(store: Store) -> None:
    provider = a_provider()
    model = a_registered_model(provider)
    route = a_registered_route()
    await put(store, provider, model)
    async with store() as tx:
        await tx.routes.add(route)
        await tx.commit()

    async with store() as tx:
        with pytest.raises(ProviderNotFoundError):
            await tx.providers.get(OTHER_TEAM_ID, provider.id)
        with pytest.raises(ModelNotRegisteredError):
            await tx.models.get(OTHER_TEAM_ID, model.id)
        with pytest.raises(RouteNotFoundError):
            await tx.routes.get(OTHER_TEAM_ID, route.id)
        with pytest.raises(ProviderNotFoundError):
            await tx.providers.save(replace(provider, team_id=OTHER_TEAM_ID))


async def test_a_model_of_another_teams_provider_cannot_be_stored(store: Store) -> None:
    provider = a_provider()
    await put(store, provider)

    async with store() as tx:
        with pytest.raises(ProviderNotFoundError):
            await tx.models.add(a_registered_model(provider, team_id=OTHER_TEAM_ID))


async def test_names_of_providers_are_unique_in_a_team(store: Store) -> None:
    await put(store, a_provider())
    await put(store, a_provider(team_id=OTHER_TEAM_ID))

    async with store() as tx:
        with pytest.raises(ProviderNameTakenError):
            await tx.providers.add(a_provider())


async def test_models_and_routes_share_their_names_and_aliases(store: Store) -> None:
    provider = a_provider()
    await put(store, provider, a_registered_model(provider, name="large", aliases=("big",)))

    for name, aliases in (("big", ()), ("huge", ("large",)), ("big", ("large",))):
        async with store() as tx:
            with pytest.raises(ModelNameTakenError):
                await tx.routes.add(a_registered_route(name=name, aliases=aliases))
        async with store() as tx:
            with pytest.raises(ModelNameTakenError):
                await tx.models.add(a_registered_model(provider, name=name, aliases=aliases))


async def test_the_same_name_may_be_another_teams_too(store: Store) -> None:
    provider, other = a_provider(), a_provider(team_id=OTHER_TEAM_ID)

    await put(store, provider, a_registered_model(provider))
    await put(store, other, a_registered_model(other))

    async with store() as tx:
        assert [one.team_id for one in await tx.models.all(OTHER_TEAM_ID)] == [OTHER_TEAM_ID]


async def test_what_is_removed_gives_its_names_back(store: Store) -> None:
    provider = a_provider()
    model = a_registered_model(provider, aliases=("big",))
    await put(store, provider, model)

    async with store() as tx:
        await tx.models.remove(model)
        await tx.routes.add(a_registered_route(name="big", aliases=("large",)))
        await tx.commit()

    async with store() as tx:
        assert await tx.models.all(TEAM_ID) == ()
        (route,) = await tx.routes.all(TEAM_ID)
        await tx.routes.remove(route)
        assert await tx.routes.all(TEAM_ID) == ()


async def test_a_provider_with_models_cannot_be_removed(store: Store) -> None:
    provider = a_provider()
    model = a_registered_model(provider)
    await put(store, provider, model)

    async with store() as tx:
        with pytest.raises(ProviderInUseError):
            await tx.providers.remove(provider)
    async with store() as tx:
        await tx.models.remove(model)
        await tx.providers.remove(provider)
        assert await tx.providers.all(TEAM_ID) == ()


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        (RegistrySort.NAME, ["a", "b", "c"]),
        (RegistrySort.NAME_DOWN, ["c", "b", "a"]),
        (RegistrySort.CREATED, ["c", "a", "b"]),
        (RegistrySort.UPDATED_DOWN, ["c", "b", "a"]),
    ],
)
async def test_lists_are_in_order_and_in_pages(
    store: Store, sort: RegistrySort, names: list[str]
) -> None:
    provider = a_provider()
    moments = {"a": 2, "b": 3, "c": 1}
    await put(
        store,
        provider,
        *(
            a_registered_model(provider, name=name, created_at=START + timedelta(seconds=moment))
            for name, moment in moments.items()
        ),
    )

    async with store() as tx:
        pages = [
            await tx.models.list(
                TEAM_ID, ModelFilter(), PageRequest(page=number, page_size=2), sort
            )
            for number in (1, 2, 3)
        ]

    assert [one.name for page in pages for one in page.items] == names
    assert {page.total for page in pages} == {3}


async def test_models_are_filtered(store: Store) -> None:
    provider, other = a_provider(), a_provider(name="other")
    chat = a_registered_model(provider, name="chat")
    vectors = a_registered_model(provider, name="vectors", kind=ModelKind.EMBEDDING)
    asleep = a_registered_model(other, name="asleep", state=ModelState.DISABLED)
    await put(store, provider, chat, vectors)
    await put(store, other, asleep)

    async def found(**where: object) -> list[str]:
        async with store() as tx:
            page = await tx.models.list(
                TEAM_ID,
                ModelFilter(**where),  # type: ignore[arg-type]  # Each is of its field's type.
                PAGE,
                RegistrySort.NAME,
            )
        return [one.name for one in page.items]

    assert await found(kind=ModelKind.EMBEDDING) == ["vectors"]
    assert await found(state=ModelState.DISABLED) == ["asleep"]
    assert await found(provider_id=provider.id) == ["chat", "vectors"]
    assert await found(provider_id=other.id, kind=ModelKind.EMBEDDING) == []


async def test_a_lock_keeps_others_waiting_to_the_end(store: Store) -> None:
    order: list[int] = []

    async def change(number: int) -> None:
        async with store() as tx:
            await tx.lock_registry(TEAM_ID)
            order.append(number)
            await asyncio.sleep(0.05)
            order.append(number)
            await tx.commit()

    await asyncio.gather(change(1), change(2))

    assert order in ([1, 1, 2, 2], [2, 2, 1, 1])


async def test_a_name_goes_to_whoever_commits_first(store: Store) -> None:
    provider = a_provider()
    await put(store, provider)

    async def take() -> str:
        async with store() as tx:
            await tx.lock_registry(TEAM_ID)
            try:
                await tx.models.add(a_registered_model(provider, aliases=("only",)))
            except ModelNameTakenError:
                return "taken"
            await tx.commit()
        return "mine"

    assert sorted(await asyncio.gather(take(), take(), take())) == ["mine", "taken", "taken"]


async def test_secrets_of_all_teams_are_found_and_replaced(database_url: str) -> None:
    """On Postgres alone: in memory they are those of the settings' store."""
    engine = make_engine(database_url)
    uow = PostgresUnitOfWork(make_sessions(engine))
    sealed, bare = a_provider(sealed=b"old", credentials=("api_key",)), a_provider(name="bare")
    async with uow as tx:
        await tx.teams.add(a_team())
        await tx.providers.add(sealed)
        await tx.providers.add(bare)
        (found,) = await tx.credentials.all()
        await tx.credentials.put(replace(found, sealed=Sealed(b"new")))
        now = await tx.providers.get(TEAM_ID, sealed.id)
    await engine.dispose()

    assert (found.place, found.sealed) == (sealed.place, Sealed(b"old"))
    assert now == replace(sealed, sealed=b"new")


# What was asked for, what it led to, who was to answer, whose call it is, and more of its row.
CALLS: dict[str, tuple[str, str | None, str | None, TeamId, dict[str, Any]]] = {
    "asked": ("asked", None, "acme", TEAM_ID, {}),
    "in flight": ("running", None, "acme", TEAM_ID, {"status": "open"}),
    "by an alias": ("aliased-too", None, "acme", TEAM_ID, {}),
    "by a route": ("way", "routed", "acme", TEAM_ID, {}),
    "refused": ("refused", None, None, TEAM_ID, {}),
    "by a former name": ("any", "before", "acme", TEAM_ID, {}),
    "tried in vain": ("way", "other", "acme", TEAM_ID, {"attempts": [{"model": "tried"}]}),
    "another's own": ("unused", None, "acme", OTHER_TEAM_ID, {}),
    "lent": ("once-public", None, "acme", OTHER_TEAM_ID, {"lenders": [TEAM_ID]}),
    "lent by a route": ("way", "behind", "acme", OTHER_TEAM_ID, {"lenders": [OWNER, TEAM_ID]}),
    "lent in vain": (
        "way",
        "mine",
        "acme",
        OTHER_TEAM_ID,
        {"lenders": [TEAM_ID], "attempts": [{"model": "x"}, {"model": "lent-before"}]},
    ),
    "lent by another": ("unused", None, "acme", OTHER_TEAM_ID, {"lenders": [OWNER]}),
}


async def test_a_model_was_called_if_the_ledger_of_any_team_says_so(partitioned_url: str) -> None:
    """On Postgres alone, which has the ledger."""
    engine = make_engine(partitioned_url)
    uow = PostgresUnitOfWork(make_sessions(engine))
    provider = a_provider()
    names = "asked running aliased routed refused renamed tried unused once-public behind lent-too"
    models = {
        name: a_registered_model(provider, name=name, aliases=(f"{name}-too",))
        for name in names.split()
    }
    models["renamed"] = replace(models["renamed"], former_names=("before", "way-before"))
    models["lent-too"] = replace(models["lent-too"], former_names=("lent-before",))
    async with uow as tx:
        await tx.teams.add(a_team())
        await tx.teams.add(a_team(id=OTHER_TEAM_ID))
        await tx.providers.add(provider)
        for model in models.values():
            await tx.models.add(model)
        await tx.commit()
    later = START + timedelta(seconds=1)
    async with engine.begin() as connection:
        for number, (asked, routed_to, answering, team_id, more) in enumerate(CALLS.values()):
            row = {
                "team_id": team_id,
                "id": uuid7_at(later, number),
                "correlation_id": "c",
                "endpoint": "/v1/chat/completions",
                "model": asked,
                "routed_to": routed_to,
                "provider": answering,
                "stream": False,
                "created_at": later,
                "status": "succeeded",
                "process": 1,
            }
            await connection.execute(calls.insert().values(row | more))

    async with uow as tx:
        called = {name for name, model in models.items() if await tx.models.was_called(model)}
    await engine.dispose()

    assert called == models.keys() - {"refused", "unused"}
