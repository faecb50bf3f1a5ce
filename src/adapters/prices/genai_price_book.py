"""The price data of the package ``genai-prices``."""

import asyncio
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import structlog

from adapters.prices.entries import Entry
from application.models.pricing.ports import (
    KnownPrices,
    PriceBook,
    PriceBookMemory,
    PriceQuestion,
)
from domain.models.errors import PriceBookUnavailableError

log = structlog.get_logger()

LOOKUP = Path(__file__).with_name("lookup.py")
TIMEOUT_S = 30.0
_PACKAGE = "genai_prices"

# How the data calls the providers whose type says enough; any other is known by its address.
_NAMES = {
    "anthropic": "anthropic",
    "azure-openai": "azure",
    "bedrock": "aws",
    "cohere": "cohere",
    "google": "google",
    "mistral": "mistral",
    "openai": "openai",
}
# Nobody publishes what one's own machine costs.
_UNKNOWN = frozenset({"local", "ollama", "scripted"})


def book_version() -> str:
    """Which data there is, without reading it."""
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise PriceBookUnavailableError(f"the package '{_PACKAGE}' is not installed")
    beside = Path(spec.origin).parent.parent
    return next((path.stem for path in beside.glob(f"{_PACKAGE}-*.dist-info")), _PACKAGE)


def asked(question: PriceQuestion) -> str | None:
    """How the data is asked, as JSON; ``None`` for what it cannot know."""
    name = _NAMES.get(question.provider_type)
    url = None if name else question.base_url
    if question.provider_type in _UNKNOWN or (name is None and not _is_far(url)):
        return None
    how = {"provider": name, "url": url, "model": question.upstream_name}
    return msgspec.json.encode(how).decode()


def _is_far(url: str | None) -> bool:
    """Whether it may be one of those who publish prices: they have names in public."""
    host = urlsplit(url or "").hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return "." in host
    return False


class GenaiPriceBook(PriceBook):
    """Entries of the data, read by a process that ends with the answer. What it said, and that it
    said nothing, is remembered for as long as the data is of one version, so that what was asked
    once starts no process again."""

    def __init__(
        self,
        memory: PriceBookMemory,
        *,
        script: Path = LOOKUP,
        timeout_s: float = TIMEOUT_S,
        version: Callable[[], str] = book_version,
    ) -> None:
        self._memory = memory
        self._script = script
        self._timeout_s = timeout_s
        self._version = version

    async def look_up(
        self, questions: Collection[PriceQuestion]
    ) -> Mapping[PriceQuestion, KnownPrices]:
        wanted = {one: how for one in questions if (how := asked(one)) is not None}
        if not wanted:
            return {}
        entries = await self._entries(sorted(set(wanted.values())))
        known = {
            one: entry.known(one.kind) for one, how in wanted.items() if (entry := entries[how])
        }
        return {one: prices for one, prices in known.items() if prices is not None}

    async def _entries(self, wanted: Sequence[str]) -> dict[str, Entry | None]:
        book = self._version()
        found = {
            how: msgspec.convert(said, Entry | None, strict=False)
            for how, said in (await self._memory.recall(book, wanted)).items()
        }
        new = [how for how in wanted if how not in found]
        if new:
            read = await self._read(new)
            said = {how: msgspec.to_builtins(entry) for how, entry in read.items()}
            await self._memory.keep(book, said)
            found |= read
        return found

    async def _read(self, wanted: Sequence[str]) -> dict[str, Entry | None]:
        said = await self._ask(f"[{','.join(wanted)}]".encode())
        try:
            answers = msgspec.json.decode(said, type=list[Entry | None])
            return dict(zip(wanted, answers, strict=True))
        except ValueError as error:
            raise PriceBookUnavailableError("the answer cannot be understood") from error

    async def _ask(self, questions: bytes) -> bytes:
        # Without the script's own directory on the path, whose modules have common names.
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            str(self._script),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(self._timeout_s):
                said, complaints = await child.communicate(questions)
        except TimeoutError:
            reason = f"no answer within {self._timeout_s:g} s"
            raise PriceBookUnavailableError(reason) from None
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        if child.returncode:
            log.error("price_book.failed", said=complaints.decode(errors="replace")[-2000:])
            raise PriceBookUnavailableError(f"its reader ended with {child.returncode}")
        return said
