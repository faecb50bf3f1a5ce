"""One way to log for everything in the process: structlog and the standard library's loggers pass
through the same processors, to standard error and, if asked for, to a rotating file."""

import logging
import sys
from collections.abc import Sequence
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from application.shared.correlation import correlation_id
from application.shared.masking import mask
from domain.operations.errors import SettingsError
from entrypoints.rotating_log import SharedRotatingFile
from entrypoints.settings import Settings

NOISY_LOGGERS = (
    "aiohttp",
    "aiosqlite",
    "alembic",
    "asyncio",
    "asyncpg",
    "dishka",
    "httpcore",
    "httpx",
    "litestar",
    "sqlalchemy",
    "urllib3",
    "uvicorn",
)
_OF_USE_CASES = "entrypoints.instrumentation"


def configure_logging(
    settings: Settings,
    *,
    level: str | None = None,
    stream: TextIO | None = None,
    tells_failures: bool = True,
) -> None:
    """Set up logging for this process; calling it again replaces what was set up.

    ``level`` replaces the level of the settings, for commands that should be quiet. Those that say
    themselves why they have failed do not want the console to tell it first. Raises
    ``SettingsError`` when the log file cannot be opened.
    """
    threshold = logging.getLevelNamesMapping()[(level or settings.log_level).upper()]
    console = logging.StreamHandler(stream or sys.stderr)
    console.setFormatter(_formatter(_json() if settings.logs_json else _console(console.stream)))
    if not tells_failures:
        console.addFilter(lambda record: record.name != _OF_USE_CASES)
    handlers: list[logging.Handler] = [console]
    if settings.log_file is not None:
        handlers.append(_file_handler(settings))
    _replace_root_handlers(handlers, threshold)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def mask_event(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> EventDict:
    """Mask credentials and leave out contents, at any depth."""
    return {key: mask(value, name=key) for key, value in event_dict.items()}


def add_correlation_id(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> EventDict:
    event_dict.setdefault("correlation_id", correlation_id.get())
    return event_dict


class ConsoleLine:
    """Renders a line for people, starting with ``[correlation_id]``."""

    def __init__(self, *, colors: bool) -> None:
        self._render = structlog.dev.ConsoleRenderer(
            colors=colors, exception_formatter=structlog.dev.plain_traceback
        )

    def __call__(self, logger: WrappedLogger, method: str, event_dict: EventDict) -> str:
        correlation = event_dict.pop("correlation_id", "-")
        return f"[{correlation}] {self._render(logger, method, event_dict)}"


def _shared() -> list[Processor]:
    return [
        add_correlation_id,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _formatter(render: Sequence[Processor]) -> structlog.stdlib.ProcessorFormatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_shared(), structlog.stdlib.PositionalArgumentsFormatter()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            mask_event,
            *render,
        ],
    )


def _json() -> list[Processor]:
    return [structlog.processors.EventRenamer("message"), structlog.processors.JSONRenderer()]


def _console(stream: TextIO) -> list[Processor]:
    return [ConsoleLine(colors=stream.isatty())]


def _file_handler(settings: Settings) -> logging.Handler:
    path = settings.log_file
    if path is None:
        raise ValueError
    try:
        handler = SharedRotatingFile(path)
    except OSError as error:
        raise SettingsError(f"STOA_LOG_FILE: {path} cannot be written: {error.strerror}") from error
    handler.setFormatter(_formatter(_json() if settings.logs_json else [ConsoleLine(colors=False)]))
    return handler


def _replace_root_handlers(handlers: Sequence[logging.Handler], threshold: int) -> None:
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(threshold)
    for name in NOISY_LOGGERS:
        logging.getLogger(name).setLevel(max(logging.WARNING, threshold))
    logging.captureWarnings(True)
