"""Where the processor time of a request goes: the table of ``docs/explanation/performance.md``.

A sampling profile of a server that answers whole chats in a closed loop, taken from outside by
py-spy, which costs the server next to nothing. Each sample belongs to one part: the innermost
frame that a part claims. What no Python frame stands for is the loop's own work and the kernel's.

    make profile-gateway
    uv run --with py-spy python -m bench.profile --everything
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bench.processes import two_cores
from bench.scenarios import THROUGHPUT, WARM_UP_S, measure
from bench.targets import Target, start_mock, start_stoa, with_everything

RATE = 500
LOOP = "the loop, and the kernel's reads and writes"
# What a frame's file begins with, the narrower ones first. Other files belong to who calls them.
PARTS = {
    "limits and budget": (
        "application/inference/allotments/",
        "application/inference/limits/",
        "application/inference/call_allowances",
        "application/inference/budget_check",
        "application/inference/rate_limit_check",
        "adapters/postgres/inference/allotment",
        "adapters/postgres/inference/budget",
        "adapters/postgres/inference/limit",
        "adapters/postgres/inference/rate_limit",
    ),
    "the key": ("application/identity/", "adapters/http/auth/"),
    "rows and outcomes, and their batches": ("adapters/postgres/", "asyncpg/"),
    "outcome: cost, metrics": (
        "application/inference/call_in_flight",
        "application/inference/observed_ledger",
        "adapters/http/metrics/calls",
        "adapters/http/metrics/attempts",
        "adapters/http/metrics/recalls",
    ),
    "admission: plan, row": (
        "application/inference/admission",
        "application/inference/call_policy",
        "application/inference/interception",
        "application/inference/routing/",
        "application/inference/guarding/",
        "application/inference/keeping/",
        "application/models/",
    ),
    "the provider: request, connection, answer": (
        "adapters/providers/",
        "application/inference/attempts/",
        "application/inference/invoke_model",
        "application/inference/stream_model",
    ),
    "the door: body, command, answer": ("adapters/http/data_plane/", "adapters/http/openai/"),
    "around every request: ids, headers, counting": ("adapters/http/frame", "adapters/http/"),
    "the framework": ("litestar/",),
    "the HTTP server": ("uvicorn/", "adapters/http/server/"),
    LOOP: ("asyncio/", "uvloop/"),
}
# The narrowest claim on a file decides.
CLAIMS = sorted(
    ((prefix, part) for part, prefixes in PARTS.items() for prefix in prefixes),
    key=lambda claim: -len(claim[0]),
)


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    profiler = shutil.which("py-spy")
    if profiler is None:
        raise SystemExit("py-spy is not there: `make profile-gateway` brings it along.")
    work = Path(tempfile.mkdtemp(prefix="stoa-profile-"))
    core, beside = two_cores()
    running: list[Target] = []
    try:
        mock = start_mock(work)
        running.append(mock)
        mock.keep_on(beside, beside=beside)
        stoa = start_stoa(work, mock, [THROUGHPUT.model])
        running.append(stoa)
        stoa.keep_on(core, beside=beside)
        target = with_everything(stoa) if options.everything else stoa
        samples, microseconds = _sampled(profiler, target, options.seconds, beside, work)
    finally:
        for target in reversed(running):
            target.stop()
    shutil.rmtree(work)
    print("\n".join(_table(_by_part(samples), microseconds)))
    return 0


def _sampled(
    profiler: str, target: Target, seconds: float, core: int | None, work: Path
) -> tuple[list[str], float]:
    """The samples, and the processor time of a request while nobody took any."""
    measure(target, THROUGHPUT, WARM_UP_S, core)
    undisturbed = measure(target, THROUGHPUT, seconds, core)
    found = work / "profile.txt"
    command = [profiler, "record", "--pid", str(target.process.pid), "--rate", str(RATE)]
    command += ["--duration", str(max(1, round(seconds))), "--format", "raw"]
    command += ["--output", str(found)]
    taking = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    measure(target, THROUGHPUT, seconds + 1, core)
    if taking.wait(timeout=60):
        raise SystemExit("py-spy could not look into the server; it may need more rights.")
    return found.read_text().splitlines(), 1e6 / undisturbed.requests_per_cpu_s


def _by_part(samples: Iterable[str]) -> Counter[str]:
    """Of the loop's thread alone; those of the pool wait for work."""
    counted: Counter[str] = Counter()
    for sample in samples:
        stack, _, count = sample.rpartition(" ")
        frames = stack.split(";")
        if any(frame.startswith("Runner.run ") for frame in frames):
            counted[_part_of(frames)] += int(count)
    return counted


def _part_of(frames: Sequence[str]) -> str:
    for frame in reversed(frames):
        file = frame.rpartition("(")[2]
        for prefix, part in CLAIMS:
            if file.startswith(prefix):
                return part
    return LOOP


def _table(counted: Counter[str], microseconds: float) -> Iterator[str]:
    total = counted.total()
    if not total:
        raise SystemExit("There was no sample of the server's loop.")
    yield f"{microseconds:.0f} µs of processor time for a request, {total:,} samples"
    yield ""
    yield "| part | share | µs |"
    yield "|---|---|---|"
    for part, count in counted.most_common():
        share = count / total
        yield f"| {part} | {share:.0%} | {share * microseconds:.0f} |"


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Profile the hot path of Stoa's data plane.")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--everything", action="store_true", help="with limits and a hard budget")
    options = parser.parse_args(arguments)
    if not 1 <= options.seconds <= 60:
        parser.error("1 to 60 seconds, please")
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
