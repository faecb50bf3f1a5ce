import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.prices.genai_price_book import GenaiPriceBook, book_version
from application.models.pricing.ports import PriceQuestion
from domain.models.errors import PriceBookUnavailableError
from domain.models.prices import Prices, PriceTier
from domain.models.served_model import ModelKind
from domain.shared.usage import Usage
from tests.fakes.pricing import InMemoryPriceBookMemory


def ask(
    name: str,
    provider_type: str = "openai",
    *,
    base_url: str | None = None,
    kind: ModelKind = ModelKind.CHAT,
) -> PriceQuestion:
    return PriceQuestion(
        provider_type=provider_type, base_url=base_url, upstream_name=name, kind=kind
    )


# All that is asked of the data below, so that one process reads it for most tests.
PUBLISHED = (
    ask("gpt-4o"),
    ask("claude-sonnet-4-5", "anthropic"),
    ask("gemini-2.5-pro", "google"),
    ask("whisper-1", kind=ModelKind.TRANSCRIPTION),
    ask("tts-1", kind=ModelKind.SPEECH),
    ask("text-embedding-3-small", kind=ModelKind.EMBEDDING),
    ask("gpt-audio"),
    ask("gpt-4o-audio-preview"),
    ask("llama-3.3-70b-versatile", "openai-compatible", base_url="https://api.groq.com/openai/v1"),
    ask("no-such-model"),
    ask("omni-moderation-latest", kind=ModelKind.MODERATION),
    ask("mistral-large-4", "mistral"),
)


@pytest.fixture(scope="module")
async def published() -> InMemoryPriceBookMemory:
    """What the data has said."""
    memory = InMemoryPriceBookMemory()
    await GenaiPriceBook(memory).look_up(PUBLISHED)
    return memory


@pytest.fixture
def book(published: InMemoryPriceBookMemory) -> GenaiPriceBook:
    return GenaiPriceBook(InMemoryPriceBookMemory(answers=dict(published.answers)))


def a_script(directory: Path, text: str) -> Path:
    path = directory / "script.py"
    path.write_text(text)
    return path


async def test_knows_what_providers_publish(book: GenaiPriceBook) -> None:
    gpt, claude, gemini, whisper, tts, embedder = (
        ask("gpt-4o"),
        ask("claude-sonnet-4-5", "anthropic"),
        ask("gemini-2.5-pro", "google"),
        ask("whisper-1", kind=ModelKind.TRANSCRIPTION),
        ask("tts-1", kind=ModelKind.SPEECH),
        ask("text-embedding-3-small", kind=ModelKind.EMBEDDING),
    )

    known = await book.look_up((gpt, claude, gemini, whisper, tts, embedder))

    prices = {question: found.schedule[-1].prices for question, found in known.items()}
    assert prices[gpt] == Prices(
        input=Decimal("2.5"), output=Decimal(10), cached_input=Decimal("1.25")
    )
    assert prices[claude].cache_write_1h == Decimal(6)
    assert prices[gemini].tiers == (
        PriceTier(
            above=200_000,
            prices=Prices(
                input=Decimal("2.5"),
                output=Decimal(15),
                cached_input=Decimal("0.25"),
                audio_input=Decimal("2.5"),
                audio_output=Decimal(15),
            ),
        ),
    )
    assert prices[whisper].second == Decimal("0.0001")
    assert prices[tts].character == 15
    assert prices[embedder].input == Decimal("0.02")
    assert known[gpt].context_window == 128_000
    assert "web_searches_kcount" in known[gpt].not_expressed
    assert sys.modules.get("genai_prices") is None


async def test_audio_costs_what_is_published_and_is_never_billed_as_text(
    book: GenaiPriceBook,
) -> None:
    published, untold = ask("gpt-audio"), ask("gpt-4o-audio-preview")
    gemini = ask("gemini-2.5-pro", "google")
    asked = (published, untold, gemini)
    heard = Usage(prompt_tokens=1_000_000, audio_input_tokens=1_000_000)
    said = Usage(completion_tokens=1_000_000, audio_output_tokens=1_000_000)

    known = await book.look_up(asked)

    prices = [known[one].schedule[-1].prices for one in asked]
    assert [one.bill(heard) for one in prices] == [Decimal(32), None, Decimal("2.5")]
    assert [one.bill(said) for one in prices] == [Decimal(64), None, Decimal(10)]


