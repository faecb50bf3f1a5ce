"""What a server has imported when it is ready: only what an idle server needs."""

import re
from pathlib import Path

from tests.fixtures.server import StoaServer

# Python writes a line for every module that it imports, or would have imported had it been there.
IMPORTED = re.compile(r"^import time: +\d+ \| +\d+ \| +(\S+)$", re.MULTILINE)

# What only some servers need, some requests, or nobody.
NOT_YET = {
    "adapters.postgres.migrate",
    "adapters.redis.rate_limits",
    "advanced_alchemy.base",
    "advanced_alchemy.repository",
    "aiohttp",
    "aiosmtplib",
    "alembic",
    "argon2",
    "attr._make",
    "litestar.testing",
    "mako",
    "numpy",
    "pydantic.main",
    "pygments",
    "redis.client",
    "rich.console",
    "sqlalchemy.dialects.mysql",
    "sqlalchemy.dialects.oracle",
    "tokenizers",
    "xllamacpp",
    "zxcvbn",
}


def test_a_server_that_is_ready_has_not_imported_what_it_does_not_need(
    database_url: str, tmp_path: Path
) -> None:
    settings = {"STOA_DATABASE_URL": database_url, "PYTHONPROFILEIMPORTTIME": "1"}
    config = Path(__file__).with_name("scripted.yaml")

    server = StoaServer(data_dir=tmp_path, config=config, settings=settings, from_scratch=True)
    with server:
        imported = set(IMPORTED.findall(server.output))

    assert {"litestar", "sqlalchemy", "adapters.http.app"} <= imported
    assert imported & NOT_YET == set()
