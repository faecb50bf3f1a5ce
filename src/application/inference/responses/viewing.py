from datetime import datetime

from application.inference.responses.ports import ResponseViewer, StoredResponses
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.inference.response_errors import ResponseNotFoundError
from domain.inference.stored_response import StoredResponse, response_id_of
from domain.shared.ids import ResponseId


def viewer_of(actor: Actor, at: datetime) -> ResponseViewer:
    """Who may see the team's calls may see its responses, too."""
    return ResponseViewer(
        team_id=actor.team_id,
        key_id=actor.key_id,
        user_id=actor.user_id,
        sees_all=actor.may(Permission.READ_CALLS),
        at=at,
    )


def named(name: str) -> ResponseId:
    """Raises ``ResponseNotFoundError`` for what no response can be called."""
    response_id = response_id_of(name)
    if response_id is None:
        raise ResponseNotFoundError(name)
    return response_id


async def visible(
    responses: StoredResponses, actor: Actor, name: str, at: datetime
) -> StoredResponse:
    """The response that was kept, for whoever made it and for all who may see the team's calls."""
    if not actor.may(Permission.READ_CALLS):
        actor.require(Permission.INVOKE_MODELS)
    return await responses.get(viewer_of(actor, at), named(name))
