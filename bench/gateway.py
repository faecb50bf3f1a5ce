"""Measures the data plane: the same load sent to a mock model server directly and through Stoa.

Run it by hand, on a quiet machine; it writes ``bench/RESULTS.md``. Keys and the ledger are on, and
the run fails when the ledger does not have exactly one row for every request.

    make bench-gateway
    uv run python -m bench.gateway --rounds 1 --seconds 2
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.processes import memory_mib, two_cores
from bench.report import Facts, write_report
from bench.scenarios import SCENARIOS, WARM_UP_S, Outcome, Scenario, measure
from bench.targets import Target, start_mock, start_nginx, start_stoa

RESULTS = Path(__file__).with_name("RESULTS.md")
LEDGER_TIMEOUT_S = 30.0


@dataclass(kw_only=True)
class Run:
    """One benchmark in progress."""

    rounds: int
    seconds: float
    targets: list[Target] = field(default_factory=list)
    outcomes: dict[tuple[str, str], list[Outcome]] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    core: int | None = None
    beside: int | None = None

    def go(self) -> None:
        for number in range(self.rounds):
            for scenario in SCENARIOS:
                for target in self.targets:
                    self._measure(target, scenario, number)

    def _measure(self, target: Target, scenario: Scenario, number: int) -> None:
        warm_up = measure(target, scenario, WARM_UP_S, self.beside)
        outcome = measure(target, scenario, self.seconds, self.beside)
        self.sent[target.name] = self.sent.get(target.name, 0) + warm_up.sent + outcome.sent
        self.outcomes.setdefault((target.name, scenario.name), []).append(outcome)
        p50 = outcome.latency_ms.get("p50", float("nan"))
        print(
            f"round {number + 1}  {scenario.name:28} {target.name:7} {outcome.per_second:9,.0f}/s "
            f"{outcome.requests_per_cpu_s:9,.0f} req/CPU-s {outcome.events_per_cpu_s:10,.0f} "
            f"events/CPU-s  p50 {p50:7.2f} ms  {outcome.errors or ''}",
            flush=True,
        )


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    work = Path(tempfile.mkdtemp(prefix="stoa-bench-"))
    running: list[Target] = []
    try:
        facts, run = _benchmark(options, work, running)
    finally:
        for target in reversed(running):
            target.stop()
    write_report(Path(options.output), facts, run.outcomes)
    print(f"\nWritten to {options.output}. Ledger: {facts.ledger}")
    failed = any(outcome.errors for outcomes in run.outcomes.values() for outcome in outcomes)
    if failed or not facts.exact:
        print(f"FAILED; the output of the servers is in {work}")
        return 1
    shutil.rmtree(work)
    return 0


def _benchmark(options: argparse.Namespace, work: Path, running: list[Target]) -> tuple[Facts, Run]:
    core, beside = two_cores()
    run = Run(rounds=options.rounds, seconds=options.seconds, core=core, beside=beside)
    mock = start_mock(work)
    running.append(mock)
    mock.keep_on(beside, beside=beside)
    models = [scenario.model for scenario in SCENARIOS]
    first = start_stoa(work, mock, models)
    running.append(first)
    first.stop()
    stoa = start_stoa(work, mock, models)
    running.append(stoa)
    time.sleep(2)
    memory = memory_mib(stoa.own), memory_mib(stoa.database)
    nginx = start_nginx(work, mock)
    running.extend([nginx] if nginx else [])
    for target in (stoa, *([nginx] if nginx else [])):
        target.keep_on(core, beside=beside)
    run.targets = [mock, stoa, *([nginx] if nginx else [])]
    run.go()
    exact, ledger = _check_ledger(stoa, mock, run.sent)
    facts = Facts(
        command=options.command,
        rounds=options.rounds,
        seconds=options.seconds,
        pinned=core is not None,
        first_start_s=first.start_s,
        later_start_s=stoa.start_s,
        idle_memory_mib=memory[0],
        idle_database_memory_mib=memory[1],
        loaded_memory_mib=memory_mib(stoa.own),
        exact=exact,
        ledger=ledger,
    )
    return facts, run


def _check_ledger(stoa: Target, mock: Target, sent: dict[str, int]) -> tuple[bool, str]:
    """Compare what the load sent, what reached the mock and what the ledger has."""
    wanted = sent["stoa"]
    reached = int(mock.get("/count")) - sent["direct"] - sent.get("nginx", 0)
    deadline = time.monotonic() + LEDGER_TIMEOUT_S
    while True:
        totals = json.loads(stoa.get("/api/v1/usage?group_by=model"))["totals"]
        still_open = len(json.loads(stoa.get("/api/v1/calls?status=open&limit=1"))["items"])
        exact = bool(totals["calls"] == totals["succeeded"] == reached == wanted)
        exact = exact and not still_open
        if exact or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    text = (
        f"{wanted:,} requests sent, {reached:,} reached the mock, {totals['calls']:,} rows, "
        f"{totals['succeeded']:,} of them succeeded, {'some' if still_open else 'none'} open"
    )
    return exact, text


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure Stoa's data plane.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each load")
    parser.add_argument("--output", default=str(RESULTS))
    options = parser.parse_args(arguments)
    if not 1 <= options.rounds <= 20 or not 0.5 <= options.seconds <= 60:
        parser.error("1 to 20 rounds of 0.5 to 60 seconds, please")
    options.command = " ".join(["uv run python -m bench.gateway", *arguments])
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
