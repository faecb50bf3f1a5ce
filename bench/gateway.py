"""Measures the data plane: the same load sent to a mock model server directly and through Stoa.

Run it by hand, on a quiet machine; it writes ``bench/RESULTS.md``. Keys and the ledger are on, and
the run fails when the ledger does not have exactly one row for every request.

    make bench-gateway
    uv run python -m bench.gateway --rounds 1 --seconds 2
"""

import argparse
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.ledger_check import Sent, check_ledger
from bench.peers import PEER_SCENARIOS, Peer, start_litellm, start_portkey, wait_until_it_answers
from bench.processes import may_go_ahead, memory_mib, pin, two_cores
from bench.report import Facts, write_report
from bench.scaling import Scaling, measure_scaling
from bench.scenarios import (
    HELD_STREAMS,
    SCENARIOS,
    THROUGHPUT,
    WARM_UP_S,
    Outcome,
    Scenario,
    measure,
    memory_under,
)
from bench.seeding import seed
from bench.targets import (
    EMPTY,
    Target,
    start_mock,
    start_nginx,
    start_stoa,
    with_everything,
)

RESULTS = Path(__file__).with_name("RESULTS.md")
# What a server has to come to rest after its start.
REST_S = 2.0


@dataclass(kw_only=True)
class Stage:
    """The work folder, the mock, and every server that has been started there."""

    work: Path
    mock: Target
    running: list[Target]

    def start(self, workers: int = 1) -> Target:
        models = {scenario.model for scenario in (*SCENARIOS, HELD_STREAMS)}
        stoa = start_stoa(self.work, self.mock, models, workers)
        self.running.append(stoa)
        return stoa

    def start_nginx(self) -> list[Target]:
        found = start_nginx(self.work, self.mock)
        self.running.extend([found] if found else [])
        return [found] if found else []


@dataclass(kw_only=True)
class Run:
    """One benchmark in progress."""

    rounds: int
    seconds: float
    outcomes: dict[tuple[str, str], list[Outcome]] = field(default_factory=dict)
    sent: Sent = field(default_factory=Sent)
    mock: Target
    core: int | None = None
    beside: int | None = None

    def go(self, targets: Sequence[Target], scenarios: Sequence[Scenario] = SCENARIOS) -> None:
        for number in range(self.rounds):
            for scenario in scenarios:
                for target in targets:
                    self._measure(target, scenario, number)

    def go_empty(self, target: Target) -> None:
        """The throughput while next to nothing is in the database."""
        for number in range(self.rounds):
            self._measure(target, THROUGHPUT, number, called=EMPTY)

    def hold_streams(self, target: Target) -> float:
        """MiB of the server with a thousand streams open."""
        held, sent, answered = memory_under(target, HELD_STREAMS, self.beside)
        self.sent.add(target, sent=sent, answered=answered)
        return held

    def _measure(
        self, target: Target, scenario: Scenario, number: int, *, called: str | None = None
    ) -> None:
        for seconds in (WARM_UP_S, self.seconds):
            outcome = measure(target, scenario, seconds, self.beside, mock=self.mock)
            self.sent.add(target, sent=outcome.sent, answered=outcome.succeeded)
        name = called or target.name
        self.outcomes.setdefault((name, scenario.name), []).append(outcome)
        p50 = outcome.latency_ms.get("p50", float("nan"))
        print(
            f"round {number + 1}  {scenario.name:28} {name:19} {outcome.per_second:9,.0f}/s "
            f"{outcome.requests_per_cpu_s:9,.0f} req/CPU-s {outcome.events_per_cpu_s:10,.0f} "
            f"events/CPU-s  p50 {p50:7.2f} ms  {outcome.errors or ''}",
            flush=True,
        )


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    # A thousand streams are a thousand sockets on every side.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    work = Path(tempfile.mkdtemp(prefix="stoa-bench-"))
    running: list[Target] = []
    try:
        facts, run = _benchmark(options, work, running)
    finally:
        for target in reversed(running):
            target.stop()
    write_report(Path(options.output), facts, run.outcomes)
    print(f"\nWritten to {options.output}. Ledger: {facts.ledger}")
    others = {peer.target.name for peer in facts.peers}
    failed = any(
        outcome.errors
        for (name, _), outcomes in run.outcomes.items()
        for outcome in outcomes
        if name not in others
    )
    if failed or not facts.exact:
        print(f"FAILED; the output of the servers is in {work}")
        return 1
    shutil.rmtree(work)
    return 0


