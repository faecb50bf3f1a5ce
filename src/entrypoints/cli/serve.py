import click

from entrypoints.cli.invocation import Invocation
from entrypoints.settings_loading import load_settings


@click.command()
@click.option("--host", metavar="ADDRESS", help="Address to listen on. [default: 127.0.0.1]")
@click.option(
    "--port", metavar="NUMBER", help="TCP port to listen on; 0 takes a free one. [default: 8000]"
)
@click.option("--workers", metavar="NUMBER", help="Server processes. [default: 1]")
@click.option(
    "--data-dir",
    metavar="DIR",
    help="Where the embedded database and all else is kept. [default: ~/.local/share/stoa]",
)
@click.option(
    "--database-url",
    metavar="URL",
    help="An external Postgres (postgresql://…) instead of the embedded one.",
)
@click.option(
    "--config",
    metavar="FILE",
    help="YAML file of providers and models; without it the embedded models are served.",
)
@click.option(
    "--log-level",
    metavar="LEVEL",
    help="Least severe messages logged: debug, info, warning, error. [default: info]",
)
@click.pass_obj
def serve_command(invocation: Invocation, /, **options: str | None) -> None:
    """Run the server.

    Everything has a default: a Postgres of its own is started in the data directory and migrated,
    and on the first start an API key is printed. Each option can be given as a variable too, as
    STOA_PORT for --port; `stoa settings show` lists all of them.
    """
    given = {name: value for name, value in options.items() if value is not None}
    loaded = load_settings(overrides=invocation.overrides | given)
    # The server imports everything that Stoa can do, which `stoa serve --help` needs not.
    from entrypoints.server import serve  # noqa: PLC0415

    serve(loaded)
