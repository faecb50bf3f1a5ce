import click

from domain.operations.errors import SettingsError
from entrypoints.checkup.finding import Finding, Verdict
from entrypoints.checkup.machine import check_address, check_data_directory, check_space
from entrypoints.checkup.secret import check_secret_key
from entrypoints.checkup.serving import check_serving
from entrypoints.checkup.storage import check_database, check_embedded_server, check_redis
from entrypoints.cli.failure import FAILED_CHECKS
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.output import json_option, print_json
from entrypoints.cli.session import run_async, settings_of
from entrypoints.settings_loading import LoadedSettings

COLORS = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "red"}


@click.command()
@json_option
@click.pass_context
def doctor_command(context: click.Context, *, as_json: bool) -> None:
    """Find out what is wrong, and what to do about it.

    Changes nothing, works without the database, and exits with 1 when something must be mended.
    """
    findings = _examine(context.ensure_object(Invocation))
    failed = any(finding.verdict is Verdict.FAIL for finding in findings)
    if as_json:
        print_json({"healthy": not failed, "findings": findings})
    else:
        for finding in findings:
            _print(finding)
    context.exit(FAILED_CHECKS if failed else 0)


def _examine(invocation: Invocation) -> list[Finding]:
    try:
        loaded = settings_of(invocation)
    except SettingsError as error:
        return [
            Finding(
                check="settings",
                verdict=Verdict.FAIL,
                detail=error.message,
                advice="correct the variables; docs/reference/settings.md describes each",
            )
        ]
    changed = sum(source != "default" for source in loaded.sources.values())
    fine = Finding(check="settings", verdict=Verdict.OK, detail=f"{changed} set, others default")
    return [fine, *run_async(_look(loaded))]


async def _look(loaded: LoadedSettings) -> list[Finding]:
    settings = loaded.settings
    findings = [await check_address(settings)]
    if settings.database_url is None:
        findings += [check_data_directory(settings), check_space(settings)]
    usable = all(f.verdict is not Verdict.FAIL for f in findings if f.check == "data directory")
    if usable:
        findings.append(check_secret_key(settings))
    findings += await check_serving(loaded)
    findings.append(check_embedded_server(settings))
    if usable and findings[-1].verdict is Verdict.OK:
        findings += await check_database(settings)
    return findings + await check_redis(settings)


def _print(finding: Finding) -> None:
    mark = click.style(f"{finding.verdict.upper():4}", fg=COLORS[finding.verdict], bold=True)
    click.echo(f"{mark}  {finding.check}: {finding.detail}")
    if finding.advice:
        click.echo(f"      -> {finding.advice}")
