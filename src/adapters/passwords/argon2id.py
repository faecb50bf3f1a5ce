import asyncio
import base64
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from argon2 import PasswordHasher as Argon2
from argon2.exceptions import InvalidHashError, VerificationError

from application.identity.ports import PasswordHasher
from domain.shared.errors import UnavailableError

# OWASP's parameters: 19 MiB, two passes, one lane. About 30 ms on one core.
MEMORY_KIB = 19_456
PASSES = 2
LANES = 1

# More than one thread only helps where cores are left for everything else.
MAX_THREADS = 4
MAX_WAITING = 64
RETRY_AFTER_S = 2.0

_SALT_BYTES = 16
_HASH_BYTES = 32

T = TypeVar("T")


class Argon2idHasher(PasswordHasher):
    """Hashes on threads of its own, which hold no lock of the interpreter meanwhile."""

    def __init__(self, *, threads: int | None = None, max_waiting: int = MAX_WAITING) -> None:
        self._argon2 = Argon2(
            time_cost=PASSES,
            memory_cost=MEMORY_KIB,
            parallelism=LANES,
            hash_len=_HASH_BYTES,
            salt_len=_SALT_BYTES,
        )
        self._threads = threads or max(1, min(MAX_THREADS, (os.cpu_count() or 1) - 1))
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="passwords")
        self._max_waiting = max_waiting
        self._running = 0

    async def hash(self, password: str) -> str:
        return await self._on_a_thread(partial(self._argon2.hash, _bytes(password)))

    async def verify(self, password: str, hashed: str | None) -> bool:
        is_right = await self._on_a_thread(
            partial(self._verify, _bytes(password), hashed or _NOBODYS)
        )
        return is_right and hashed is not None

    def is_outdated(self, hashed: str) -> bool:
        return self._argon2.check_needs_rehash(hashed)

    def stop(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password: bytes, hashed: str) -> bool:
        try:
            return self._argon2.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _on_a_thread(self, work: Callable[[], T]) -> T:
        if self._running >= self._threads + self._max_waiting:
            raise UnavailableError("Too many people log in now.", retry_after=RETRY_AFTER_S)
        self._running += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._running -= 1


def _bytes(password: str) -> bytes:
    return password.encode(errors="replace")


def _unpadded(raw: bytes) -> str:
    return base64.b64encode(raw).decode().rstrip("=")


# It costs what any other costs to verify, and no password is known that has it.
_NOBODYS = (
    f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}"
    f"${_unpadded(bytes(_SALT_BYTES))}${_unpadded(bytes(_HASH_BYTES))}"
)
