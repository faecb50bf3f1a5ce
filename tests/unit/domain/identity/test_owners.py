import pytest

from domain.identity.errors import LastOwnerError
from domain.identity.owners import check_owner_remains
from tests.builders import a_user

ADA = a_user(email="ada@example.com")


def test_one_of_two_owners_may_go() -> None:
    check_owner_remains(ADA, 2)


def test_the_last_owner_may_not_go() -> None:
    with pytest.raises(LastOwnerError):
        check_owner_remains(ADA, 1)


def test_an_owner_who_cannot_log_in_does_not_count() -> None:
    inactive = a_user(email="ada@example.com", is_active=False)

    check_owner_remains(inactive, 1)
    check_owner_remains(a_user(), 1)


def test_the_owner_of_a_fresh_server_may_not_go() -> None:
    with pytest.raises(LastOwnerError):
        check_owner_remains(a_user(), 0)
