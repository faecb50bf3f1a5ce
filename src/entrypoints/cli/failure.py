"""What a failed command prints and the code that it exits with."""

import traceback

import click

from application.shared.masking import mask_text
from domain.models.errors import CatalogError
from domain.shared.errors import (
    ConflictError,
    ForbiddenError,
    FunctionalError,
    InvalidError,
    LimitExceededError,
    NotFoundError,
    StoaError,
    TechnicalError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
    UpstreamError,
    UpstreamTimeoutError,
)

FAILED_CHECKS = 1
INVALID = 2
UNAVAILABLE = 69
INTERNAL = 70

# The kinds of the taxonomy; the most special one decides.
EXIT_CODES: dict[type[StoaError], tuple[int, str]] = {
    FunctionalError: (INVALID, "The request cannot be fulfilled as it is."),
    InvalidError: (INVALID, "An option, a setting or an input is wrong."),
    TooLargeError: (INVALID, "The input is too large."),
    NotFoundError: (3, "What was named does not exist."),
    UnauthenticatedError: (4, "The API key is missing or not valid."),
    ForbiddenError: (4, "This is not allowed."),
    ConflictError: (5, "It contradicts the present state: a name is taken, a directory in use."),
    UnavailableError: (UNAVAILABLE, "Something that is needed is not there now, as the database."),
    UpstreamError: (UNAVAILABLE, "A provider failed."),
    UpstreamTimeoutError: (UNAVAILABLE, "A provider was too slow."),
    TechnicalError: (INTERNAL, "Something inside failed."),
    LimitExceededError: (75, "Too much or too fast: try again later."),
}


def exit_code_of(error: BaseException) -> int:
    for kind in type(error).__mro__:
        if kind in EXIT_CODES:
            return EXIT_CODES[kind][0]
    return INTERNAL


def report_failure(error: Exception, *, debug: bool) -> int:
    """Print one line to standard error, or one for each thing that is wrong with a file, with the
    traceback before it if asked for."""
    if debug:
        click.echo(mask_text("".join(traceback.format_exception(error))), err=True, nl=False)
    if isinstance(error, CatalogError) and len(error.problems) > 1:
        click.echo(f"stoa: {error.source} is not as it must be:", err=True)
        for problem in error.problems:
            click.echo(f"  {mask_text(' '.join(problem.split()))}", err=True)
        return exit_code_of(error)
    if isinstance(error, StoaError):
        message = error.message
    else:
        hint = "" if debug else " (--debug shows where)"
        message = f"unexpected {type(error).__name__}: {error}{hint}"
    click.echo(f"stoa: {mask_text(' '.join(message.split()))}", err=True)
    return exit_code_of(error)
