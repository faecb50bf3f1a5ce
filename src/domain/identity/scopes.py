"""What an API key may do: all that its maker may do, or less."""

from collections.abc import Iterable

from domain.identity.errors import ScopesExceededError
from domain.identity.model_patterns import ANY_MODEL
from domain.identity.permissions import CALLER_PERMISSIONS, Permission
from domain.shared.errors import FieldError, InvalidError

# With these, a key with an allow-list of models could make one without, for itself or for others.
WIDENING = frozenset(
    {
        Permission.MANAGE_OWN_KEYS,
        Permission.MANAGE_KEYS,
        Permission.MANAGE_MEMBERS,
        Permission.MANAGE_OWNERS,
    }
)

Scopes = tuple[Permission, ...]


def scopes_of(permissions: Iterable[str]) -> Scopes:
    """The permissions among these words, each once and in the order of ``Permission``."""
    wanted = frozenset(permissions)
    return tuple(permission for permission in Permission if permission in wanted)


def default_scopes(of_maker: frozenset[Permission], allowed_models: tuple[str, ...]) -> Scopes:
    """What a new key may do if nobody says: all that its maker may, or just calling models where
    an allow-list says which."""
    return scopes_of(
        of_maker if allowed_models == ANY_MODEL else of_maker & CALLER_PERMISSIONS,
    )


def without_widening(scopes: Scopes) -> Scopes:
    return tuple(scope for scope in scopes if scope not in WIDENING)


def check_scopes(scopes: Iterable[Permission], allowed_models: tuple[str, ...]) -> Scopes:
    """Return the scopes in order, or raise ``InvalidError`` when the allow-list would be worth
    nothing with them."""
    checked = scopes_of(scopes)
    widening = [] if allowed_models == ANY_MODEL else sorted(WIDENING.intersection(checked))
    if widening:
        message = f"cannot go together with an allow-list of models: {', '.join(widening)}"
        raise InvalidError(
            f"'scopes' {message}.",
            param="scopes",
            errors=(FieldError("scopes", message),),
        )
    return checked


def check_given(scopes: Iterable[Permission], by: frozenset[Permission]) -> None:
    """Raise ``ScopesExceededError`` when somebody gives what he does not have himself."""
    exceeding = scopes_of(frozenset(scopes) - by)
    if exceeding:
        raise ScopesExceededError(exceeding)
