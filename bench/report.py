"""Writes the results of a run as a page."""

import os
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.marks import marks_lines
from bench.peers import Peer, peer_lines
from bench.processes import machine
from bench.scaling import AIM, Scaling, scaling_lines
from bench.scenarios import (
    FIRST_TOKEN,
    LATENCY,
    SCENARIOS,
    STREAMS,
    THROUGHPUT,
    Outcome,
    Outcomes,
    Scenario,
    best,
    typical,
)
from bench.targets import EMPTY, EVERYTHING, STOA

PACKAGES = ("stoa", "uvicorn", "uvloop", "httptools", "litestar", "msgspec", "asyncpg", "dishka")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a run besides its loads."""

    command: str
    rounds: int
    seconds: float
    pinned: bool
    goes_ahead: bool
    first_start_s: Mapping[str, float]
    later_start_s: Mapping[str, float]
    idle_memory_mib: float
    idle_database_memory_mib: float
    held_streams_memory_mib: float
    loaded_memory_mib: float
    scaling: Scaling
    peers: Sequence[Peer]
    seeded: tuple[int, int]
    exact: bool
    ledger: str


def write_report(path: Path, facts: Facts, outcomes: Outcomes) -> None:
    path.write_text("\n".join(_lines(facts, outcomes)) + "\n")


def _lines(facts: Facts, outcomes: Outcomes) -> Iterator[str]:
    yield from _introduction(facts)
    yield from _summary(facts, outcomes)
    yield from _table(outcomes)
    if any(facts.seeded):
        yield from _flatness(facts, outcomes)
    if facts.scaling.rounds:
        yield from scaling_lines(facts.scaling)
    if facts.peers:
        yield from peer_lines(facts.peers, outcomes, facts.idle_memory_mib)
    yield from marks_lines(outcomes)
    yield from _server(facts)


def _introduction(facts: Facts) -> Iterator[str]:
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    yield "# What the data plane costs"
    yield ""
    yield "The same load is sent to a mock model server directly and through one Stoa process, with"
    yield "keys checked and every call written to the ledger in the embedded Postgres; once more"
    yield "with a key that has limits and a hard budget (`stoa, everything on`)."
    yield "This file is written by the command below; `docs/explanation/performance.md` explains."
    yield ""
    yield f"- command: `{facts.command}`"
    yield f"- when: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, revision {_revision()}"
    yield f"- machine: {machine()}; load average at the end {load}"
    yield f"- versions: Python {platform.python_version()}, {versions}"
    places = (
        "the server on one core; mock, load and Postgres on the other"
        if facts.pinned
        else "processes not pinned"
    )
    yield f"- method: {facts.rounds} rounds of {facts.seconds:g} s a load after a warm-up; {places}"
    if facts.goes_ahead:
        yield "  where latency counts, mock and load, which stand for other machines, go first"
    yield f"- there beforehand: {facts.seeded[0]:,} rows in the ledger, {facts.seeded[1]:,} keys"
    yield f"- ledger: {facts.ledger}: **{'exact' if facts.exact else 'NOT EXACT'}**"
    yield ""


def _summary(facts: Facts, outcomes: Outcomes) -> Iterator[str]:
    requests = typical(outcomes[EVERYTHING, THROUGHPUT.name], "requests_per_cpu_s")
    events = typical(outcomes[EVERYTHING, STREAMS.name], "events_per_cpu_s")
    streams = typical(outcomes[EVERYTHING, STREAMS.name], "per_second")
    yield "One process on one core, with keys, limits, the holds of a hard budget, routing, metrics"
    yield "and the committed ledger, all on:"
    yield ""
    yield "| | measured | aim |"
    yield "|---|---|---|"
    yield f"| requests per CPU-second | {requests:,.0f} | ≥ 2,500 |"
    yield f"| SSE events per CPU-second | {events:,.0f} | ≥ 100,000 |"
    yield f"| streams of 54 events per second | {streams:,.0f} | ≥ 1,000 |"
    for quantile, aim in (("p50", "≤ 1 ms"), ("p99", "≤ 5 ms")):
        added = _added(outcomes, LATENCY.name, "latency_ms", quantile)
        yield f"| added {quantile} at 300 requests/s | {added:.2f} ms | {aim} |"
    for quantile, aim in (("p50", "≤ 1 ms"), ("p99", "")):
        added = _added(outcomes, FIRST_TOKEN.name, "ttft_ms", quantile)
        yield f"| added {quantile} to the first token | {added:.2f} ms | {aim} |"
    yield f"| idle memory without local models | {facts.idle_memory_mib:.0f} MiB | ≤ 100 MiB |"
    yield f"| with 1,000 streams open | {facts.held_streams_memory_mib:.0f} MiB | ≤ 200 MiB |"
    if facts.scaling.rounds:
        yield f"| two workers beside one | {facts.scaling.ratio:.2f} x | ≥ {AIM} x |"
    yield f"| start without local models | {facts.later_start_s['readyz']:.2f} s | ≤ 2 s |"
    yield ""


def _table(outcomes: Outcomes) -> Iterator[str]:
    yield "## Loads"
    yield ""
    yield "Rates are medians of the rounds; latencies are those of the best round, since other work"
    yield "on the machine only adds. Processor time is the server's own, Postgres beside it."
    yield ""
    yield (
        "| load | target | requests/s | requests per CPU-s | events per CPU-s | Postgres CPU µs "
        "per request | p50 / p99 ms | first byte p50 / p99 ms | errors |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for scenario in SCENARIOS:
        for (target, name), rounds in outcomes.items():
            if name == scenario.name:
                yield _row(scenario, target, rounds)
    yield ""


def _row(scenario: Scenario, target: str, rounds: list[Outcome]) -> str:
    database_us = _database_us(rounds)
    # At a low fixed rate the clock of the processor time is too coarse to divide by.
    measured = target != "direct" and not scenario.rate
    cells = [
        scenario.name,
        target,
        f"{typical(rounds, 'per_second'):,.0f}",
        f"{typical(rounds, 'requests_per_cpu_s'):,.0f}" if measured else "",
        f"{typical(rounds, 'events_per_cpu_s'):,.0f}" if measured and rounds[0].events else "",
        f"{database_us:.0f}" if measured and database_us else "",
        f"{best(rounds, 'latency_ms', 'p50'):.2f} / {best(rounds, 'latency_ms', 'p99'):.2f}",
        f"{best(rounds, 'ttft_ms', 'p50'):.2f} / {best(rounds, 'ttft_ms', 'p99'):.2f}",
        str(sum(sum(outcome.errors.values()) for outcome in rounds)),
    ]
    return f"| {' | '.join(cells)} |"


def _flatness(facts: Facts, outcomes: Outcomes) -> Iterator[str]:
    yield "## What history costs"
    yield ""
    yield "The same load on the same server, before and after its database was filled."
    yield ""
    yield "| in the database | server CPU µs per request | Postgres CPU µs per request |"
    yield "|---|---|---|"
    calls, keys = facts.seeded
    for name, there in ((EMPTY, "next to nothing"), (STOA, f"{calls:,} calls, {keys:,} keys")):
        rounds = outcomes[name, THROUGHPUT.name]
        server = 1e6 / typical(rounds, "requests_per_cpu_s")
        yield f"| {there} | {server:.0f} | {_database_us(rounds):.0f} |"
    yield ""


def _server(facts: Facts) -> Iterator[str]:
    yield "## The process"
    yield ""
    yield "| | alive (`/healthz`) | ready (`/readyz`) | the server's processor time until then |"
    yield "|---|---|---|---|"
    for name, start in (
        ("first start: makes the database and the tables", facts.first_start_s),
        ("later start", facts.later_start_s),
    ):
        cells = (f"{start[moment]:.2f} s" for moment in ("healthz", "readyz", "cpu"))
        yield f"| {name} | {' | '.join(cells)} |"
    yield ""
    yield (
        f"Memory (PSS): {facts.idle_memory_mib:.0f} MiB idle, {facts.loaded_memory_mib:.0f} MiB "
        f"after the load, {facts.held_streams_memory_mib:.0f} MiB with 1,000 streams open; "
        f"Postgres {facts.idle_database_memory_mib:.0f} MiB idle."
    )


def _database_us(rounds: list[Outcome]) -> float:
    served = sum(outcome.succeeded for outcome in rounds)
    return sum(outcome.database_cpu_s for outcome in rounds) / max(served, 1) * 1e6


def _added(outcomes: Outcomes, name: str, what: str, quantile: str) -> float:
    through = best(outcomes[EVERYTHING, name], what, quantile)
    return through - best(outcomes["direct", name], what, quantile)


def _revision() -> str:
    git = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    run = subprocess.run(
        git, cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    return run.stdout.strip() or "unknown"
