from itertools import pairwise

import pytest

from domain.identity.permissions import (
    ALL_PERMISSIONS,
    MEANINGS,
    PERMISSIONS_OF,
    SERVER_PERMISSIONS,
    Permission,
    Role,
    permissions_of,
)


def test_every_permission_says_what_it_allows() -> None:
    assert set(MEANINGS) == ALL_PERMISSIONS


def test_every_role_may_do_what_the_ones_below_may() -> None:
    from_the_top = [PERMISSIONS_OF[role] for role in Role]

    for above, below in pairwise(from_the_top):
        assert above >= below


def test_only_owners_manage_owners() -> None:
    roles = [role for role in Role if Permission.MANAGE_OWNERS in PERMISSIONS_OF[role]]

    assert roles == [Role.OWNER]


@pytest.mark.parametrize("role", [*Role])
def test_no_role_in_a_team_reaches_the_server(role: Role) -> None:
    assert PERMISSIONS_OF[role].isdisjoint(SERVER_PERMISSIONS)
    assert permissions_of(role) == PERMISSIONS_OF[role]


def test_an_operator_manages_the_server_whatever_the_role() -> None:
    may = permissions_of(Role.VIEWER, is_operator=True)

    assert may == PERMISSIONS_OF[Role.VIEWER] | SERVER_PERMISSIONS
