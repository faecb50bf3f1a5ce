import os
import pwd
import sys
from pathlib import Path

from adapters.embedded_postgres import run_unprivileged
from domain.operations.errors import DatabaseServerError, DataDirectoryError

_UNPRIVILEGED_USER = "nobody"


def hand_over(cluster: Path) -> tuple[str, ...]:
    """Give the directory to the user that Postgres will run as, and return the words to put
    before a command so that it runs as that user.

    An ordinary user runs Postgres as himself. Root runs it as the present owner of the cluster,
    or gives a cluster that is root's to ``nobody``; where root may not give files away (one user
    id is all there is), Postgres gets a user namespace.
    """
    owner = cluster.stat()
    if os.geteuid() != 0:
        if owner.st_uid != os.geteuid():
            raise DataDirectoryError(
                f"{cluster} belongs to user {owner.st_uid}, but Stoa runs as user {os.geteuid()}. "
                "Run Stoa as the owner, or change the owner of the directory.",
                param="STOA_DATA_DIR",
            )
        return ()
    if owner.st_uid != 0:
        return _become("switch", owner.st_uid, owner.st_gid)
    try:
        user = pwd.getpwnam(_UNPRIVILEGED_USER)
    except KeyError as error:
        raise DatabaseServerError(
            f"Postgres does not run as root, and there is no user `{_UNPRIVILEGED_USER}` to run "
            "it as. Run Stoa as an ordinary user."
        ) from error
    way = "switch" if _give_away(cluster, user.pw_uid, user.pw_gid) else "namespace"
    return _become(way, user.pw_uid, user.pw_gid)


def _give_away(cluster: Path, uid: int, gid: int) -> bool:
    # The top comes last: it is what tells that the rest is done, should we die in between.
    try:
        for path in cluster.rglob("*"):
            os.chown(path, uid, gid, follow_symlinks=False)
        os.chown(cluster, uid, gid)
    except OSError:
        return False
    return True


def _become(way: str, uid: int, gid: int) -> tuple[str, ...]:
    script = str(Path(run_unprivileged.__file__))
    # Isolated and without site packages, an interpreter starts in a few milliseconds.
    return (sys.executable, "-I", "-S", script, way, str(uid), str(gid))
