import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from application.shared.correlation import correlation_id
from domain.operations.errors import SettingsError
from entrypoints.instrumentation import instrumented
from entrypoints.logging import configure_logging
from entrypoints.rotating_log import SharedRotatingFile
from entrypoints.settings import Settings


@pytest.fixture(autouse=True)
def _restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    for handler in handlers:
        root.removeHandler(handler)
    yield
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        handler.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def test_console_lines_start_with_the_correlation_id() -> None:
    stream = io.StringIO()
    configure_logging(Settings(), stream=stream)
    token = correlation_id.set("abc-123")

    structlog.get_logger("stoa").info("key.issued", name="ci")
    logging.getLogger("uvicorn.error").warning("started on %s", "port 1")

    correlation_id.reset(token)
    first, second = stream.getvalue().splitlines()
    assert first.startswith("[abc-123] ")
    assert "key.issued" in first
    assert second.startswith("[abc-123] ")
    assert "started on port 1" in second


def test_json_lines_carry_level_logger_and_correlation_id() -> None:
    stream = io.StringIO()
    configure_logging(Settings(log_format="json"), stream=stream)

    structlog.get_logger("stoa").warning("key.refused", reason="expired")

    line = json.loads(stream.getvalue())
    assert line["message"] == "key.refused"
    assert line["level"] == "warning"
    assert line["correlation_id"] == "-"
    assert line["reason"] == "expired"
    assert "timestamp" in line


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_no_secret_and_no_prompt_reaches_the_log(log_format: str) -> None:
    stream = io.StringIO()
    configure_logging(Settings(log_format=log_format), stream=stream)  # type: ignore[arg-type]

    try:
        raise RuntimeError("postgresql://stoa:canary-a@db/x refused sk-canarybbbbbbb")
    except RuntimeError:
        structlog.get_logger().exception(
            "x", password="canary-c", deep={"api_key": ["canary-d"]}, prompt="canary-e"
        )
    logging.getLogger("any").error("header %s", "Bearer canary-ffffff")

    assert "canary" not in stream.getvalue()
    assert "RuntimeError" in stream.getvalue()


def test_messages_below_the_level_are_dropped() -> None:
    stream = io.StringIO()
    configure_logging(Settings(log_level="warning"), stream=stream)

    structlog.get_logger().info("quiet")
    logging.getLogger("any").info("quiet")

    assert stream.getvalue() == ""


def test_noisy_libraries_only_warn() -> None:
    stream = io.StringIO()
    configure_logging(Settings(log_level="debug"), stream=stream)

    logging.getLogger("sqlalchemy.engine").info("SELECT 1")
    logging.getLogger("uvicorn.access").info("GET /")
    logging.getLogger("uvicorn.error").info("Waiting for application startup.")
    logging.getLogger("alembic.runtime.migration").info("Will assume transactional DDL.")

    assert stream.getvalue() == ""


def test_the_file_gets_the_same_lines(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "stoa.log"
    configure_logging(Settings(log_format="json", log_file=path), stream=io.StringIO())

    structlog.get_logger().info("kept")

    assert json.loads(path.read_text())["message"] == "kept"


def test_a_log_file_that_cannot_be_written_is_a_settings_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(SettingsError, match="STOA_LOG_FILE"):
        configure_logging(Settings(log_file=tmp_path / "file" / "stoa.log"), stream=io.StringIO())


def test_two_processes_that_rotate_lose_no_line(tmp_path: Path) -> None:
    path = tmp_path / "stoa.log"
    one = SharedRotatingFile(path, max_bytes=400, backup_count=50)
    other = SharedRotatingFile(path, max_bytes=400, backup_count=50)

    for number in range(100):
        handler = one if number % 2 else other
        handler.emit(logging.makeLogRecord({"msg": f"line {number:03}"}))
    one.close()
    other.close()

    lines = [line for file in tmp_path.glob("stoa.log*") for line in file.read_text().splitlines()]
    assert sorted(lines) == [f"line {number:03}" for number in range(100)]


class Fails:
    async def __call__(self) -> None:
        raise RuntimeError("canary")


async def test_a_command_that_tells_why_it_failed_is_not_told_first() -> None:
    stream = io.StringIO()
    configure_logging(Settings(), level="error", stream=stream, tells_failures=False)

    with pytest.raises(RuntimeError):
        await instrumented(Fails)()()
    structlog.get_logger("stoa").error("errand.failed")

    assert "canary" not in stream.getvalue()
    assert "errand.failed" in stream.getvalue()
