"""The command line. This module stays light: ``stoa --help`` imports nothing but click."""

import sys
from pathlib import Path

import click

from entrypoints.cli.invocation import Invocation
from entrypoints.cli.lazy_group import LazyCommand, LazyGroup
from entrypoints.lean_imports import import_lean

# Here and not in main(), so that a worker, which imports this first, is lean too.
import_lean()

INTERRUPTED = 130

COMMANDS = {
    name: LazyCommand(f"entrypoints.cli.{name}", f"{name}_command", summary)
    for name, summary in {
        "serve": "Run the server.",
        "chat": "Talk to a model.",
        "models": "See the models that are served, and set up those of a team.",
        "providers": "Set up providers in the registry of a team.",
        "routes": "Set up routes over several models.",
        "config": "Apply, check, import and export configurations.",
        "keys": "Create, list, change and revoke API keys.",
        "usage": "Sum up calls, tokens and cost.",
        "costs": "See what calls have cost, and what one would.",
        "prices": "See what models cost and why, and set it.",
        "budget": "See what has become of a budget.",
        "calls": "Look into the ledger of calls.",
        "team": "See and change the team.",
        "teams": "Create, list and change teams.",
        "users": "Create accounts, and open or close them.",
        "members": "See who is in a team, and as what.",
        "audit": "See who did what.",
        "errors": "See and resolve technical errors.",
        "settings": "See and change settings.",
        "maintenance": "Do now what the server does by itself.",
        "db": "Migrate the database.",
        "doctor": "Find out what is wrong, and what to do.",
        "selftest": "Test any OpenAI-compatible server.",
    }.items()
}


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--data-dir", metavar="DIR", help="Data directory (STOA_DATA_DIR).")
@click.option("--database-url", metavar="URL", help="External Postgres (STOA_DATABASE_URL).")
@click.option("--config", metavar="FILE", help="Providers and models (STOA_CONFIG).")
@click.option("--debug", is_flag=True, help="Log everything and show the traceback of an error.")
@click.version_option(package_name="stoa", prog_name="stoa")
@click.pass_obj
def stoa(
    invocation: Invocation,
    debug: bool,
    data_dir: str | None,
    database_url: str | None,
    config: str | None,
) -> None:
    """The AI backend a team owns: one server and one Postgres for every model call."""
    invocation.debug = debug
    invocation.data_dir = data_dir
    invocation.database_url = database_url
    invocation.config = config and str(Path(config).expanduser())


def main() -> None:
    """Run the command line and exit with a code that scripts can use."""
    invocation = Invocation()
    try:
        code = stoa.main(prog_name="stoa", standalone_mode=False, obj=invocation)
    except click.Abort:
        code = INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = error.exit_code
    except click.ClickException as error:
        click.echo(f"stoa: {_in_one_line(error)}", err=True)
        code = error.exit_code
    except Exception as error:  # noqa: BLE001 - the last place where it can be reported
        # Imported late so that `stoa --help` does not pay for it.
        from entrypoints.cli.failure import report_failure  # noqa: PLC0415

        code = report_failure(error, debug=invocation.debug)
    sys.exit(code)


def _in_one_line(error: click.ClickException) -> str:
    message = " ".join(error.format_message().split())
    context = error.ctx if isinstance(error, click.UsageError) else None
    return message if context is None else f"{message} See '{context.command_path} --help'."


if __name__ == "__main__":
    main()
