import click

from application.operations.run_retention import Report, RunRetention, RunRetentionCommand
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.output import json_option, print_json, print_table
from entrypoints.cli.session import Session, run_session


@click.group()
def maintenance_command() -> None:
    """Do now what the server does by itself."""


@maintenance_command.command("retention")
@click.option("--dry-run", is_flag=True, help="Count what would go, and remove nothing.")
@json_option
@click.pass_obj
def retention(invocation: Invocation, dry_run: bool, as_json: bool) -> None:
    """Remove the records that are older than the settings retention_…_days say.

    Calls, contents, the audit log, errors and events are stored by month, and go when the whole
    month is old enough. The server does this every hour.
    """

    async def work(session: Session) -> Report:
        run = await session.get(RunRetention)
        return await run(RunRetentionCommand(actor=session.actor, dry_run=dry_run))

    report = run_session(invocation, work)
    if as_json:
        removed = {
            str(kind): {"records": what.records, "months": what.months}
            for kind, what in report.items()
        }
        print_json({"dry_run": dry_run, "removed": removed})
        return
    print_table(
        ("records", "would go" if dry_run else "removed", "whole months"),
        ((kind, what.records, what.months) for kind, what in report.items()),
        right=("would go", "removed"),
        fold=("whole months",),
    )
