import pytest

from application.identity.passwords import Passwords
from domain.shared.errors import InvalidError
from tests.builders import a_user
from tests.fakes.passwords import FewCommonPasswords, PlainHasher, some_passwords


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "too_short"),
        ("123456789", "too_short"),
        # Compatibility forms shrink before they are counted.
        ("e\u0301" * 9, "too_short"),
        ("a" * 1025, "too_long"),
        ("ä" * 513, "too_long"),
        ("PassWord123", "too_common"),
    ],
)
async def test_refuses_a_weak_password(password: str, reason: str) -> None:
    with pytest.raises(InvalidError) as refused:
        await some_passwords().hash_new(password, param="new_password")

    assert refused.value.param == "new_password"
    assert [error.code for error in refused.value.errors] == [reason]


@pytest.mark.parametrize("password", ["aaaaaaaaaa", "a" * 1024, "ä" * 512, "ten  space", "🔑" * 10])
async def test_takes_any_other(password: str) -> None:
    assert await some_passwords().hash_new(password)


async def test_a_password_is_right_however_it_was_typed() -> None:
    passwords = some_passwords()
    user = a_user(password_hash=await passwords.hash_new("caf\u00e9 au lait"))

    assert await passwords.is_right(user, "cafe\u0301 au lait")
    assert not await passwords.is_right(user, "cafe au lait")


async def test_verifies_something_for_nobody_too() -> None:
    hasher = PlainHasher()
    passwords = Passwords(hasher=hasher, common=FewCommonPasswords())

    right = [
        await passwords.is_right(None, "a password"),
        await passwords.is_right(a_user(), "a password"),
        await passwords.is_right(a_user(password_hash="hash:" + "a" * 2000), "a" * 2000),
    ]

    assert right == [False, False, False]
    assert hasher.verified == [None, None, None]


async def test_makes_a_new_hash_where_the_old_one_is_weak() -> None:
    passwords = some_passwords()

    fresh = await passwords.refreshed(a_user(password_hash="hash:a password"), "a password")
    weak = await passwords.refreshed(a_user(password_hash="outdated:a password"), "a password")

    assert fresh is None
    assert weak == "hash:a password"
