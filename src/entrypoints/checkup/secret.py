"""Is there a secret key, and does nobody else read it?"""

import stat

from adapters.embedded_postgres.data_directory import read_secret_key
from domain.operations.errors import DataDirectoryError
from entrypoints.checkup.finding import Finding, Verdict
from entrypoints.secret_key import kept_secret_key_file
from entrypoints.settings import Settings

CHECK = "secret key"


def check_secret_key(settings: Settings) -> Finding:
    path = kept_secret_key_file(settings)
    if path is None:
        return Finding(check=CHECK, verdict=Verdict.OK, detail=_without_file(settings))
    try:
        read_secret_key(settings.data_dir)
        mode = path.stat().st_mode
    except (DataDirectoryError, OSError) as error:
        return Finding(
            check=CHECK,
            verdict=Verdict.FAIL,
            detail=str(error),
            advice=f"restore {path} from a backup, or set STOA_SECRET_KEY",
        )
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Finding(
            check=CHECK,
            verdict=Verdict.WARN,
            detail=f"{path} may be read by other users",
            advice=f"run `chmod 600 {path}`",
        )
    return Finding(check=CHECK, verdict=Verdict.OK, detail=f"kept in {path}")


def _without_file(settings: Settings) -> str:
    if settings.secret_key is not None:
        return "set by STOA_SECRET_KEY"
    if settings.database_url is not None:
        return "not set; production needs STOA_SECRET_KEY, the same on all nodes"
    return "made at the first start"
