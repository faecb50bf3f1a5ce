from typing import Any

import msgspec

from entrypoints.selftest.expectations import expect
from entrypoints.selftest.target import CheckFailedError


def named_events(body: bytes) -> list[dict[str, Any]]:
    """Every event has its name twice: in the field ``event``, and in its data."""
    expect(body.endswith(b"\n\n"), "the last event does not end with an empty line")
    events = []
    for block in body.replace(b"\r\n", b"\n").split(b"\n\n")[:-1]:
        lines = [line for line in block.split(b"\n") if line and not line.startswith(b":")]
        if lines:
            name, _, data = b"\n".join(lines).partition(b"\ndata:")
            event = _decoded(data)
            expect(name == f"event: {event.get('type')}".encode(), "an event has no name")
            events.append(event)
    return events


def _decoded(data: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(data, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise CheckFailedError(f"an event is no JSON object: {error}") from error
