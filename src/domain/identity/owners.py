"""A team always has an owner who can log in."""

from domain.identity.errors import LastOwnerError
from domain.identity.user import User


def check_owner_remains(leaving: User, active_owners: int) -> None:
    """Raise ``LastOwnerError`` when no active owner is left once this one is none any more.
    ``active_owners`` are the team's, this one included."""
    counted = leaving.is_active and leaving.is_person
    if active_owners - counted < 1:
        raise LastOwnerError
