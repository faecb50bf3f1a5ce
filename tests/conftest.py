import os
import sys
from pathlib import Path
from typing import Any

from xdist.scheduler import LoadScopeScheduling

# A run has some two hundred processes. Where nothing may keep compiled modules, each of them would
# compile all anew, which takes longer than most tests.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

pytest_plugins = [
    "tests.fixtures.database",
    "tests.fixtures.embedded_postgres",
    "tests.fixtures.prepared_cluster",
]

# The files of these folders share what is expensive: servers, or the weights of a model.
SHARING = ("tests/e2e/budgets", "tests/e2e/limits", "tests/integration/local_models")


class BySharing(LoadScopeScheduling):  # type: ignore[misc]  # xdist says nothing of its types
    """Runs what shares a server in one process: the tests of a file, or of a folder."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        folder = str(Path(path).parent)
        return folder if folder in SHARING else path


def pytest_xdist_make_scheduler(config: Any, log: Any) -> BySharing:
    return BySharing(config, log)
