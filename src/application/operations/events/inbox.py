from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.shared.errors import ForbiddenError
from domain.shared.ids import UserId


def owner_of_inbox(actor: Actor) -> UserId:
    """The user whose notifications the actor may see and mark: nobody's but the own."""
    actor.require(Permission.READ_TEAM)
    if actor.user_id is None:
        raise ForbiddenError("Notifications belong to users, and this is none.")
    return actor.user_id
