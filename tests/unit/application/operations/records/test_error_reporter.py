from collections.abc import Callable
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from application.operations.records.error_description import MAX_MESSAGE, MAX_STACK
from application.operations.records.error_reporter import Circumstances, ErrorReporter
from application.shared.correlation import correlation_id
from application.shared.pagination import PageRequest, check_limit
from domain.inference.errors import ContextLengthExceededError, ProviderFailedError
from domain.operations.technical_error import ErrorOccurrence
from domain.shared.errors import InvalidError, TechnicalError, UnavailableError
from tests.builders import KEY_ID, TEAM_ID, USER_ID, an_actor
from tests.fakes.clock import START, FrozenClock
from tests.fakes.errors import RecordingErrorLog
from tests.fakes.ids import SequentialIds

PROMPT = "tell me about the merger of Initech"
IN_THE_OPEN = Circumstances(route="/api/v1/things")
DATA_PLANE = Circumstances(route="/v1/chat/completions", in_the_open=False)


def fail(error: Exception) -> Exception:
    try:
        raise error
    except Exception as raised:  # noqa: BLE001 - any is wanted
        return raised


def described(
    error: Exception, circumstances: Circumstances = IN_THE_OPEN, code: str | None = None
) -> ErrorOccurrence:
    log = RecordingErrorLog()
    reporter = ErrorReporter(errors=log, clock=FrozenClock(), ids=SequentialIds())
    reporter.report(error, circumstances, code=code)
    [occurrence] = log.occurrences
    return occurrence


def test_an_occurrence_says_what_happened_where_and_to_whom() -> None:
    log = RecordingErrorLog()
    reporter = ErrorReporter(errors=log, clock=FrozenClock(), ids=SequentialIds())
    circumstances = Circumstances(route="/api/v1/things", method="POST", actor=an_actor())
    token = correlation_id.set("c-9")

    reporter.report(fail(ValueError("no")), circumstances, error_id=UUID(int=7), code="BROKEN")

    correlation_id.reset(token)
    [found] = log.occurrences
    assert (found.id, found.at, found.code) == (UUID(int=7), START, "BROKEN")
    assert (found.exception_type, found.message) == ("ValueError", "no")
    assert (found.route, found.method) == ("/api/v1/things", "POST")
    assert (found.team_id, found.user_id, found.key_id) == (TEAM_ID, USER_ID, KEY_ID)
    assert found.correlation_id == "c-9"


def test_without_a_code_it_is_the_errors_own() -> None:
    assert described(fail(ProviderFailedError("no"))).code == "PROVIDER_ERROR"
    assert described(fail(KeyError())).code == "INTERNAL_ERROR"


def test_an_occurrence_that_nobody_was_told_of_gets_an_id() -> None:
    assert described(fail(ValueError("no"))).id == SequentialIds().new()


def test_the_fingerprint_is_that_of_the_place_and_not_of_the_message() -> None:
    one, two = (described(fail(ValueError(text))) for text in ("a", "b"))
    elsewhere = described(ValueError("a"), Circumstances(route="/api/v1/others"))

    assert one.fingerprint == two.fingerprint
    assert len({one.fingerprint, elsewhere.fingerprint}) == 2


def test_another_code_type_or_route_is_another_fault() -> None:
    error = fail(ValueError("a"))
    prints = {
        described(error).fingerprint,
        described(error, code="OTHER").fingerprint,
        described(error, DATA_PLANE).fingerprint,
        described(fail(KeyError("a"))).fingerprint,
    }

    assert len(prints) == 4


def test_the_function_tells_faults_apart_and_the_line_does_not() -> None:
    def attempt(call: Callable[[], object]) -> str:
        try:
            call()
        except InvalidError as error:
            return described(error).fingerprint
        raise AssertionError

    by_page = attempt(lambda: PageRequest(page=0))
    by_page_size = attempt(lambda: PageRequest(page_size=0))
    by_limit = attempt(lambda: check_limit(0))

    assert by_page == by_page_size
    assert by_page != by_limit


