from domain.shared.errors import ForbiddenError, InvalidError, NotFoundError


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
    """The file of providers and models is wrong; ``line`` is 1-based where it is known."""

    code = "INVALID_CONFIGURATION"

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
        self.line = line


class ModelDisabledError(ForbiddenError):
    """The model or the route is there, and takes no calls at present."""

    code = "MODEL_DISABLED"

    def __init__(self, name: str) -> None:
        super().__init__(f"The model '{name}' is switched off.")
        self.name = name
