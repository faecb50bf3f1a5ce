from domain.shared.errors import ConflictError, NotFoundError, UnavailableError


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