def test_own_errors_are_quoted_and_their_notes_kept() -> None:
    error = ProviderFailedError("The provider 'acme' failed.")
    error.add_note("HTTP 500 server_error")

    found = described(fail(error), DATA_PLANE)

    assert found.message == "The provider 'acme' failed."
    assert found.stack.splitlines()[-1] == "  HTTP 500 server_error"
    assert "in fail" in found.stack


def test_the_stack_begins_with_what_caused_it() -> None:
    try:
        try:
            raise ConnectionRefusedError(111, "refused")
        except OSError as error:
            raise UnavailableError("The database cannot be reached.") from error
    except UnavailableError as error:
        found = described(error)

    lines = [line for line in found.stack.splitlines() if not line.startswith(" ")]
    assert lines == [
        "ConnectionRefusedError: [Errno 111] refused",
        "domain.shared.errors.UnavailableError: The database cannot be reached.",
    ]


@pytest.mark.parametrize(
    "error",
    [
        ValueError(f"cannot parse {PROMPT}"),
        KeyError(PROMPT),
        ContextLengthExceededError(f"too long: {PROMPT}"),
    ],
    ids=["unquoted", "quoted", "in the provider's words"],
)
def test_no_prompt_is_written_down(error: Exception) -> None:
    try:
        try:
            raise error
        except Exception as caught:
            raise TechnicalError("It failed.") from caught
    except TechnicalError as outer:
        found = [described(outer, DATA_PLANE), described(error, DATA_PLANE)]

    assert not any("Initech" in f"{one.stack}{one.message}" for one in found)


def test_values_of_variables_are_not_written_down() -> None:
    secret = "initech" + "-password"

    def local() -> None:
        held = secret
        raise ValueError(len(held))

    try:
        local()
    except ValueError as error:
        found = described(error)

    assert "held = secret" not in found.stack
    assert secret not in found.stack


@pytest.mark.parametrize(
    "text",
    [
        'invalid input syntax for type uuid: "Initech"',
        "invalid literal for int() with base 10: 'Initech'",
        "unbalanced: 'Initech",
        "it's about 'Initech's' merger",
        "login failed: password=Initech",
        "postgresql://stoa:Initech@host/db refused",
        "Authorization: Bearer Initech1234",
        "first line\nDETAIL: Failing row contains (Initech)",
    ],
)
def test_secrets_and_what_others_quote_are_not_written_down(text: str) -> None:
    found = described(fail(RuntimeError(text)))

    assert "Initech" not in found.message + found.stack


def test_what_others_say_besides_is_kept() -> None:
    found = described(fail(RuntimeError("could not connect to 'x'")))

    assert found.message == "could not connect to [OMITTED]"


def test_what_postgres_cannot_store_is_left_out() -> None:
    found = described(fail(TechnicalError("a\0b\ud800c")))

    assert found.message == "ab?c"


def test_long_texts_are_cut_at_the_front() -> None:
    error: Exception = TechnicalError("x" * (2 * MAX_MESSAGE) + "!")
    for _ in range(4):
        error.add_note("y" * MAX_STACK)

    found = described(fail(error))

    assert (len(found.message), len(found.stack)) == (MAX_MESSAGE, MAX_STACK)
    assert found.message.endswith("x!")


def test_a_recursion_is_one_fault_however_deep_it_went() -> None:
    def sink(depth: int) -> None:
        if depth == 0:
            raise RecursionError
        sink(depth - 1)

    prints = set()
    for depth in (3, 30):
        try:
            sink(depth)
        except RecursionError as error:
            prints.add(described(error).fingerprint)

    assert len(prints) == 1


def test_reporting_never_raises() -> None:
    log = RecordingErrorLog()
    log.failure = RuntimeError("broken")
    reporter = ErrorReporter(errors=log, clock=FrozenClock(), ids=SequentialIds())

    with capture_logs() as logs:
        reporter.report(ValueError("no"), IN_THE_OPEN)

    assert [entry["event"] for entry in logs] == ["errors.not_recorded"]
