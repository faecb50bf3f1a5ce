import pytest

from application.operations.change_settings import ChangeSettings, ChangeSettingsCommand
from application.operations.list_settings import ListSettings, ListSettingsQuery
from application.operations.ports import Sealed, StoredCredentials
from application.operations.reencrypt_secrets import ReencryptSecrets
from application.operations.resolved_settings import ResolvedSetting, ValueSource
from application.shared.actor import Actor
from application.shared.auditing import Auditor
from domain.identity.permissions import Permission
from domain.models.served_model import ModelKind
from domain.operations.errors import SecretUnreadableError, SettingNotFoundError
from domain.operations.model_settings import DEFAULT_CHAT_MODEL
from domain.operations.runtime_setting import (
    RuntimeSetting,
    SettingGroup,
    SettingRegistry,
    SettingScope,
)
from domain.operations.runtime_settings import (
    CACHE_DISABLE_ALL,
    ENABLE_TOOLS,
    RETENTION_EVENTS_DAYS,
    RUNTIME_SETTINGS,
)
from domain.operations.setting_values import TextType
from domain.shared.errors import ForbiddenError, InvalidError
from tests.builders import OTHER_TEAM_ID, TEAM_ID, a_model, an_actor
from tests.fakes.clock import START, FrozenClock
from tests.fakes.ids import SequentialIds, uuid7_at
from tests.fakes.models import InMemoryModelCatalog
from tests.fakes.secret_box import ReversibleSecretBox
from tests.fakes.settings import InMemorySettings, InMemorySettingsUnitOfWork

TOKEN: RuntimeSetting[str | None] = RuntimeSetting(
    name="some_password",
    group=SettingGroup.CACHE,
    scope=SettingScope.TEAM,
    type=TextType(),
    default=None,
    description="",
    secret=True,
)
WITH_A_SECRET = SettingRegistry({**RUNTIME_SETTINGS, TOKEN.name: TOKEN})


class Desk:
    """The use cases of settings over fakes."""

    def __init__(self) -> None:
        self.secrets = ReversibleSecretBox()
        self.database = InMemorySettings({"retention_events_days": 7}, self.secrets, WITH_A_SECRET)
        self._clock, self._ids = FrozenClock(), SequentialIds()
        self._catalog = InMemoryModelCatalog(
            a_model(name="large"), a_model(name="vectors", kind=ModelKind.EMBEDDING)
        )

    @property
    def auditor(self) -> Auditor:
        return Auditor(clock=self._clock, ids=self._ids)

    async def change(self, actor: Actor | None = None, **values: object) -> list[ResolvedSetting]:
        use_case = ChangeSettings(
            uow=InMemorySettingsUnitOfWork(self.database),
            runtime=self.database.runtime,
            secrets=self.secrets,
            served=self._catalog,
            auditor=self.auditor,
            registry=WITH_A_SECRET,
        )
        command = ChangeSettingsCommand(actor=actor or an_actor(), values=values)
        return list(await use_case(command))

    async def show(self, name: str | None = None, actor: Actor | None = None) -> dict[str, object]:
        use_case = ListSettings(
            uow=InMemorySettingsUnitOfWork(self.database),
            runtime=self.database.runtime,
            registry=WITH_A_SECRET,
        )
        query = ListSettingsQuery(actor=actor or an_actor(), name=name)
        return {one.setting.name: (one.value, one.source) for one in await use_case(query)}

    async def reencrypt(self) -> int:
        use_case = ReencryptSecrets(
            uow=InMemorySettingsUnitOfWork(self.database),
            secrets=self.secrets,
            auditor=self.auditor,
        )
        return await use_case(an_actor())


PROVIDER_ID = uuid7_at(START, 9)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def an_actor_without(permission: Permission) -> Actor:
    return an_actor(permissions=frozenset(Permission) - {permission})


async def test_what_is_stored_wins_over_the_environment_and_that_over_the_default(
    desk: Desk,
) -> None:
    before = await desk.show()
    await desk.change(retention_events_days=3, enable_tools=False)
    after = await desk.show()

    assert before["retention_events_days"] == (7, ValueSource.ENVIRONMENT)
    assert before["enable_tools"] == (True, ValueSource.DEFAULT)
    assert after["retention_events_days"] == (3, ValueSource.DATABASE)
    assert after["enable_tools"] == (False, ValueSource.DATABASE)
    assert desk.database.runtime.get(RETENTION_EVENTS_DAYS) == 3
    assert not desk.database.runtime.get(ENABLE_TOOLS, TEAM_ID)


