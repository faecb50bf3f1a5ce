import click

from entrypoints.cli.failure import FAILED_CHECKS
from entrypoints.cli.output import json_option, print_json, print_table
from entrypoints.cli.session import run_async
from entrypoints.selftest.conformance import examine


@click.command()
@click.argument("url")
@click.option("--api-key", envvar="STOA_API_KEY", help="API key to send (STOA_API_KEY).")
@click.option("--model", help="Chat model to test; the first one that can chat, if not given.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=60.0,
    show_default=True,
    help="Seconds that each answer may take.",
)
@json_option
@click.pass_context
def selftest_command(
    context: click.Context,
    *,
    url: str,
    api_key: str | None,
    model: str | None,
    timeout: float,
    as_json: bool,
) -> None:
    """Test any OpenAI-compatible server at URL: connectivity, authentication, models, chat,
    streaming, errors and embeddings.

    Exits with 1 when a check fails. The API key is never printed.
    """
    report = run_async(examine(url, api_key=api_key, model=model, timeout_s=timeout))
    if as_json:
        print_json(report)
    else:
        print_table(
            ("check", "result", "ms", "detail"),
            ((o.check, o.status.upper(), o.duration_ms, o.detail) for o in report.checks),
            right=("ms",),
            fold=("detail",),
        )
        click.echo(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    context.exit(FAILED_CHECKS if report.failed else 0)
