import asyncio
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from pathlib import Path

import pytest

from adapters.providers.local.hosted_model import ModelState
from adapters.providers.local.provider import LocalProvider
from application.inference.ports import ProviderStream
from domain.inference.errors import ProviderBusyError, ProviderFailedError
from domain.models.served_model import ModelKind, ServedModel
from tests.fakes.local_models import (
    MINILM,
    SMOLLM2,
    STORY,
    chat_request,
    embedding_request,
    local_provider,
)

pytestmark = pytest.mark.local_model

ROOT = Path(__file__).parents[3]
LISTENING = "0A"


async def a_story(provider: LocalProvider) -> ProviderStream:
    """A long answer, its first words read."""
    stream = await provider.open_stream(chat_request(stream=True, messages=STORY))
    await anext(aiter(stream))
    return stream


async def test_both_models_are_ready(provider: LocalProvider) -> None:
    await provider.complete(chat_request(max_tokens=1))
    await provider.complete(embedding_request(input="a"))

    assert {name: status.state for name, status in provider.status().items()} == {
        SMOLLM2.name: ModelState.READY,
        MINILM.name: ModelState.READY,
    }


async def test_closing_a_stream_frees_its_slot(provider: LocalProvider) -> None:
    streams = [await a_story(provider) for _ in range(2)]
    waiting = asyncio.create_task(provider.complete(chat_request(max_tokens=1)))
    done_while_full, _ = await asyncio.wait({waiting}, timeout=0.1)

    began = time.monotonic()
    await streams[0].aclose()
    await streams[0].aclose()
    await waiting
    freed_after = time.monotonic() - began
    await streams[1].aclose()

    assert not done_while_full
    assert freed_after < 15
    assert streams[0].report.usage.completion_tokens > 0
    assert streams[0].report.usage.counted


async def test_cancelling_stops_the_reading_of_a_long_prompt(provider: LocalProvider) -> None:
    prompt = [{"role": "user", "content": "world " * 1900}]
    calls = [
        asyncio.create_task(provider.complete(chat_request(messages=prompt))) for _ in range(2)
    ]
    await asyncio.sleep(0.3)

    began = time.monotonic()
    for call in calls:
        call.cancel()
    await asyncio.wait(calls)
    await provider.complete(chat_request(max_tokens=1))

    assert all(call.cancelled() for call in calls)
    # Reading both to the end takes far longer.
    assert time.monotonic() - began < 20


async def test_refuses_when_the_queue_is_full() -> None:
    provider = local_provider(SMOLLM2, queue_size=1)
    await provider.start()
    streams = [await a_story(provider) for _ in range(2)]
    queued = asyncio.create_task(provider.complete(chat_request(max_tokens=1)))
    await asyncio.sleep(0.05)

    with pytest.raises(ProviderBusyError):
        await provider.complete(chat_request())
    queued.cancel()
    await asyncio.wait({queued})
    behind = asyncio.create_task(provider.complete(chat_request(max_tokens=1)))
    await streams[0].aclose()
    answer = await behind
    await provider.stop()

    assert answer.usage.completion_tokens == 1


async def test_chats_and_embeds_at_the_same_time(provider: LocalProvider) -> None:
    chat = provider.complete(chat_request(messages=STORY, max_tokens=40))
    vectors = [provider.complete(embedding_request(input=["some text"] * 8)) for _ in range(4)]

    answer, *embedded = await asyncio.gather(chat, *vectors)

    assert answer.usage.completion_tokens == 40
    assert len({one.body for one in embedded}) == 1


async def test_stopping_ends_what_runs() -> None:
    provider = local_provider(SMOLLM2)
    await provider.start()
    stream = await a_story(provider)

    began = time.monotonic()
    await provider.stop()
    await provider.stop()
    took = time.monotonic() - began

    assert took < 15
    with pytest.raises(ProviderFailedError):
        async for _ in stream:
            pass
    with pytest.raises(ProviderFailedError):
        await provider.complete(chat_request())


async def test_a_damaged_file_is_reported_and_refused_clearly(tmp_path: Path) -> None:
    file = tmp_path / "broken.gguf"
    file.write_bytes(b"GGUF" + bytes(100))
    broken = ServedModel(
        name="broken", kind=ModelKind.CHAT, provider="local", upstream_name=str(file)
    )
    provider = local_provider(broken)
    await provider.start()

    with pytest.raises(ProviderFailedError, match="could not load") as raised:
        await provider.complete(chat_request(broken))
    status = provider.status()["broken"]
    await provider.stop()

    assert status.state is ModelState.FAILED
    assert status.reason is not None
    assert status.reason in raised.value.message


async def test_listens_on_no_port_and_no_socket_that_has_a_name(provider: LocalProvider) -> None:
    await provider.complete(chat_request(max_tokens=1))

    own = own_sockets()
    ports = [row for table in ("tcp", "tcp6") for row in table_of(table) if row[3] == LISTENING]
    assert own
    assert not [row for row in ports if row[9] in own]
    assert reachable_names(own) == []


def own_sockets() -> set[str]:
    """The inodes of this process's sockets."""
    inodes = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            if match := re.match(r"socket:\[(\d+)\]", str(descriptor.readlink())):
                inodes.add(match[1])
    return inodes


def reachable_names(inodes: set[str]) -> list[str]:
    named = [row for row in table_of("unix") if row[6] in inodes and len(row) > 7]
    return [row[7] for row in named if Path(row[7]).exists()]


def table_of(kind: str) -> list[list[str]]:
    lines = Path(f"/proc/self/net/{kind}").read_text(encoding="utf-8").splitlines()[1:]
    return [line.split() for line in lines]


# Whether the signal comes before it or in the middle of it makes no difference.
INTERRUPTED = "await asyncio.sleep(60)"


@pytest.mark.parametrize(
    ("ending", "codes"),
    [("sys.exit(7)", {7}), (INTERRUPTED, {130, -signal.SIGINT})],
    ids=["exit", "interrupt"],
)
def test_an_interpreter_that_ends_in_mid_answer_ends_cleanly(ending: str, codes: set[int]) -> None:
    program = f"""
        import asyncio, signal, sys
        from tests.fakes.local_models import SMOLLM2, STORY, chat_request, local_provider

        async def main():
            provider = local_provider(SMOLLM2)
            await provider.start()
            stream = await provider.open_stream(chat_request(stream=True, messages=STORY))
            await anext(aiter(stream))
            print("running", flush=True)
            {ending}

        asyncio.run(main())
    """
    process = subprocess.Popen(  # noqa: S603 (our own interpreter and program)
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT}/src:{ROOT}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"

    if ending == INTERRUPTED:
        process.send_signal(signal.SIGINT)
    try:
        _, errors = process.communicate(timeout=180)
    finally:
        process.kill()

    assert process.returncode in codes, errors
    assert "FATAL" not in errors