async def test_null_goes_back_to_what_lies_beneath(desk: Desk) -> None:
    await desk.change(retention_events_days=3)

    (reset,) = await desk.change(retention_events_days=None)

    assert (reset.value, reset.source) == (7, ValueSource.ENVIRONMENT)
    assert desk.database.runtime.get(RETENTION_EVENTS_DAYS) == 7


async def test_a_setting_of_a_team_is_nobody_elses(desk: Desk) -> None:
    await desk.change(enable_tools=False)

    assert (await desk.show(actor=an_actor(team_id=OTHER_TEAM_ID)))["enable_tools"] == (
        True,
        ValueSource.DEFAULT,
    )
    assert desk.database.runtime.get(ENABLE_TOOLS, OTHER_TEAM_ID)


async def test_a_setting_of_the_server_is_everybodys(desk: Desk) -> None:
    await desk.change(cache_disable_all=True)

    shown = await desk.show(actor=an_actor(team_id=OTHER_TEAM_ID))
    assert shown["cache_disable_all"] == (True, ValueSource.DATABASE)
    assert desk.database.runtime.get(CACHE_DISABLE_ALL)


async def test_one_wrong_value_refuses_all_and_each_is_named(desk: Desk) -> None:
    with pytest.raises(InvalidError) as refused:
        await desk.change(enable_tools=False, retention_calls_days=-1, nonsense=1)

    assert refused.value.param == "retention_calls_days"
    assert [error.field for error in refused.value.errors] == ["retention_calls_days", "nonsense"]
    assert desk.database.stored == {}
    assert desk.database.audit == []


@pytest.mark.parametrize("name", ["vectors", "unknown"])
async def test_a_default_model_has_to_be_served_and_of_its_kind(desk: Desk, name: str) -> None:
    with pytest.raises(InvalidError, match="served chat model"):
        await desk.change(default_chat_model=name)

    await desk.change(default_chat_model="large")
    assert desk.database.runtime.get(DEFAULT_CHAT_MODEL, TEAM_ID) == "large"


async def test_each_change_is_on_record_with_old_and_new(desk: Desk) -> None:
    await desk.change(retention_events_days=3)
    await desk.change(retention_events_days=None)

    changed, reset = desk.database.audit
    assert (changed.action, changed.target_type, changed.target_id) == (
        "setting.changed",
        "setting",
        "retention_events_days",
    )
    assert changed.before == {"value": 7, "source": "environment"}
    assert changed.after == {"value": 3, "source": "database"}
    assert (reset.action, reset.before, reset.after) == (
        "setting.reset",
        changed.after,
        changed.before,
    )


async def test_what_changes_nothing_is_not_on_record(desk: Desk) -> None:
    await desk.change(retention_events_days=3)

    await desk.change(retention_events_days=3, enable_tools=None)

    assert len(desk.database.audit) == 1


@pytest.mark.parametrize(
    ("name", "permission"),
    [
        ("enable_tools", Permission.MANAGE_SETTINGS),
        ("cache_disable_all", Permission.MANAGE_SERVER),
    ],
)
async def test_each_scope_has_its_permission(desk: Desk, name: str, permission: Permission) -> None:
    with pytest.raises(ForbiddenError):
        await desk.change(an_actor_without(permission), **{name: True})

    others = {Permission.MANAGE_SETTINGS, Permission.MANAGE_SERVER} - {permission}
    for other in others:
        await desk.change(an_actor_without(other), **{name: False})
    assert desk.database.stored


async def test_reading_needs_the_permission(desk: Desk) -> None:
    with pytest.raises(ForbiddenError):
        await desk.show(actor=an_actor_without(Permission.READ_SETTINGS))


async def test_one_setting_can_be_asked_for(desk: Desk) -> None:
    assert list(await desk.show("enable_tools")) == ["enable_tools"]
    with pytest.raises(SettingNotFoundError):
        await desk.show("nonsense")


