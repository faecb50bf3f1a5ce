from domain.shared.errors import ForbiddenError, InvalidError, NotFoundError


class ResponseNotFoundError(NotFoundError):
    """No response of that id is kept for the caller (any more)."""

    code = "RESPONSE_NOT_FOUND"

    def __init__(self, name: str) -> None:
        super().__init__(f"Response with id '{name}' not found.")


class PreviousResponseNotFoundError(InvalidError):
    """The response to go on from, or one before it, is not kept for the caller (any more)."""

    code = "PREVIOUS_RESPONSE_NOT_FOUND"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Previous response with id '{name}' not found.", param="previous_response_id"
        )


class ResponseChainTooLongError(InvalidError):
    """The conversation that a response ends has become too long to go on from."""

    code = "RESPONSE_CHAIN_TOO_LONG"

    def __init__(self) -> None:
        super().__init__(
            "The conversation before this response is too long. Begin a new one with its gist.",
            param="previous_response_id",
        )


class StoringDisabledError(ForbiddenError):
    """The call asks for its response to be kept, and the team's setting `store_responses` is
    off."""

    code = "STORING_DISABLED"

    def __init__(self) -> None:
        super().__init__(
            "Keeping responses is switched off for this team (the setting 'store_responses')."
            " Send 'store: false'."
        )
