"""What stands beside Stoa: the peers, nginx and the plain servers that were measured before."""

from collections.abc import Iterator

from bench.scenarios import STREAMS, THROUGHPUT, Outcomes, typical
from bench.targets import STOA

# Requests and events per processor second, measured on a machine of the same kind with the same
# answers, but with a mock and a load generator in C.
NGINX_MARK = (29_330, 154_792)
MARKS = {
    "nginx as a plain proxy": NGINX_MARK,
    "a bare protocol server in Python": (12_488, 123_039),
    "Litestar `@asgi` mount, uvicorn, raw pool": (4_781, 130_124),
    "Litestar route with aiohttp": (1_408, 43_220),
    "Portkey 1.15.2": (488, 17_886),
    "LiteLLM 1.106.2 without its database": (52, 328),
}


def marks_lines(outcomes: Outcomes) -> Iterator[str]:
    requests = typical(outcomes[STOA, THROUGHPUT.name], "requests_per_cpu_s")
    events = typical(outcomes[STOA, STREAMS.name], "events_per_cpu_s")
    yield "## Beside the reference marks"
    yield ""
    yield "The marks were measured on a machine of this kind on 2026-11-21, with a mock and a load"
    yield "generator in C. Differences under about 30 % are noise there and here, and machines of"
    yield "one kind differ in speed: only a row of this run compares like with like."
    yield ""
    yield "| | requests per CPU-s | Stoa is at | events per CPU-s | Stoa is at |"
    yield "|---|---|---|---|---|"
    for name, (mark, event_mark) in MARKS.items():
        yield (
            f"| {name} | {mark:,} | {_ratio(requests, mark)} | {event_mark:,} | "
            f"{_ratio(events, event_mark)} |"
        )
    if ("nginx", THROUGHPUT.name) in outcomes:
        yield from _beside_nginx(outcomes, requests, events)
    yield ""


def _beside_nginx(outcomes: Outcomes, requests: float, events: float) -> Iterator[str]:
    here = typical(outcomes["nginx", THROUGHPUT.name], "requests_per_cpu_s")
    event_here = typical(outcomes["nginx", STREAMS.name], "events_per_cpu_s")
    faster, event_faster = here / NGINX_MARK[0], event_here / NGINX_MARK[1]
    yield (
        f"| nginx as a plain proxy, in this run | {here:,.0f} | {_ratio(requests, here)} | "
        f"{event_here:,.0f} | {_ratio(events, event_here)} |"
    )
    yield ""
    yield (
        f"nginx came to {faster:.1f} and {event_faster:.1f} times its marks in this run. Scaled by "
        f"that, Stoa's figures on the machine of the marks would be {requests / faster:,.0f} "
        f"requests and {events / event_faster:,.0f} events per CPU-second."
    )


def _ratio(here: float, mark: float) -> str:
    share = here / mark if mark else float("nan")
    return f"{share:.1f} x" if share >= 2 else f"{share:.0%}"
