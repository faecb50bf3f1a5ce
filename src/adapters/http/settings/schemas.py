from collections.abc import Iterable
from itertools import groupby
from typing import Annotated, Any, Self

from litestar.enums import RequestEncodingType
from litestar.openapi.spec import OpenAPIType, Schema
from litestar.params import BodyKwarg
from msgspec import Struct

from application.operations.resolved_settings import ResolvedSetting, ValueSource
from domain.operations.runtime_setting import SettingGroup, SettingScope
from domain.operations.setting_values import Bounds, json_of

SettingJson = bool | int | str | list[str] | dict[str, Any] | None
_PLAIN = (OpenAPIType.BOOLEAN, OpenAPIType.INTEGER, OpenAPIType.STRING)
_VALUE = Schema(
    one_of=[
        *(Schema(type=plain) for plain in _PLAIN),
        Schema(type=OpenAPIType.ARRAY, items=Schema(type=OpenAPIType.STRING)),
        Schema(type=OpenAPIType.OBJECT),
        Schema(type=OpenAPIType.NULL),
    ]
)
# The names are those of the settings. What is no value is left to the settings themselves to
# refuse, which know their names.
SettingValues = Annotated[
    dict[str, Any],
    BodyKwarg(media_type=RequestEncodingType.JSON, schema_extra={"additional_properties": _VALUE}),
]


class BoundsView(Struct, kw_only=True):
    """What may stand there; what does not apply is `null`."""

    minimum: int | None
    maximum: int | None
    max_length: int | None
    max_items: int | None
    choices: list[str] | None

    @classmethod
    def of(cls, bounds: Bounds) -> Self:
        return cls(
            minimum=bounds.minimum,
            maximum=bounds.maximum,
            max_length=bounds.max_length,
            max_items=bounds.max_items,
            choices=None if bounds.choices is None else list(bounds.choices),
        )


class SettingView(Struct, kw_only=True):
    """`value` is what holds, and where nothing is set `null`; that of a secret is `[MASKED]`."""

    name: str
    group: SettingGroup
    scope: SettingScope
    type: str
    value: SettingJson
    is_set: bool
    source: ValueSource
    default: SettingJson
    bounds: BoundsView
    expected: str
    secret: bool
    needs_restart: bool
    variable: str
    description: str

    @classmethod
    def of(cls, resolved: ResolvedSetting) -> Self:
        setting = resolved.setting
        return cls(
            name=setting.name,
            group=setting.group,
            scope=setting.scope,
            type=setting.type.name,
            value=json_of(resolved.value),
            is_set=resolved.is_set,
            source=resolved.source,
            default=json_of(setting.default),
            bounds=BoundsView.of(setting.type.bounds),
            expected=setting.type.expected,
            secret=setting.secret,
            needs_restart=setting.needs_restart,
            variable=setting.variable,
            description=setting.description,
        )


class SettingGroupView(Struct, kw_only=True):
    name: SettingGroup
    settings: list[SettingView]


class SettingGroups(Struct, kw_only=True):
    groups: list[SettingGroupView]

    @classmethod
    def of(cls, settings: Iterable[ResolvedSetting]) -> Self:
        order = list(SettingGroup)
        ordered = sorted(settings, key=lambda one: order.index(one.setting.group))
        return cls(
            groups=[
                SettingGroupView(name=name, settings=list(map(SettingView.of, members)))
                for name, members in groupby(ordered, key=lambda one: one.setting.group)
            ]
        )
