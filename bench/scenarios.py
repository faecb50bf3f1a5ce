"""The loads of a run, and what one of them did to one target."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from bench.processes import ahead, cpu_seconds, memory_mib, pin
from bench.targets import Target

SETTLE_S = 0.5
WARM_UP_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """``rate`` 0 is a closed loop. 16 streams or 32 requests at a time are what the marks used."""

    name: str
    model: str
    stream: bool = False
    connections: int = 32
    rate: float = 0.0

    def times(self, number: int) -> "Scenario":
        """The same from as many more connections."""
        return replace(self, connections=self.connections * number)


THROUGHPUT = Scenario(name="throughput", model="mock")
LATENCY = Scenario(name="latency at 300/s", model="mock-d60", connections=64, rate=300)
STREAMS = Scenario(name="streams", model="mock-n50", stream=True, connections=16)
BURSTS = Scenario(name="streams in one burst", model="mock-n50-b", stream=True, connections=16)
FIRST_TOKEN = Scenario(
    name="first token at 20 streams/s",
    model="mock-d60-n50-g5000",
    stream=True,
    connections=64,
    rate=20,
)
SCENARIOS = (THROUGHPUT, LATENCY, STREAMS, BURSTS, FIRST_TOKEN)
# Held open for seconds by a model that thinks, to see what a waiting stream costs.
HELD_STREAMS = Scenario(
    name="1,000 streams at once", model="mock-d500-n4-g1000000", stream=True, connections=1000
)
HELD_S = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One load on one target; processor time is that of the server alone."""

    sent: int
    succeeded: int
    errors: dict[str, int]
    events: int
    elapsed_s: float
    cpu_s: float
    database_cpu_s: float
    latency_ms: dict[str, float]
    ttft_ms: dict[str, float]

    @property
    def per_second(self) -> float:
        return self.succeeded / self.elapsed_s

    @property
    def requests_per_cpu_s(self) -> float:
        return self.succeeded / self.cpu_s if self.cpu_s else 0.0

    @property
    def events_per_cpu_s(self) -> float:
        return self.events / self.cpu_s if self.cpu_s else 0.0


Outcomes = Mapping[tuple[str, str], list[Outcome]]


def measure(
    target: Target,
    scenario: Scenario,
    seconds: float,
    core: int | None,
    *,
    mock: Target | None = None,
) -> Outcome:
    """Run one load from its own process on ``core``. The time after it counts too, since a server
    may have put work off. Where latency counts, the load and the ``mock`` go first."""
    own, database = target.own, target.database
    before = cpu_seconds(own), cpu_seconds(database)
    with ahead(mock.own if mock is not None and scenario.rate else ()):
        load = _load(target, scenario, seconds, core)
    time.sleep(SETTLE_S)
    return Outcome(
        sent=load["sent"],
        succeeded=load["succeeded"],
        errors=load["errors"],
        events=load["events"],
        elapsed_s=load["elapsed_s"],
        cpu_s=cpu_seconds(own) - before[0],
        database_cpu_s=cpu_seconds(database) - before[1],
        latency_ms=load["latency_ms"],
        ttft_ms=load["ttft_ms"],
    )


def memory_under(target: Target, scenario: Scenario, core: int | None) -> tuple[float, int, int]:
    """MiB of the server while the streams of the scenario are all open, how many requests were sent
    for that, and how many of them were answered to their end."""
    process = _start(target, scenario, HELD_S, core)
    time.sleep(HELD_S)
    held = memory_mib(target.own)
    load = _end(target, process, HELD_S)
    return held, int(load["sent"]), int(load["succeeded"])


def best(outcomes: list[Outcome], what: str, quantile: str) -> float:
    """The best round of a latency: other work on the machine only ever adds to it."""
    values = [getattr(outcome, what).get(quantile, float("nan")) for outcome in outcomes]
    return min(values, default=float("nan"))


def typical(outcomes: list[Outcome], what: str) -> float:
    return float(median(getattr(outcome, what) for outcome in outcomes))


def _load(target: Target, scenario: Scenario, seconds: float, core: int | None) -> dict[str, Any]:
    process = _start(target, scenario, seconds, core)
    with ahead([process.pid] if scenario.rate else ()):
        return _end(target, process, seconds)


def _start(
    target: Target, scenario: Scenario, seconds: float, core: int | None
) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "bench.load", target.url, "--model", scenario.model]
    command += ["--connections", str(scenario.connections), "--seconds", str(seconds)]
    command += ["--rate", str(scenario.rate), *(["--stream"] if scenario.stream else [])]
    for name, value in target.headers.items():
        command += ["--header", f"{name}: {value}"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, env=os.environ | {"BENCH_API_KEY": target.key}
    )
    pin([process.pid], core)
    return process


def _end(target: Target, process: "subprocess.Popen[bytes]", seconds: float) -> dict[str, Any]:
    output, _ = process.communicate(timeout=seconds + 60)
    if process.returncode:
        raise SystemExit(f"The load on {target.name} ended with {process.returncode}.")
    answer: dict[str, Any] = json.loads(output)
    return answer