def _benchmark(options: argparse.Namespace, work: Path, running: list[Target]) -> tuple[Facts, Run]:
    core, beside = two_cores()
    mock = start_mock(work)
    running.append(mock)
    stage = Stage(work=work, mock=mock, running=running)
    run = Run(rounds=options.rounds, seconds=options.seconds, mock=mock, core=core, beside=beside)
    mock.keep_on(beside, beside=beside)
    first, stoa = _start_twice(stage)
    memory = memory_mib(stoa.own), memory_mib(stoa.database)
    nginx = stage.start_nginx()
    for target in (stoa, *nginx):
        target.keep_on(core, beside=beside)
    everything = with_everything(stoa)
    if options.seed_calls or options.seed_keys:
        run.go_empty(stoa)
        seed(work / "data", calls=options.seed_calls, keys=options.seed_keys)
    run.go([mock, stoa, everything, *nginx])
    held, loaded = run.hold_streams(everything), memory_mib(stoa.own)
    stoa.stop()
    scaling = _scale(stage, run, everything)
    last = replace(stage.start(), key=stoa.key)
    exact, ledger = check_ledger(last, mock, run.sent, seeded=options.seed_calls)
    last.stop()
    peers = _measure_peers(options.peers, stage, run)
    facts = Facts(
        command=options.command,
        rounds=options.rounds,
        seconds=options.seconds,
        pinned=core is not None,
        goes_ahead=may_go_ahead(),
        first_start_s=first.start_s,
        later_start_s=stoa.start_s,
        idle_memory_mib=memory[0],
        idle_database_memory_mib=memory[1],
        held_streams_memory_mib=held,
        loaded_memory_mib=loaded,
        scaling=scaling,
        peers=peers,
        seeded=(options.seed_calls, options.seed_keys),
        exact=exact,
        ledger=ledger,
    )
    return facts, run


def _start_twice(stage: Stage) -> tuple[Target, Target]:
    """A first start, which makes the database, and the one that is measured; that one at rest."""
    first = stage.start()
    first.stop()
    later = stage.start()
    time.sleep(REST_S)
    return first, later


def _scale(stage: Stage, run: Run, everything: Target) -> Scaling:
    """Servers of one and of two workers in turn, on the same database and with the same key."""

    def start(workers: int) -> Target:
        crew = replace(stage.start(workers), name=everything.name, key=everything.key)
        time.sleep(REST_S)
        return crew

    return measure_scaling(start, run.mock, run.sent, rounds=run.rounds, seconds=run.seconds)


def _measure_peers(folder: Path | None, stage: Stage, run: Run) -> list[Peer]:
    """One after the other, since each would take memory and caches from the next."""
    peers: list[Peer] = []
    pin(stage.mock.own, run.beside)
    for start in (start_litellm, start_portkey):
        if folder and (target := start(stage.work, stage.mock, folder)):
            stage.running.append(target)
            peers.append(wait_until_it_answers(target))
            target.keep_on(run.core, beside=run.beside)
            run.go([target], PEER_SCENARIOS)
            target.stop()
    return peers


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure Stoa's data plane.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each load")
    parser.add_argument("--seed-calls", type=int, default=0, help="rows in the ledger beforehand")
    parser.add_argument("--seed-keys", type=int, default=0, help="API keys beforehand")
    parser.add_argument("--peers", type=Path, help="where `python -m bench.peers` installed them")
    parser.add_argument("--output", default=str(RESULTS))
    options = parser.parse_args(arguments)
    if not 1 <= options.rounds <= 20 or not 0.5 <= options.seconds <= 60:
        parser.error("1 to 20 rounds of 0.5 to 60 seconds, please")
    if not 0 <= options.seed_calls <= 10_000_000 or not 0 <= options.seed_keys <= 1_000_000:
        parser.error("at most ten million rows and a million keys, please")
    options.command = " ".join(["uv run python -m bench.gateway", *arguments])
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
