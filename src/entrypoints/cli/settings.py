import click

from application.shared.masking import MASK
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.output import json_option, print_json, print_table
from entrypoints.cli.runtime_settings import (
    get_setting,
    list_settings,
    reencrypt_secrets,
    reset_setting,
    set_setting,
)
from entrypoints.secret_key import kept_secret_key_file
from entrypoints.settings import Settings, about, shown_value, variable_of
from entrypoints.settings_loading import LoadedSettings, load_settings

KEPT = "data directory"


@click.group()
def settings_command() -> None:
    """See and change settings.

    `show` prints the settings of the process, which are read once at its start. The other commands
    are about the settings of the run time, which change while the server runs.
    """


for _command in (list_settings, get_setting, set_setting, reset_setting, reencrypt_secrets):
    settings_command.add_command(_command)


@settings_command.command("show")
@json_option
@click.pass_obj
def show_settings(invocation: Invocation, as_json: bool) -> None:
    """Show every setting of the process, its value (secrets masked) and where the value comes from.

    An option wins over the environment, the environment over .env, .env over the default. The
    secret key may also come from the data directory, where the first start leaves one.
    """
    loaded = load_settings(overrides=invocation.overrides)
    items = [_item(name, loaded) for name in Settings.__struct_fields__]
    if as_json:
        print_json({"items": items})
        return
    print_table(
        ("variable", "value", "source"),
        (
            (item["variable"], item["value"] or about(str(item["name"])).nothing, item["source"])
            for item in items
        ),
        fold=("value",),
    )


def _item(name: str, loaded: LoadedSettings) -> dict[str, object]:
    is_kept = name == "secret_key" and kept_secret_key_file(loaded.settings) is not None
    return {
        "name": name,
        "variable": variable_of(name),
        "value": MASK if is_kept else shown_value(name, loaded.settings),
        "source": KEPT if is_kept else loaded.sources[name],
        "secret": about(name).secret,
        "description": about(name).description,
    }
