"""Writes the references that can be read off the code, so that they cannot be wrong.

python scripts/generate_docs.py            write them
python scripts/generate_docs.py --check    fail when one of them is not current
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from msgspec import structs

from adapters.http.catalogue import ErrorEntry, error_catalogue
from adapters.http.kinds import problem_type
from domain.identity.permissions import (
    MEANINGS,
    PERMISSIONS_OF,
    SERVER_PERMISSIONS,
    Permission,
    Role,
)
from domain.operations.runtime_setting import RuntimeSetting, SettingGroup
from domain.operations.runtime_settings import RUNTIME_SETTINGS
from domain.operations.setting_values import text_of
from entrypoints.cli.failure import EXIT_CODES, FAILED_CHECKS
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.main import INTERRUPTED, stoa
from entrypoints.settings import CLIENT_VARIABLES, Settings, about, variable_of
from entrypoints.settings_values import describe_values

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"
NOTICE = "<!-- Written by scripts/generate_docs.py; do not edit. -->"
WIDTH = 96


def main() -> int:
    pages = {
        "settings.md": settings_page(),
        "runtime-settings.md": runtime_settings_page(),
        "cli.md": cli_page(),
        "exit-codes.md": exit_codes_page(),
        "errors.md": errors_page(),
        "permissions.md": permissions_page(),
    }
    if sys.argv[1:] == ["--check"]:
        return check(pages)
    if sys.argv[1:]:
        sys.stderr.write(f"usage: {sys.argv[0]} [--check]\n")
        return 2
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        (REFERENCE / name).write_text(text)
    sys.stdout.write(f"{len(pages)} pages written to {REFERENCE}.\n")
    return 0


def check(pages: dict[str, str]) -> int:
    stale = [
        name
        for name, text in pages.items()
        if not (REFERENCE / name).exists() or (REFERENCE / name).read_text() != text
    ]
    for name in stale:
        sys.stderr.write(f"docs/reference/{name} is not current: run `make docs`.\n")
    return 1 if stale else 0


def settings_page() -> str:
    rows = [
        f"| `{variable_of(field.name)}` | {about(field.name).description} "
        f"| {describe_values(field.type, about(field.name)).replace('|', '/')} "
        f"| {_default(field.name, field.default)} |"
        for field in structs.fields(Settings)
    ]
    client = [f"| `{name}` | {text} |" for name, text in CLIENT_VARIABLES.items()]
    return _page(
        "Settings",
        "Infrastructure settings are read once, when a process starts: an option of the command "
        "line wins over an environment variable, a variable over a line of `.env` in the current "
        "directory, and `.env` over the default. An empty variable counts as not set, and a line "
        "of `.env` is taken as it stands, without replacing variables in it.",
        "A variable that starts with `STOA_` and is neither in this table nor one of the [runtime "
        "settings](runtime-settings.md) stops the start, so that a "
        "mistyped name cannot go unnoticed. Names that start with `STOA_TEST_` belong to the "
        "tests. `stoa settings show` prints the value of each setting and where it comes from; "
        "secrets are masked.",
        "| Variable | What it does | Values | Default |\n| --- | --- | --- | --- |\n"
        + "\n".join(rows),
        "With `STOA_ENVIRONMENT=production` a random `STOA_SECRET_KEY` of at least 32 characters "
        "is required (`openssl rand -hex 32` makes one).",
        "Commands that talk to a server read one more:",
        "| Variable | What it is |\n| --- | --- |\n" + "\n".join(client),
    )


def runtime_settings_page() -> str:
    groups = dict.fromkeys(setting.group for setting in RUNTIME_SETTINGS.values())
    return _page(
        "Runtime settings",
        "These change while the server runs, over `/api/v1/settings`, with `stoa settings "
        "list|get|set|reset`, and every node obeys within a second. What is stored in the database "
        "wins over the environment variable, the variable over the default; each answer says which "
        "of them holds. A setting of scope `team` has a value for each team and needs the "
        "permission `settings.manage`; one of scope `server` has one for all and needs "
        "`server.manage`. Every change is in the audit log, with the old value and the new one.",
        "A variable is read when a process starts, from the environment or `.env`. Lists are JSON "
        "arrays, or items with commas between them. Secrets are stored encrypted with a key that "
        "is derived from `STOA_SECRET_KEY`, and never shown.",
        *(part for group in groups for part in _setting_group(group)),
        "## Replacing the secret key",
        "Set `STOA_SECRET_KEY` to the new key and `STOA_SECRET_KEY_PREVIOUS` to the old one on "
        "every node, restart them, run `stoa settings reencrypt`, and remove "
        "`STOA_SECRET_KEY_PREVIOUS`. A secret that neither key opens is an error with the code "
        "`SECRET_UNREADABLE` where it is needed; set it again.",
    )


def _setting_group(group: SettingGroup) -> tuple[str, str]:
    rows = [
        f"| `{setting.name}` | {setting.description}{_remarks(setting)} | {setting.scope} "
        f"| {setting.type.expected.replace('|', '/')} | {_default_of(setting)} "
        f"| `{setting.variable}` |"
        for setting in RUNTIME_SETTINGS.values()
        if setting.group is group
    ]
    head = "| Setting | What it does | Scope | Must be | Default | Variable |\n"
    title = str(group).replace("_", " ").capitalize()
    return f"## {title}", head + "| --- | --- | --- | --- | --- | --- |\n" + "\n".join(rows)


def _remarks(setting: RuntimeSetting[Any]) -> str:
    remarks = " A secret." if setting.secret else ""
    return remarks + (" Takes a restart." if setting.needs_restart else "")


def _default_of(setting: RuntimeSetting[Any]) -> str:
    none = setting.default in (None, ())
    return "not set" if none else f"`{text_of(setting.default)}`"


def cli_page() -> str:
    root = click.Context(
        stoa,
        info_name="stoa",
        obj=Invocation(),
        terminal_width=WIDTH,
        **stoa.context_settings,
    )
    sections = [
        f"## `{context.command_path}`\n\n```text\n{_help(context)}\n```" for context in _walk(root)
    ]
    return _page(
        "Command line",
        "Every command explains itself with `--help`. Commands that print data take `--json`; "
        "[exit codes](exit-codes.md) tell scripts what happened.",
        "Commands act as the owner of the first team, on the database that `stoa serve` uses: the "
        "one of the running server, or the embedded one, started for as long as the command runs.",
        *sections,
    )


def exit_codes_page() -> str:
    rows: dict[int, list[str]] = {
        0: ["It worked."],
        FAILED_CHECKS: ["A check of `stoa doctor`, `stoa selftest` or `stoa db check` failed."],
        INTERRUPTED: ["Ctrl-C or SIGTERM ended it; a server that stops when asked exits with 0."],
    }
    for code, meaning in EXIT_CODES.values():
        rows.setdefault(code, []).append(meaning)
    lines = [f"| {code} | {' '.join(meanings)} |" for code, meanings in sorted(rows.items())]
    return _page(
        "Exit codes",
        "A command that fails prints one line, `stoa: …`, to standard error; `stoa --debug …` "
        "prints the traceback before it.",
        "| Code | Meaning |\n| --- | --- |\n" + "\n".join(lines),
    )


def permissions_page() -> str:
    rows = [
        f"| `{permission}` | {MEANINGS[permission]} "
        + "".join(f"| {_yes(permission in PERMISSIONS_OF[role])} " for role in Role)
        + f"| {_yes(permission in SERVER_PERMISSIONS)} |"
        for permission in Permission
    ]
    return _page(
        "Roles and permissions",
        "What a member of a team may do follows from the role there; an operator may do more, "
        "whatever the role. An API key has a list of these as its scopes, which are at most those "
        "of whoever made it. How to give them: [teams, roles and keys](../how-to/teams-roles-and-"
        "keys.md).",
        f"| Permission | What it allows | {' | '.join(Role)} | operator |\n"
        f"| --- | --- |{' :-: |' * (len(Role) + 1)}\n" + "\n".join(rows),
        "Without any of these, whoever is known sees the own team, account and sessions.",
    )


def _yes(allowed: bool) -> str:
    return "yes" if allowed else ""


def errors_page() -> str:
    sections = [_error_section(entry) for entry in error_catalogue().values()]
    return _page(
        "Errors",
        "Every error has a stable code. Below `/api/v1` it is the member `code` of an "
        "`application/problem+json` body, whose `type` is the address given here; below `/v1` "
        "errors have OpenAI's envelope, with the `type` given here.",
        *sections,
    )


def _error_section(entry: ErrorEntry) -> str:
    kind = "functional" if entry.functional else "technical"
    return (
        f"## {entry.code}\n\n{entry.description}\n\n"
        f"Status {entry.kind.status}, {kind}, `{problem_type(entry.code)}`, "
        f"OpenAI type `{entry.kind.openai_type}`."
    )


def _walk(context: click.Context) -> Iterator[click.Context]:
    yield context
    command = context.command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from _walk(
                    click.Context(found, info_name=name, parent=context, terminal_width=WIDTH)
                )


def _help(context: click.Context) -> str:
    return re.sub(r"[ \t]+$", "", context.get_help(), flags=re.MULTILINE).strip()


def _default(name: str, value: Any) -> str:
    if value is None or value == ():
        return f"`{about(name).nothing}`" if about(name).nothing else "not set"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", NOTICE, *parts]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
