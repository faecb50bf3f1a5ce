import pytest

from domain.identity.errors import KeyRevokedError, ScopesExceededError
from domain.identity.permissions import PERMISSIONS_OF, Permission, Role
from domain.identity.scopes import check_given, check_scopes, default_scopes, scopes_of
from domain.shared.errors import InvalidError
from tests.builders import a_key
from tests.fakes.clock import START

OWNER = PERMISSIONS_OF[Role.OWNER]
VIEWER = PERMISSIONS_OF[Role.VIEWER]
CALLING = (Permission.INVOKE_MODELS, Permission.READ_CALLS)


def test_scopes_have_one_order_and_no_doubles() -> None:
    words = ["audit.read", "models.invoke", "audit.read", "something.of.tomorrow"]

    assert scopes_of(words) == (Permission.INVOKE_MODELS, Permission.READ_AUDIT)


def test_a_key_may_do_what_its_maker_may_if_nobody_says() -> None:
    assert frozenset(default_scopes(OWNER, ("*",))) == OWNER


def test_a_key_with_an_allow_list_just_calls_models_if_nobody_says() -> None:
    assert default_scopes(OWNER, ("gpt-*",)) == CALLING
    assert default_scopes(VIEWER, ("gpt-*",)) == (Permission.READ_CALLS,)


@pytest.mark.parametrize("scope", ["keys.own", "keys.manage", "members.manage", "owners.manage"])
def test_an_allow_list_cannot_go_around_itself(scope: Permission) -> None:
    with pytest.raises(InvalidError) as refused:
        check_scopes((Permission.INVOKE_MODELS, Permission(scope)), ("gpt-*",))

    assert refused.value.param == "scopes"
    assert scope in refused.value.message


def test_an_allow_list_leaves_other_scopes_alone() -> None:
    assert check_scopes((Permission.READ_AUDIT,), ("gpt-*",)) == (Permission.READ_AUDIT,)


def test_nobody_gives_what_he_does_not_have() -> None:
    check_given(CALLING, OWNER)

    with pytest.raises(ScopesExceededError) as refused:
        check_given((Permission.INVOKE_MODELS, Permission.READ_CALLS), VIEWER)

    assert "'scopes'" in refused.value.message
    assert "models.invoke" in refused.value.message
    assert "calls.read" not in refused.value.message


def test_a_narrower_allow_list_takes_the_scopes_over_keys_away() -> None:
    key = a_key(scopes=(Permission.INVOKE_MODELS, Permission.MANAGE_KEYS, Permission.READ_AUDIT))

    key.restrict_to(("gpt-*",))
    key.restrict_to(("*",))

    assert key.scopes == (Permission.INVOKE_MODELS, Permission.READ_AUDIT)


def test_the_scopes_of_a_live_key_can_be_changed() -> None:
    key = a_key()

    key.limit_to((Permission.READ_CALLS, Permission.INVOKE_MODELS))

    assert key.scopes == CALLING
    assert key.permissions == frozenset(CALLING)


def test_the_scopes_of_a_revoked_key_cannot_be_changed() -> None:
    key = a_key(revoked_at=START)

    with pytest.raises(KeyRevokedError):
        key.limit_to(())
