import asyncio

from application.identity.ports import CommonPasswords


class FrequentPasswords(CommonPasswords):
    """The 30,000 most frequent passwords of leaks, read when the first new password is chosen."""

    def __init__(self) -> None:
        self._known: frozenset[str] | None = None

    async def include(self, password: str) -> bool:
        if self._known is None:
            self._known = await asyncio.to_thread(_read)
        return password.lower() in self._known


def _read() -> frozenset[str]:
    # Most processes never need the list, which takes a while to read.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415

    return frozenset(FREQUENCY_LISTS["passwords"])