async def test_what_another_version_stored_and_this_one_does_not_take_does_not_hold(
    desk: Desk,
) -> None:
    await desk.change(retention_events_days=3)
    desk.database.make(None, "retention_events_days", "ages")

    assert (await desk.show())["retention_events_days"] == (7, ValueSource.ENVIRONMENT)


async def test_a_secret_is_stored_sealed_and_shown_masked(desk: Desk) -> None:
    before = (await desk.show())["some_password"]

    (changed,) = await desk.change(some_password="hunter2")

    assert before == (None, ValueSource.DEFAULT)
    assert (changed.value, changed.is_set) == ("[MASKED]", True)
    assert (await desk.show())["some_password"] == ("[MASKED]", ValueSource.DATABASE)
    assert desk.database.runtime.get(TOKEN, TEAM_ID) == "hunter2"
    (stored,) = desk.database.stored.values()
    assert isinstance(stored.value, Sealed)


async def test_every_change_of_a_secret_is_on_record_without_the_secret(desk: Desk) -> None:
    await desk.change(some_password="hunter2")
    await desk.change(some_password="hunter3")
    await desk.change(some_password=None)

    first, second, reset = desk.database.audit
    assert (first.before, first.after) == (
        {"secret_value": None, "source": "default"},
        {"secret_value": "[MASKED]", "source": "database"},
    )
    assert (second.before, second.after) == ({"secret_value": "[MASKED]"},) * 2
    assert reset.after == first.before
    assert "hunter" not in str(desk.database.audit)


async def test_a_wrong_secret_is_refused_without_repeating_it(desk: Desk) -> None:
    with pytest.raises(InvalidError) as refused:
        await desk.change(some_password="two\nlines")

    assert "lines" not in str(refused.value) + str(refused.value.errors)


async def test_a_secret_that_cannot_be_read_can_be_replaced(desk: Desk) -> None:
    lost = ReversibleSecretBox("lost").seal("x", place=f"setting {TEAM_ID} some_password")
    desk.database.make(TEAM_ID, "some_password", lost)

    (changed,) = await desk.change(some_password="hunter2")

    assert changed.value == "[MASKED]"
    assert desk.database.runtime.get(TOKEN, TEAM_ID) == "hunter2"


async def test_secrets_are_encrypted_anew_with_the_present_key(desk: Desk) -> None:
    old = ReversibleSecretBox("old")
    for team_id in (None, TEAM_ID):
        place = f"setting {team_id or 'server'} some_password"
        desk.database.make(team_id, "some_password", old.seal("hunter2", place=place))
    desk.secrets = ReversibleSecretBox("new", "old")
    desk.database.secrets = desk.secrets

    changed = [await desk.reencrypt(), await desk.reencrypt()]

    assert changed == [2, 0]
    only_new = ReversibleSecretBox("new")
    for stored in desk.database.stored.values():
        assert isinstance(stored.value, Sealed)
        assert only_new.open(stored.value, place=stored.place) == "hunter2"
    (entry,) = desk.database.audit
    assert (entry.action, entry.after) == ("secrets.reencrypted", {"count": 2})


async def test_a_secret_that_no_key_opens_stops_the_rotation(desk: Desk) -> None:
    sealed = ReversibleSecretBox("lost").seal("x", place=f"setting {TEAM_ID} some_password")
    desk.database.make(TEAM_ID, "some_password", sealed)

    with pytest.raises(SecretUnreadableError):
        await desk.reencrypt()

    assert desk.database.audit == []


async def test_credentials_of_providers_are_encrypted_anew_in_their_place(desk: Desk) -> None:
    old = ReversibleSecretBox("old").seal("s3cret", place="provider acme")
    credentials = StoredCredentials(
        team_id=TEAM_ID, id=PROVIDER_ID, place="provider acme", sealed=old
    )
    desk.database.credentials[PROVIDER_ID] = credentials
    desk.secrets = ReversibleSecretBox("key", "old")

    changed = [await desk.reencrypt(), await desk.reencrypt()]

    sealed = desk.database.credentials[PROVIDER_ID].sealed
    assert changed == [1, 0]
    assert ReversibleSecretBox("key").open(sealed, place="provider acme") == "s3cret"
