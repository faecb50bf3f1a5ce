import asyncio
from functools import partial

import pytest
from structlog.testing import capture_logs

from adapters.system.errands import BackgroundErrands
from application.operations.records.error_reporter import ErrorReporter
from application.shared.correlation import correlation_id
from domain.operations.errors import MailFailedError, MailNotConfiguredError
from domain.shared.errors import UnavailableError
from tests.fakes.clock import FrozenClock
from tests.fakes.errors import RecordingErrorLog
from tests.fakes.ids import SequentialIds


async def test_an_errand_runs_after_its_request_with_its_correlation_id() -> None:
    errands = BackgroundErrands()
    seen: list[str] = []

    async def note() -> None:
        seen.append(correlation_id.get())

    token = correlation_id.set("c-7")
    errands.send("note", note)
    correlation_id.reset(token)
    before = list(seen)
    await errands.stop()

    assert before == []
    assert seen == ["c-7"]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            MailFailedError("ada@example.com", "nobody there"),
            {
                "event": "errand.failed",
                "log_level": "error",
                "errand": "mail",
                "code": "MAIL_FAILED",
                "reason": "The mail to a…@example.com could not be sent: nobody there.",
            },
        ),
        (
            MailNotConfiguredError(),
            {
                "event": "errand.refused",
                "log_level": "warning",
                "errand": "mail",
                "code": "MAIL_NOT_CONFIGURED",
                "reason": "This server sends no mail: STOA_MAIL_URL is not set.",
            },
        ),
        (
            KeyError("x"),
            {"event": "errand.failed", "log_level": "error", "errand": "mail", "exc_info": True},
        ),
    ],
    ids=["technical", "functional", "unforeseen"],
)
async def test_what_an_errand_raises_is_logged(error: Exception, line: dict[str, object]) -> None:
    errands = BackgroundErrands()

    async def fail() -> None:
        raise error

    with capture_logs() as logs:
        errands.send("mail", fail)
        await errands.stop()

    assert logs == [line]


async def test_technical_errors_are_put_on_record() -> None:
    errors = RecordingErrorLog()
    reporter = ErrorReporter(errors=errors, clock=FrozenClock(), ids=SequentialIds())
    errands = BackgroundErrands(reporter=reporter)

    async def fail(error: Exception) -> None:
        raise error

    errands.send("one", partial(fail, MailFailedError("ada@example.com", "nobody there")))
    errands.send("two", partial(fail, KeyError("x")))
    errands.send("three", partial(fail, MailNotConfiguredError()))
    await errands.stop()

    assert [occurrence.route for occurrence in errors.occurrences] == ["errand one", "errand two"]


async def test_only_a_few_run_at_once_and_not_too_many_wait() -> None:
    errands = BackgroundErrands(most=3, at_once=2)
    running = most = 0

    async def work() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1

    for _ in range(3):
        errands.send("work", work)
    with pytest.raises(UnavailableError):
        errands.send("work", work)
    await errands.stop()
    errands.send("work", work)
    await errands.stop()

    assert most == 2


async def test_what_does_not_end_is_abandoned_and_counted() -> None:
    errands = BackgroundErrands(farewell_s=0.05)

    async def hang() -> None:
        await asyncio.Event().wait()

    with capture_logs() as logs:
        errands.send("hang", hang)
        await errands.stop()

    assert logs == [{"event": "errands.abandoned", "log_level": "error", "count": 1}]
