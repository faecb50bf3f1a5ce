"""What the machine must give: an address, a directory, space."""

import os
import shutil

import aiohttp

from domain.operations.errors import AddressUnavailableError
from entrypoints.checkup.finding import Finding, Verdict
from entrypoints.listening import listen
from entrypoints.settings import Settings

GIBIBYTE = 1024**3
LITTLE_SPACE = GIBIBYTE
NO_SPACE = GIBIBYTE // 8
TIMEOUT_S = 2.0


async def check_address(settings: Settings) -> Finding:
    """Free, or taken by a Stoa that runs already."""
    where = f"{settings.host}:{settings.port}"
    try:
        listen(settings.host, settings.port).close()
    except AddressUnavailableError as error:
        if await _is_stoa(settings):
            return Finding(
                check="address", verdict=Verdict.OK, detail=f"a Stoa server runs on {where}"
            )
        return Finding(
            check="address",
            verdict=Verdict.FAIL,
            detail=error.message,
            advice="free it, or set STOA_HOST and STOA_PORT to another address",
        )
    return Finding(check="address", verdict=Verdict.OK, detail=f"{where} is free")


def check_data_directory(settings: Settings) -> Finding:
    """Looks without making anything: the directory, or the nearest one above it that exists."""
    directory = settings.data_dir
    present = directory
    while not present.exists() and present != present.parent:
        present = present.parent
    if not present.is_dir() or not os.access(present, os.W_OK | os.X_OK):
        return Finding(
            check="data directory",
            verdict=Verdict.FAIL,
            detail=f"{present} cannot be written by this user",
            advice=f"give it to this user, or set STOA_DATA_DIR to another than {directory}",
        )
    detail = str(directory) if present == directory else f"{directory} can be made"
    return Finding(check="data directory", verdict=Verdict.OK, detail=detail)


def check_space(settings: Settings) -> Finding:
    present = next(p for p in (settings.data_dir, *settings.data_dir.parents) if p.exists())
    free = shutil.disk_usage(present).free
    verdict = Verdict.OK
    if free < LITTLE_SPACE:
        verdict = Verdict.FAIL if free < NO_SPACE else Verdict.WARN
    return Finding(
        check="disk space",
        verdict=verdict,
        detail=f"{free / GIBIBYTE:.1f} GiB free for {present}",
        advice=None if verdict is Verdict.OK else "free some space, or move STOA_DATA_DIR",
    )


async def _is_stoa(settings: Settings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    shown = f"[{host}]" if ":" in host else host
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as client,
            client.get(f"http://{shown}:{settings.port}/api/v1/health") as response,
        ):
            body = await response.json()
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return False
    return isinstance(body, dict) and {"status", "version", "uptime"} <= body.keys()
