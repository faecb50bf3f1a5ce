import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from adapters.passwords.argon2id import Argon2idHasher
from adapters.passwords.frequent_passwords import FrequentPasswords
from domain.shared.errors import UnavailableError


@pytest.fixture
def hasher() -> Iterator[Argon2idHasher]:
    hasher = Argon2idHasher(threads=1, max_waiting=3)
    yield hasher
    hasher.stop()


async def test_knows_the_password_of_a_hash(hasher: Argon2idHasher) -> None:
    hashed = await hasher.hash("pässwörd 🔑\0")

    assert hashed.startswith("$argon2id$")
    assert await hasher.verify("pässwörd 🔑\0", hashed)
    assert not await hasher.verify("pässwörd 🔑", hashed)
    assert not hasher.is_outdated(hashed)


async def test_hashes_of_one_password_differ(hasher: Argon2idHasher) -> None:
    assert await hasher.hash("the same") != await hasher.hash("the same")


@pytest.mark.parametrize("hashed", ["", "plain", "$argon2id$broken", "$2b$12$" + "a" * 53])
async def test_what_is_no_hash_belongs_to_no_password(hasher: Argon2idHasher, hashed: str) -> None:
    assert not await hasher.verify("plain", hashed)


async def test_a_weaker_hash_is_outdated(hasher: Argon2idHasher) -> None:
    hashed = await hasher.hash("a password")

    assert hasher.is_outdated(hashed.replace("m=19456", "m=8192"))


async def test_nobodys_password_takes_as_long_as_anybodys(hasher: Argon2idHasher) -> None:
    hashed = await hasher.hash("a password")

    known = await _fastest(hasher, hashed)
    unknown = await _fastest(hasher, None)

    # Without a hash to compare with, it would be a thousand times.
    assert known / 4 < unknown < known * 4


async def test_turns_away_whom_it_could_not_serve_in_time(hasher: Argon2idHasher) -> None:
    working = [asyncio.create_task(hasher.hash("a password")) for _ in range(4)]
    await asyncio.sleep(0)

    with pytest.raises(UnavailableError) as refused:
        await hasher.hash("one more")

    assert refused.value.retry_after is not None
    await asyncio.gather(*working)
    assert await hasher.hash("one more")


async def test_whoever_leaves_the_line_makes_room(hasher: Argon2idHasher) -> None:
    waiting = [asyncio.create_task(hasher.hash("a password")) for _ in range(4)]
    await asyncio.sleep(0)

    for task in waiting:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    assert await hasher.hash("one more")


async def test_the_list_of_common_passwords_does_not_care_for_case() -> None:
    common = FrequentPasswords()

    found = [await common.include(p) for p in ("password", "PassWord", "correct horse battery")]

    assert found == [True, True, False]


async def _fastest(hasher: Argon2idHasher, hashed: str | None) -> float:
    times = []
    for _ in range(5):
        started = time.perf_counter()
        await hasher.verify("another", hashed)
        times.append(time.perf_counter() - started)
    return min(times)
