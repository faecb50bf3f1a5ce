import pytest

from domain.identity.permissions import ALL_PERMISSIONS, Permission
from domain.shared.errors import ForbiddenError
from tests.builders import a_model, an_actor


def test_an_owner_may_do_everything() -> None:
    actor = an_actor()

    for permission in Permission:
        actor.require(permission)

    assert frozenset(Permission) == ALL_PERMISSIONS


def test_a_missing_permission_is_named() -> None:
    actor = an_actor(permissions=frozenset({Permission.INVOKE_MODELS}))

    with pytest.raises(ForbiddenError, match=r"keys\.manage"):
        actor.require(Permission.MANAGE_KEYS)


@pytest.mark.parametrize(
    ("patterns", "allowed"),
    [
        (("*",), True),
        (("large",), True),
        (("def*",), True),
        (("small", "*"), True),
        (("large-2",), False),
        ((), False),
    ],
    ids=["any", "name", "alias", "any among others", "upstream name", "nothing"],
)
def test_a_model_may_be_used_by_its_name_or_an_alias(
    patterns: tuple[str, ...], allowed: bool
) -> None:
    actor = an_actor(allowed_models=patterns)
    model = a_model(name="large", aliases=("default",), upstream_name="large-2")

    assert actor.may_use(model) is allowed