async def test_finds_compatible_servers_by_their_address(book: GenaiPriceBook) -> None:
    kind = "openai-compatible"
    groq = ask("llama-3.3-70b-versatile", kind, base_url="https://api.groq.com/openai/v1")
    own = ask("gpt-4o", kind, base_url="http://127.0.0.1:8000/v1")

    known = await book.look_up((groq, own))

    assert set(known) == {groq}


@pytest.mark.parametrize(
    "question",
    [
        ask("no-such-model"),
        ask("omni-moderation-latest", kind=ModelKind.MODERATION),
        ask("llama3", "ollama"),
        ask("embedded:smollm2-135m", "local"),
        ask("gpt-4o", "scripted"),
    ],
    ids=["unknown", "free", "ollama", "local", "scripted"],
)
async def test_what_nobody_bills_is_unknown(book: GenaiPriceBook, question: PriceQuestion) -> None:
    assert await book.look_up((question,)) == {}


async def test_what_was_asked_once_starts_no_process(
    published: InMemoryPriceBookMemory, book: GenaiPriceBook, tmp_path: Path
) -> None:
    questions = (
        ask("gpt-4o"),
        ask("no-such-model"),
        ask("whisper-1", kind=ModelKind.TRANSCRIPTION),
    )
    known = await book.look_up(questions)
    broken = GenaiPriceBook(published, script=a_script(tmp_path, "raise SystemExit(3)"))

    again = await broken.look_up(questions)

    assert again == known


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/v1", "http://[::1]/v1", "http://localhost/v1", "http://vllm/v1"]
)
async def test_nobody_asks_for_servers_of_ones_own(tmp_path: Path, url: str) -> None:
    script = a_script(tmp_path, "raise SystemExit(3)")
    book = GenaiPriceBook(InMemoryPriceBookMemory(), script=script)

    assert await book.look_up((ask("gpt-4o", "openai-compatible", base_url=url),)) == {}


async def test_a_new_version_of_the_data_is_read(
    published: InMemoryPriceBookMemory, tmp_path: Path
) -> None:
    said = (
        '[{"entry": "a/b", "context_window": null, "variants": [], "prices": [{"since": null,'
        ' "hours": null, "units": {"input_mtok": {"base": "1", "tiers": []},'
        ' "output_mtok": {"base": "2", "tiers": []}}}]}]'
    )
    script = a_script(tmp_path, f"print({said!r})")

    memory = InMemoryPriceBookMemory(answers=dict(published.answers))
    known = await GenaiPriceBook(memory, script=script, version=lambda: "new").look_up(
        (ask("gpt-4o"),)
    )

    assert [found.entry for found in known.values()] == ["a/b"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("raise SystemExit(3)", "ended with 3"),
        ("print('[]')", "cannot be understood"),
        ("print('no')", "cannot be understood"),
        ("import time; time.sleep(60)", "within 0.5 s"),
    ],
)
async def test_a_book_that_cannot_be_read_is_an_error(
    tmp_path: Path, text: str, reason: str
) -> None:
    memory = InMemoryPriceBookMemory()
    book = GenaiPriceBook(memory, script=a_script(tmp_path, text), timeout_s=0.5)

    with pytest.raises(PriceBookUnavailableError, match=reason):
        await book.look_up((ask("gpt-4o"),))

    assert memory.answers == {}


async def test_prices_change_at_their_dates(book: GenaiPriceBook) -> None:
    question = ask("mistral-large-4", "mistral")

    known = await book.look_up((question,))

    moments = [dated.since for dated in known[question].schedule]
    assert moments[0] is None
    assert datetime(2026, 10, 20, tzinfo=UTC) in moments


def test_the_version_is_known_without_reading_the_data() -> None:
    assert book_version().startswith("genai_prices-")
    assert sys.modules.get("genai_prices") is None
