"""The gateways that teams use today in front of the same mock, where they have been installed.

    make bench-peers

installs them into a folder of their own. They run as their documentation says, without a database:
LiteLLM with one worker, a master key and its models, Portkey with the provider in headers.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.processes import memory_mib
from bench.scenarios import STREAMS, THROUGHPUT, Outcome, Outcomes, Scenario, typical
from bench.targets import EVERYTHING, Target, free_port, spawn

LITELLM = "litellm[proxy]==1.106.2"
# Without it every request looks for it in vain, which takes a twelfth of its time.
LITELLM_WITH = "opentelemetry-sdk==1.45.2"
PORTKEY = "@portkey-ai/gateway@1.15.2"
PEER_SCENARIOS = (THROUGHPUT, STREAMS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One of them, running."""

    target: Target
    idle_mib: float


def start_litellm(work: Path, mock: Target, folder: Path) -> Target | None:
    program = folder / "litellm" / "bin" / "litellm"
    if not program.exists():
        return None
    port, config = free_port(), work / "litellm.yaml"
    models = [
        {
            "model_name": scenario.model,
            "litellm_params": {
                "model": f"openai/{scenario.model}",
                "api_base": f"http://127.0.0.1:{mock.port}/v1",
                "api_key": "none",
            },
        }
        for scenario in PEER_SCENARIOS
    ]
    key = "sk-bench"
    config.write_text(json.dumps({"model_list": models, "general_settings": {"master_key": key}}))
    command = [str(program), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    environment = os.environ | {"LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    process = spawn([*command, "--num_workers", "1"], work / "litellm.log", environment)
    return Target(name="LiteLLM 1.106.2", port=port, process=process, key=key)


def start_portkey(work: Path, mock: Target, folder: Path) -> Target | None:
    program = folder.joinpath("portkey/node_modules/@portkey-ai/gateway/build/start-server.js")
    if not program.exists():
        return None
    port = free_port()
    command = ["node", str(program), f"--port={port}", "--headless"]
    environment = os.environ | {"TRUSTED_CUSTOM_HOSTS": "127.0.0.1"}
    process = spawn(command, work / "portkey.log", environment)
    headers = {
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": f"http://127.0.0.1:{mock.port}/v1",
    }
    return Target(name="Portkey 1.15.2", port=port, process=process, headers=headers)


def wait_until_it_answers(target: Target) -> Peer:
    """Its first answer ends its start: neither has the same page that says it is ready."""
    question = {"model": THROUGHPUT.model, "messages": [{"role": "user", "content": "Ready?"}]}
    target.wait_until(lambda: target.post("/v1/chat/completions", question))
    return Peer(target=target, idle_mib=memory_mib(target.own))


def peer_lines(peers: Sequence[Peer], outcomes: Outcomes, idle_mib: float) -> Iterator[str]:
    yield "## Beside the peers, in this run"
    yield ""
    yield "They know no budgets and write no ledger here: neither has a database. Stoa has"
    yield "everything on. Processor time is that of the whole process tree."
    yield ""
    yield (
        "| | requests per CPU-s | Stoa is at | requests/s | SSE events per CPU-s | Stoa is at "
        "| idle MiB |"
    )
    yield "|---|---|---|---|---|---|---|"
    ours = _figures(outcomes, EVERYTHING)
    yield f"| Stoa, everything on | {ours[0]} | | {ours[1]} | {ours[2]} | | {idle_mib:.0f} |"
    for peer in peers:
        name = peer.target.name
        requests, rate, events = _figures(outcomes, name)
        yield (
            f"| {name} | {requests} | {_times(outcomes, name, THROUGHPUT)} | {rate} | {events} | "
            f"{_times(outcomes, name, STREAMS)} | {peer.idle_mib:.0f} |"
        )
    yield ""


def install(folder: Path) -> None:
    """From the registries that pip and npm are set up for."""
    environment = folder / "litellm"
    for command in (
        [sys.executable, "-m", "venv", str(environment)],
        [str(environment / "bin" / "pip"), "install", "--quiet", LITELLM, LITELLM_WITH],
        ["npm", "install", "--silent", "--prefix", str(folder / "portkey"), PORTKEY],
    ):
        subprocess.run(command, check=True)


def _figures(outcomes: Outcomes, name: str) -> tuple[str, str, str]:
    rounds, streams = outcomes[name, THROUGHPUT.name], outcomes[name, STREAMS.name]
    events = typical(streams, "events_per_cpu_s")
    return (
        f"{typical(rounds, 'requests_per_cpu_s'):,.0f}",
        f"{typical(rounds, 'per_second'):,.0f}",
        f"{events:,.0f}" if _answered(streams) else "fails",
    )


def _times(outcomes: Mapping[tuple[str, str], list[Outcome]], name: str, load: Scenario) -> str:
    what = "events_per_cpu_s" if load.stream else "requests_per_cpu_s"
    if not _answered(outcomes[name, load.name]):
        return ""
    ours = typical(outcomes[EVERYTHING, load.name], what)
    return f"{ours / typical(outcomes[name, load.name], what):.1f} x"


def _answered(rounds: list[Outcome]) -> bool:
    return all(outcome.succeeded for outcome in rounds)


if __name__ == "__main__":
    install(Path(sys.argv[1]))
