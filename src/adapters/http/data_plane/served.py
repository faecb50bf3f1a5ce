from collections.abc import Mapping
from dataclasses import dataclass

from adapters.http.data_plane.asked import ReadRequest
from adapters.http.data_plane.manner import Manner
from application.inference.ports import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """How one operation is asked for and answered.

    ``is_events`` says whether its streams are events; those of others have the content type that
    the provider says, no heartbeat, and break off where they fail.
    """

    manner: Manner
    read: ReadRequest
    is_events: bool = True


Table = Mapping[Operation, Served]
