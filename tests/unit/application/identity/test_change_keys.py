import asyncio
from datetime import timedelta

import pytest

from application.identity.revoke_key import RevokeKeyCommand
from application.identity.update_key import UpdateKeyCommand
from domain.identity.errors import KeyNameTakenError, KeyNotFoundError, KeyRevokedError
from domain.identity.permissions import PERMISSIONS_OF, Role
from domain.shared.errors import ForbiddenError, InvalidError
from tests.builders import KEY_ID, OTHER_TEAM_ID, a_key, an_actor
from tests.fakes.clock import START
from tests.unit.application.identity.desk import Desk

TOMORROW = START + timedelta(days=1)


async def test_changes_what_is_given(desk: Desk) -> None:
    key = desk.has(a_key(name="ci"))

    changed = await desk.update(
        UpdateKeyCommand(
            actor=an_actor(),
            key_id=key.id,
            name="deploy",
            allowed_models=("gpt-*",),
            expires_at=TOMORROW,
        )
    )

    assert (changed.name, changed.allowed_models, changed.expires_at) == (
        "deploy",
        ("gpt-*",),
        TOMORROW,
    )
    assert desk.key(key.id) == changed


async def test_leaves_what_is_not_given(desk: Desk) -> None:
    key = desk.has(a_key(name="ci", allowed_models=("gpt-*",), expires_at=TOMORROW))

    changed = await desk.update(UpdateKeyCommand(actor=an_actor(), key_id=key.id))

    assert changed == key


async def test_takes_the_expiry_away(desk: Desk) -> None:
    key = desk.has(a_key(expires_at=TOMORROW))

    changed = await desk.update(UpdateKeyCommand(actor=an_actor(), key_id=key.id, expires_at=None))

    assert changed.expires_at is None


async def test_a_key_may_keep_its_name(desk: Desk) -> None:
    key = desk.has(a_key(name="ci"))

    changed = await desk.update(UpdateKeyCommand(actor=an_actor(), key_id=key.id, name="ci"))

    assert changed.name == "ci"


async def test_refuses_the_name_of_another_live_key(desk: Desk) -> None:
    desk.has(a_key(name="ci"))
    key = desk.has(a_key(name="deploy"))

    with pytest.raises(KeyNameTakenError):
        await desk.update(UpdateKeyCommand(actor=an_actor(), key_id=key.id, name="ci"))

    assert desk.key(key.id).name == "deploy"


async def test_a_wrong_value_changes_nothing(desk: Desk) -> None:
    key = desk.has(a_key(name="ci"))

    with pytest.raises(InvalidError):
        await desk.update(
            UpdateKeyCommand(
                actor=an_actor(), key_id=key.id, name="deploy", allowed_models=("gpt-?",)
            )
        )

    assert desk.key(key.id).name == "ci"


async def test_two_changes_at_once_are_both_kept(desk: Desk) -> None:
    key = desk.has(a_key(name="ci"))

    await asyncio.gather(
        desk.update(UpdateKeyCommand(actor=an_actor(), key_id=key.id, name="deploy")),
        desk.update(UpdateKeyCommand(actor=an_actor(), key_id=key.id, allowed_models=())),
    )

    assert (desk.key(key.id).name, desk.key(key.id).allowed_models) == ("deploy", ())


async def test_a_revoked_key_cannot_be_changed(desk: Desk) -> None:
    key = desk.has(a_key(revoked_at=START))

    with pytest.raises(KeyRevokedError):
        await desk.update(UpdateKeyCommand(actor=an_actor(), key_id=key.id, name="deploy"))


async def test_revokes_a_key_for_good(desk: Desk) -> None:
    key = desk.has(a_key())

    await desk.revoke(RevokeKeyCommand(actor=an_actor(), key_id=key.id))
    desk.clock.advance(60)
    await desk.revoke(RevokeKeyCommand(actor=an_actor(), key_id=key.id))

    assert desk.key(key.id).revoked_at == START


async def test_what_is_missing_or_another_teams_cannot_be_changed(desk: Desk) -> None:
    foreign = desk.has(a_key(team_id=OTHER_TEAM_ID))

    for key_id in (foreign.id, KEY_ID):
        with pytest.raises(KeyNotFoundError):
            await desk.update(UpdateKeyCommand(actor=an_actor(), key_id=key_id))
        with pytest.raises(KeyNotFoundError):
            await desk.revoke(RevokeKeyCommand(actor=an_actor(), key_id=key_id))

    assert desk.key(foreign.id).revoked_at is None


async def test_changing_keys_needs_the_permission(desk: Desk) -> None:
    key = desk.has(a_key())
    actor = an_actor(permissions=PERMISSIONS_OF[Role.VIEWER])

    with pytest.raises(ForbiddenError):
        await desk.update(UpdateKeyCommand(actor=actor, key_id=key.id, name="deploy"))
    with pytest.raises(ForbiddenError):
        await desk.revoke(RevokeKeyCommand(actor=actor, key_id=key.id))

    assert desk.key(key.id).revoked_at is None
