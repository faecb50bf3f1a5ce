from dataclasses import dataclass

from application.inference.call_ports import CallReader
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.inference.call import Call
from domain.shared.ids import CallId


@dataclass(frozen=True, slots=True, kw_only=True)
class GetCallQuery:
    actor: Actor
    call_id: CallId


@dataclass(frozen=True, slots=True, kw_only=True)
class GetCall:
    """Shows one call, with what was asked and answered if the team captured contents then."""

    reader: CallReader

    async def __call__(self, query: GetCallQuery) -> Call:
        query.actor.require(Permission.READ_CALLS)
        return await self.reader.get(query.actor.team_id, query.call_id)
