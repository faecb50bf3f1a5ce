from collections.abc import Iterable

from domain.shared.errors import ConflictError, FieldError, InvalidError, NotFoundError


class ProviderNotFoundError(NotFoundError):
    """The team's registry has no provider of that id."""

    code = "PROVIDER_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no provider with this id.")


class ModelNotRegisteredError(NotFoundError):
    """The team's registry has no model of that id."""

    code = "MODEL_NOT_REGISTERED"

    def __init__(self) -> None:
        super().__init__("There is no model with this id.")


class RouteNotFoundError(NotFoundError):
    """The team's registry has no route of that id."""

    code = "MODEL_ROUTE_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no route with this id.")


class ProviderNameTakenError(ConflictError):
    """The team has another provider of that name."""

    code = "PROVIDER_NAME_TAKEN"

    def __init__(self, name: str) -> None:
        super().__init__(f"The team has another provider named '{name}'.")


class ModelNameTakenError(ConflictError):
    """The team has another model or route of that name or alias."""

    code = "MODEL_NAME_TAKEN"

    def __init__(self, names: Iterable[str]) -> None:
        told = ", ".join(f"'{name}'" for name in names)
        super().__init__(f"The team has another model or route that is called {told}.")


class ProviderInUseError(ConflictError):
    """A provider that has models cannot be removed."""

    code = "PROVIDER_IN_USE"

    def __init__(self, name: str) -> None:
        super().__init__(f"The provider '{name}' has models. Remove them first, or disable it.")


class ModelInUseError(ConflictError):
    """A model that was called, or that a route or a setting names, cannot be removed, nor can the
    name that is needed be taken from it."""

    code = "MODEL_IN_USE"

    def __init__(self, name: str, reason: str, advice: str = "Change that first.") -> None:
        super().__init__(f"The model '{name}' {reason}. {advice}")


class RouteInUseError(ConflictError):
    """A route to which another one falls back, or that a setting names, cannot be removed."""

    code = "ROUTE_IN_USE"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"The route '{name}' {reason}. Change that first.")


class ModelArchivedError(ConflictError):
    """An archived model only changes by being restored."""

    code = "MODEL_ARCHIVED"

    def __init__(self, name: str) -> None:
        super().__init__(f"The model '{name}' is archived. Restore it first.")


class OffersUnknownError(ConflictError):
    """A provider of this type cannot be asked what it offers."""

    code = "OFFERS_UNKNOWN"

    def __init__(self, type_name: str) -> None:
        super().__init__(f"Providers of the type '{type_name}' do not say what they offer.")


def wrong_fields(problems: Iterable[tuple[str, str]]) -> InvalidError:
    """One error for all fields that are wrong, each with what is wrong with it."""
    errors = tuple(FieldError(field, message) for field, message in problems)
    told = "; ".join(f"'{error.field}' {error.message}" for error in errors)
    return InvalidError(f"{told}.", param=errors[0].field, errors=errors)
