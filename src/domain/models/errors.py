from domain.shared.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnavailableError,
)


class ModelNotFoundError(NotFoundError):
    """No model of that name is served to this team."""

    code = "MODEL_NOT_FOUND"

    def __init__(self, name: str) -> None:
        super().__init__(f"The model '{name}' does not exist or you do not have access to it.")
        self.name = name


class ModelNotAllowedError(ForbiddenError):
    """The key's allow-list does not cover the model."""

    code = "MODEL_NOT_ALLOWED"

    def __init__(self, name: str) -> None:
        super().__init__(f"This API key may not use the model '{name}'.")
        self.name = name


class WrongModelKindError(InvalidError):
    """An embedding model was asked to chat, or the reverse."""

    code = "WRONG_MODEL_KIND"

    def __init__(self, name: str, kind: str) -> None:
        super().__init__(
            f"The model '{name}' is of kind '{kind}', which this endpoint does not serve.",
            param="model",
        )


class CatalogError(InvalidError):
    """The file of providers and models is wrong; ``line`` is 1-based where it is known. ``source``
    and ``problems`` are there where much is wrong: which file, and what each time."""

    code = "INVALID_CONFIGURATION"

    def __init__(
        self,
        message: str,
        *,
        line: int | None = None,
        source: str = "",
        problems: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
        self.line = line
        self.source = source
        self.problems = problems


class ModelDisabledError(ForbiddenError):
    """The model or the route is there, and takes no calls at present."""

    code = "MODEL_DISABLED"

    def __init__(self, name: str) -> None:
        super().__init__(f"The model '{name}' is switched off.")
        self.name = name


class PriceBookUnavailableError(UnavailableError):
    """The prices that come with Stoa cannot be read right now."""

    code = "PRICE_BOOK_UNAVAILABLE"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The price book cannot be read: {reason}", retry_after=60)


class PriceNotFoundError(NotFoundError):
    """The team has set no price of that id."""

    code = "PRICE_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no price with this id.")


class PriceTakenError(ConflictError):
    """The model has another price from that moment on."""

    code = "PRICE_TAKEN"

    def __init__(self) -> None:
        super().__init__("The model has another price from that moment on; remove it first.")
