from domain.shared.errors import (
    FieldError,
    FunctionalError,
    InvalidError,
    LimitExceededError,
    NotFoundError,
    StoaError,
    TechnicalError,
    UnavailableError,
)


def test_an_error_shows_its_message() -> None:
    error = NotFoundError("There is no such thing.")

    assert (str(error), error.message) == ("There is no such thing.",) * 2


def test_an_invalid_input_names_the_parameter_and_the_fields() -> None:
    wrong = FieldError("stop", "is too long")

    error = InvalidError("'stop' is too long.", param="stop", errors=(wrong,))

    assert (error.param, error.errors, wrong.code) == ("stop", (wrong,), "invalid")


def test_waiting_helps_where_an_error_says_how_long() -> None:
    assert LimitExceededError("Slow down.", retry_after=2.5).retry_after == 2.5
    assert UnavailableError("Later.", retry_after=1.0).retry_after == 1.0
    assert LimitExceededError("No money.").retry_after is None
    assert UnavailableError("Gone.").retry_after is None


def test_the_two_halves_of_the_taxonomy_do_not_meet() -> None:
    assert issubclass(FunctionalError, StoaError)
    assert issubclass(TechnicalError, StoaError)
    assert not issubclass(InvalidError, TechnicalError)
    assert not issubclass(UnavailableError, FunctionalError)
