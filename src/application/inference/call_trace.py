from dataclasses import dataclass

from domain.inference.call import Call


@dataclass(slots=True)
class CallTrace:
    """What becomes of a call while it is made, for a door to tell its client.

    ``call`` is its row as it stands, ``attempts`` counts those that reached a provider, and
    ``upstream_ms`` is the time that was spent waiting for providers up to the first byte. ``age_s``
    is for how long an answer out of the cache had been there. ``body`` is the request as it went on
    where it was changed on its way.
    """

    call: Call | None = None
    attempts: int = 0
    upstream_ms: float = 0.0
    age_s: int | None = None
    body: bytes | None = None
