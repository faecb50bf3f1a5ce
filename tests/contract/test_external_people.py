"""What every look-up of people by their external identity has to keep."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from adapters.postgres.engine import make_sessions
from adapters.postgres.identity.changes import IdentityChanges
from adapters.postgres.identity.external_people import CachedExternalPeople
from application.identity.external.ports import ExternalPeople, KnownPerson
from domain.identity.allowance import Limits, Subject, SubjectKind
from domain.identity.permissions import Role
from domain.shared.ids import UserId
from tests.builders import OTHER_TEAM_ID, TEAM_ID, a_membership, a_user
from tests.fakes.clock import START
from tests.fakes.external_people import InMemoryExternalPeople
from tests.fakes.ids import uuid7_at
from tests.fixtures.patience import PATIENCE_S
from tests.fixtures.stores import IdentityStore, MemoryIdentityStore, PostgresIdentityStore

pytestmark = pytest.mark.usefixtures("uow")

ISSUER = "https://id.example.com"
PERSON_ID = UserId(uuid7_at(START, 50))
PERSON = a_user(id=PERSON_ID, external_issuer=ISSUER, external_subject="s-1")


@pytest.fixture
async def people(identity: IdentityStore) -> AsyncIterator[ExternalPeople]:
    if isinstance(identity, MemoryIdentityStore):
        yield InMemoryExternalPeople(identity.database)
        return
    assert isinstance(identity, PostgresIdentityStore)
    changes = IdentityChanges(identity.url)
    found = CachedExternalPeople(make_sessions(identity.engine), changes)
    await changes.start()
    yield found
    await changes.stop()


async def join(identity: IdentityStore, *places: tuple[object, Role]) -> None:
    async with identity.unit_of_work() as tx:
        await tx.users.add(PERSON)
        for team_id, role in places:
            membership = a_membership(team_id=team_id, user_id=PERSON_ID, role=role)
            await tx.memberships.add(membership)
        await tx.commit()


async def becomes(people: ExternalPeople, expected: KnownPerson) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await people.find(ISSUER, "s-1") != expected:
            await asyncio.sleep(0.01)


def known(**fields: object) -> KnownPerson:
    person = KnownPerson(
        user_id=PERSON_ID, is_active=True, is_operator=False, team_id=TEAM_ID, role=Role.MEMBER
    )
    return replace(person, **fields)  # type: ignore[arg-type]  # what the test says


async def test_a_person_is_found_with_the_place_in_the_oldest_team(
    people: ExternalPeople, identity: IdentityStore
) -> None:
    await join(identity, (OTHER_TEAM_ID, Role.OWNER), (TEAM_ID, Role.MEMBER))

    assert await people.find(ISSUER, "s-1") == known()


async def test_the_same_subject_of_another_issuer_is_somebody_else(
    people: ExternalPeople, identity: IdentityStore
) -> None:
    await join(identity, (TEAM_ID, Role.MEMBER))

    assert await people.find("https://other.example.com", "s-1") is None
    assert await people.find(ISSUER, "S-1") is None


async def test_a_newcomer_is_found_at_once(people: ExternalPeople, identity: IdentityStore) -> None:
    before = await people.find(ISSUER, "s-1")

    await join(identity, (TEAM_ID, Role.MEMBER))

    assert before is None
    await becomes(people, known())


async def test_somebody_without_a_team_is_found(
    people: ExternalPeople, identity: IdentityStore
) -> None:
    await join(identity)

    assert await people.find(ISSUER, "s-1") == known(team_id=None, role=None)


async def test_changes_are_seen_at_once(people: ExternalPeople, identity: IdentityStore) -> None:
    await join(identity, (TEAM_ID, Role.MEMBER))
    await becomes(people, known())

    async with identity.unit_of_work() as tx:
        user = await tx.users.get(PERSON_ID)
        user.is_active = False
        await tx.users.save(user)
        await tx.commit()
    await becomes(people, known(is_active=False))

    async with identity.unit_of_work() as tx:
        await tx.memberships.save(a_membership(user_id=PERSON_ID, role=Role.VIEWER))
        await tx.commit()
    await becomes(people, known(is_active=False, role=Role.VIEWER))


async def test_what_bounds_the_person_comes_along(
    people: ExternalPeople, identity: IdentityStore
) -> None:
    await join(identity, (TEAM_ID, Role.MEMBER))
    async with identity.unit_of_work() as tx:
        for kind, subject_id in ((SubjectKind.TEAM, TEAM_ID), (SubjectKind.USER, PERSON_ID)):
            await tx.allowances.set_limits(TEAM_ID, Subject(kind, subject_id), Limits(rpm=5))
        bounding = await tx.allowances.bounding(TEAM_ID, PERSON_ID, None)
        await tx.commit()

    await becomes(people, known(allowances=bounding))
    assert len(bounding) == 2
