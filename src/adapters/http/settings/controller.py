from typing import Annotated

from dishka import FromDishka
from litestar import Controller, delete, get, patch
from litestar.di import NamedDependency
from litestar.params import PathParameter

from adapters.http.settings.schemas import SettingGroups, SettingValues, SettingView
from application.operations.change_settings import ChangeSettings, ChangeSettingsCommand
from application.operations.list_settings import ListSettings, ListSettingsQuery
from application.shared.actor import Actor
from domain.operations.runtime_settings import REGISTRY

NameParameter = Annotated[str, PathParameter(description="The name of a setting.")]


class SettingsController(Controller):
    path = "/settings"
    tags = ("operations",)

    @get(operation_id="list_settings", summary="List the runtime settings")
    async def list_settings(
        self, actor: NamedDependency[Actor], use_case: FromDishka[ListSettings]
    ) -> SettingGroups:
        """Shows the settings of the server and of the team, by group. What is stored wins over the
        environment, the environment over the default; `source` says which of them holds."""
        return SettingGroups.of(await use_case(ListSettingsQuery(actor=actor)))

    @patch(operation_id="change_settings", summary="Change runtime settings")
    async def change_settings(
        self,
        data: SettingValues,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ChangeSettings],
    ) -> SettingGroups:
        """Changes all settings that are given, or none; `null` goes back to what lies beneath.
        Answers those that were given, as they are now. Every node obeys within a second."""
        command = ChangeSettingsCommand(actor=actor, values=data)
        return SettingGroups.of(await use_case(command))

    @get("/{name:str}", operation_id="get_setting", summary="Show a runtime setting")
    async def get_setting(
        self, name: NameParameter, actor: NamedDependency[Actor], use_case: FromDishka[ListSettings]
    ) -> SettingView:
        """Shows one setting with its value, where that comes from, and what may stand there."""
        (found,) = await use_case(ListSettingsQuery(actor=actor, name=name))
        return SettingView.of(found)

    @delete("/{name:str}", operation_id="reset_setting", summary="Reset a runtime setting")
    async def reset_setting(
        self,
        name: NameParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ChangeSettings],
    ) -> None:
        """Forgets what is stored, so that the environment or the default holds again."""
        values = {REGISTRY.find(name).name: None}
        await use_case(ChangeSettingsCommand(actor=actor, values=values))
