"""The part of ``stoa settings`` that is about what can change while the server runs."""

import sys
from collections.abc import Mapping
from typing import Any

import click

from adapters.http.settings.schemas import SettingGroups, SettingView
from application.operations.change_settings import ChangeSettings, ChangeSettingsCommand
from application.operations.list_settings import ListSettings, ListSettingsQuery
from application.operations.reencrypt_secrets import ReencryptSecrets
from domain.operations.runtime_setting import RuntimeSetting
from domain.operations.runtime_settings import REGISTRY
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.output import json_option, print_json, print_members, print_table
from entrypoints.cli.session import Session, run_session


@click.command("list")
@json_option
@click.pass_obj
def list_settings(invocation: Invocation, as_json: bool) -> None:
    """List the settings that can change at run time, with their values and sources.

    What is stored in the database wins over the environment, the environment over the default.
    """

    async def work(session: Session) -> SettingGroups:
        use_case = await session.get(ListSettings)
        return SettingGroups.of(await use_case(ListSettingsQuery(actor=session.actor)))

    shown = run_session(invocation, work)
    if as_json:
        print_json(shown)
        return
    print_table(
        ("group", "setting", "value", "source", "scope"),
        (
            (group.name, setting.name, setting.value, setting.source, setting.scope)
            for group in shown.groups
            for setting in group.settings
        ),
        fold=("value",),
    )


@click.command("get")
@click.argument("name")
@json_option
@click.pass_obj
def get_setting(invocation: Invocation, name: str, as_json: bool) -> None:
    """Show one setting of the run time, with what may stand there. Secrets are masked."""

    async def work(session: Session) -> SettingView:
        use_case = await session.get(ListSettings)
        (found,) = await use_case(ListSettingsQuery(actor=session.actor, name=name))
        return SettingView.of(found)

    _print(run_session(invocation, work), as_json=as_json)


@click.command("set")
@click.argument("name")
@click.argument("value", required=False)
@json_option
@click.pass_obj
def set_setting(invocation: Invocation, name: str, value: str | None, as_json: bool) -> None:
    """Change a setting at run time; the server obeys within a second.

    Without VALUE it is read from standard input, or asked for. A secret is only ever taken that
    way, since others on the machine see the arguments of a command.
    """
    given = given_value(REGISTRY.find(name), value)
    _print(_change(invocation, {name: given}), as_json=as_json)


@click.command("reset")
@click.argument("name")
@json_option
@click.pass_obj
def reset_setting(invocation: Invocation, name: str, as_json: bool) -> None:
    """Forget what is stored of a setting: the environment or the default holds again."""
    _print(_change(invocation, {REGISTRY.find(name).name: None}), as_json=as_json)


@click.command("reencrypt")
@json_option
@click.pass_obj
def reencrypt_secrets(invocation: Invocation, as_json: bool) -> None:
    """Encrypt all stored secrets with the present secret key.

    To replace the key, set STOA_SECRET_KEY to the new one and STOA_SECRET_KEY_PREVIOUS to the old,
    restart, run this, and remove STOA_SECRET_KEY_PREVIOUS.
    """

    async def work(session: Session) -> int:
        reencrypt = await session.get(ReencryptSecrets)
        return await reencrypt(session.actor)

    changed = run_session(invocation, work)
    if as_json:
        print_json({"reencrypted": changed})
        return
    click.echo(f"Secrets encrypted anew: {changed}.")


def _change(invocation: Invocation, values: Mapping[str, object]) -> SettingView:
    async def work(session: Session) -> SettingView:
        change = await session.get(ChangeSettings)
        (changed,) = await change(ChangeSettingsCommand(actor=session.actor, values=values))
        return SettingView.of(changed)

    return run_session(invocation, work)


def given_value(setting: RuntimeSetting[Any], argument: str | None) -> str:
    """The argument, else what is typed or comes on standard input. Raises ``UsageError`` for a
    secret as an argument."""
    if argument is not None:
        if setting.secret:
            raise click.UsageError(f"'{setting.name}' is a secret: give it on standard input.")
        return argument
    if sys.stdin.isatty():
        answer: str = click.prompt(setting.name, hide_input=setting.secret, err=True)
        return answer
    return sys.stdin.read().strip()


def _print(setting: SettingView, *, as_json: bool) -> None:
    if as_json:
        print_json(setting)
        return
    print_members(
        (
            ("setting", setting.name),
            ("value", setting.value),
            ("source", setting.source),
            ("default", setting.default),
            ("may be", setting.expected),
            ("scope", setting.scope),
            ("needs a restart", setting.needs_restart),
            ("variable", setting.variable),
            ("about", setting.description),
        )
    )
