import gc
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import certifi
import pytest
import structlog
import xdist
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

# A run has some two hundred processes. Where nothing may keep compiled modules, each of them would
# compile all anew, which takes longer than most tests.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

_END = "-----END CERTIFICATE-----"

# To draw a traceback with all its variables takes most of a second.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.set_exc_info,
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ]
)

# A run tries the same examples each time, and none has to be quick: what is found shall be found by
# whoever changes something, and on machines that have much else to do. `make thorough` has others.
IS_THOROUGH = bool(os.environ.get("STOA_TEST_THOROUGH"))
settings.register_profile(
    "stoa",
    max_examples=500 if IS_THOROUGH else 30,
    derandomize=not IS_THOROUGH,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("stoa")

pytest_plugins = [
    "tests.fixtures.database",
    "tests.fixtures.embedded_postgres",
    "tests.fixtures.prepared_cluster",
]

# The files of these folders share what is expensive: servers, the weights of a model, or what
# the sources mean.
SHARING = (
    "tests/architecture",
    "tests/e2e/budgets",
    "tests/e2e/limits",
    "tests/integration/local_models",
)


class BySharing(LoadScopeScheduling):  # type: ignore[misc]  # xdist says nothing of its types
    """Runs what shares a server in one process: the tests of a file, or of a folder."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        folder = str(Path(path).parent)
        return folder if folder in SHARING else path


def pytest_xdist_make_scheduler(config: Any, log: Any) -> BySharing:
    return BySharing(config, log)


def pytest_configure(config: pytest.Config) -> None:
    """Has clients know one authority. Else each of thousands reads all those of the world when it
    is made, which takes longer than most of what it is asked to do, and nobody asks anybody far
    away."""
    folder = tempfile.mkdtemp(prefix="stoa-tests-")
    config.add_cleanup(lambda: shutil.rmtree(folder))
    first, end, _ = Path(certifi.where()).read_text(encoding="utf-8").partition(_END)
    authority = Path(folder, "authority.pem")
    authority.write_text(first + end + "\n", encoding="utf-8")
    os.environ["SSL_CERT_FILE"] = str(authority)


def pytest_collection(session: pytest.Session) -> None:
    """What is made while tests are collected stays, so that nobody need look for what does not."""
    if not xdist.is_xdist_controller(session):
        gc.disable()


def pytest_collection_finish() -> None:
    """What was collected stays until the end; the collector need not look at it ever again."""
    gc.collect()
    gc.freeze()
    gc.enable()
