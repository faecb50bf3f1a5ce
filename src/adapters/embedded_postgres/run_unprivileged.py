"""Run a program as an ordinary user, although we are root: Postgres refuses to be root.

A script of its own, started by path with the standard library only, because what it does to the
process must happen between fork and exec, where a program with threads may not run Python.
"""

import ctypes
import os
import sys
from pathlib import Path

_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522
_CLONE_NEWUSER = 0x10000000


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilityData(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _checked(result: int, action: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{action}: {os.strerror(ctypes.get_errno())}")


def switch_user(uid: int, gid: int) -> None:
    """Become the user, but keep the right to walk through directories that are only root's.

    Without that right a data directory or a virtual environment below /root could not be used
    unless its parents were opened to everybody.
    """
    linux = sys.platform == "linux"
    libc = ctypes.CDLL(None, use_errno=True)
    if linux:
        _checked(libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0), "keep capabilities")
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if linux:
        mask = 1 << _CAP_DAC_OVERRIDE
        header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
        data = (_CapabilityData * 2)(_CapabilityData(mask, mask, mask), _CapabilityData())
        _checked(libc.capset(ctypes.byref(header), data), "set capabilities")
        raised = libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)
        _checked(raised, "pass capabilities on")


def enter_user_namespace(uid: int, gid: int) -> None:
    """Stay root outside and be the user inside, where only one user id exists (rootless)."""
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.unshare(_CLONE_NEWUSER), "enter a user namespace")
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{gid} {outer_gid} 1", encoding="ascii")


def main(arguments: list[str]) -> None:
    way, uid, gid, *command = arguments
    become = {"switch": switch_user, "namespace": enter_user_namespace}[way]
    try:
        become(int(uid), int(gid))
        os.execv(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.exit(
            f"FATAL:  Postgres does not run as root, and root may not become user {uid} here "
            f"({error.strerror}). Run Stoa as an ordinary user."
        )


if __name__ == "__main__":
    main(sys.argv[1:])
