"""How long a start waits for its database (``STOA_DATABASE_WAIT_SECONDS``)."""

import subprocess
import time
from pathlib import Path

import pytest

from domain.shared.errors import UnavailableError
from entrypoints.database import prepare_database
from tests.fixtures.server import StoaServer, free_port

NOBODY = "postgresql://stoa@/stoa?host=/nonexistent"


@pytest.mark.parametrize("wait_s", [0.0, 0.5])
async def test_gives_up_on_an_absent_database_when_the_time_is_over(wait_s: float) -> None:
    started = time.monotonic()

    with pytest.raises(UnavailableError):
        await prepare_database(NOBODY, wait_s=wait_s)

    assert time.monotonic() - started >= wait_s


def test_a_server_ends_with_one_line_when_its_database_does_not_come(tmp_path: Path) -> None:
    server = StoaServer(
        data_dir=tmp_path,
        settings={
            "STOA_DATABASE_URL": f"postgresql://stoa@127.0.0.1:{free_port()}/stoa",
            "STOA_DATABASE_WAIT_SECONDS": "0.3",
            "STOA_LOG_LEVEL": "error",
        },
    )

    ended: subprocess.CompletedProcess[str] = server.run("serve")

    assert ended.returncode != 0
    assert ended.stderr.startswith("stoa: ")
    assert len(ended.stderr.splitlines()) == 1
