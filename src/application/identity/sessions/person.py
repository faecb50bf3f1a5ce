"""Who acts, where only a person may."""

from application.shared.actor import Actor
from domain.identity.errors import PersonRequiredError
from domain.operations.audit import ActorKind
from domain.shared.ids import SessionId, UserId


def person_of(actor: Actor) -> UserId:
    """Raises ``PersonRequiredError`` for keys, and for whoever sits at the server's terminal."""
    if actor.user_id is None or actor.kind is not ActorKind.USER:
        raise PersonRequiredError
    return actor.user_id


def session_of(actor: Actor) -> tuple[UserId, SessionId]:
    """Raises ``PersonRequiredError`` also for people who have not logged in here."""
    if actor.session_id is None:
        raise PersonRequiredError
    return person_of(actor), actor.session_id
