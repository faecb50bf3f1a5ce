from datetime import UTC, datetime, timedelta

import click
import pytest

from domain.identity.errors import KeyNameTakenError, KeyNotFoundError
from domain.inference.errors import LedgerUnavailableError, ProviderRateLimitedError
from domain.models.errors import CatalogError, ModelNotAllowedError
from entrypoints.cli.failure import exit_code_of, report_failure
from entrypoints.cli.main import COMMANDS, stoa
from entrypoints.cli.moments import MOMENT, Moment, ago, ahead

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_list_exists_and_says_what_it_does(name: str) -> None:
    command = stoa.get_command(click.Context(stoa), name)

    assert command is not None
    assert command.help


def test_a_distance_counts_from_now_in_the_direction_asked_for() -> None:
    moment = MOMENT.convert("30d", None, None)

    assert ahead(moment, NOW) == NOW + timedelta(days=30)
    assert ago(moment, NOW) == NOW - timedelta(days=30)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-31", datetime(2026, 12, 31, tzinfo=UTC)),
        ("2026-12-31T12:30", datetime(2026, 12, 31, 12, 30, tzinfo=UTC)),
        ("2026-12-31T12:30Z", datetime(2026, 12, 31, 12, 30, tzinfo=UTC)),
        ("2026-12-31T12:30+02:00", datetime(2026, 12, 31, 10, 30, tzinfo=UTC)),
    ],
)
def test_a_time_without_an_offset_is_utc(text: str, expected: datetime) -> None:
    moment = MOMENT.convert(text, None, None)

    assert ahead(moment, NOW) == ago(moment, NOW) == expected


@pytest.mark.parametrize("text", ["", "tomorrow", "30", "-3d", "3y", "2026-13-01"])
def test_what_is_no_time_is_a_usage_error(text: str) -> None:
    with pytest.raises(click.UsageError):
        MOMENT.convert(text, None, None)


def test_a_moment_that_was_not_given_stays_nothing() -> None:
    assert ahead(None, NOW) is None
    assert ago(None, NOW) is None
    assert ago(Moment(timedelta(0)), NOW) == NOW


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CatalogError("x"), 2),
        (KeyNotFoundError(), 3),
        (ModelNotAllowedError("m"), 4),
        (KeyNameTakenError("n"), 5),
        (LedgerUnavailableError("x"), 69),
        (ProviderRateLimitedError("x"), 75),
        (RuntimeError("x"), 70),
    ],
)
def test_the_kind_of_an_error_decides_the_exit_code(error: Exception, code: int) -> None:
    assert exit_code_of(error) == code


def test_a_failure_is_one_line_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    code = report_failure(RuntimeError("two\nlines with postgresql://u:canary@h/d"), debug=False)

    output = capsys.readouterr()
    assert code == 70
    assert output.out == ""
    assert output.err.startswith("stoa: unexpected RuntimeError: two lines with ")
    assert output.err.count("\n") == 1
    assert "canary" not in output.err


def test_much_that_is_wrong_with_a_file_stands_on_lines_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    problems = ("line 2: one", "line 4: two with postgresql://u:canary@h/d")

    report_failure(CatalogError("x", source="team.yaml", problems=problems), debug=False)

    first, *others = capsys.readouterr().err.splitlines()
    assert first == "stoa: team.yaml is not as it must be:"
    assert others[0] == "  line 2: one"
    assert others[1].startswith("  line 4: two with ")
    assert "canary" not in others[1]


def test_the_traceback_is_shown_only_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise RuntimeError("boom")
    except RuntimeError as error:
        report_failure(error, debug=True)

    assert "Traceback" in capsys.readouterr().err
