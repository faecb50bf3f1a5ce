import click

from entrypoints.cli.invocation import Invocation
from entrypoints.cli.output import json_option, print_json, print_table
from entrypoints.settings import Settings, about, shown_value, variable_of
from entrypoints.settings_loading import load_settings


@click.group()
def settings_command() -> None:
    """See the settings and where they come from."""


@settings_command.command("show")
@json_option
@click.pass_obj
def show_settings(invocation: Invocation, as_json: bool) -> None:
    """Show every setting, its value (secrets masked) and where the value comes from.

    An option wins over the environment, the environment over .env, .env over the default.
    """
    loaded = load_settings(overrides=invocation.overrides)
    items = [
        {
            "name": name,
            "variable": variable_of(name),
            "value": shown_value(name, loaded.settings),
            "source": loaded.sources[name],
            "secret": about(name).secret,
            "description": about(name).description,
        }
        for name in Settings.__struct_fields__
    ]
    if as_json:
        print_json({"items": items})
        return
    print_table(
        ("variable", "value", "source"),
        ((item["variable"], item["value"], item["source"]) for item in items),
    )
