from dataclasses import dataclass
from typing import Generic, TypeVar

from domain.shared.errors import FieldError, InvalidError

T = TypeVar("T")

MAX_PAGE = 1_000_000
MAX_PAGE_SIZE = 100
MAX_LIMIT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """A numbered page; ``page`` starts at 1."""

    page: int = 1
    page_size: int = 20

    def __post_init__(self) -> None:
        if not 1 <= self.page <= MAX_PAGE:
            raise _out_of_range("page", f"must be between 1 and {MAX_PAGE}")
        if not 1 <= self.page_size <= MAX_PAGE_SIZE:
            raise _out_of_range("page_size", f"must be between 1 and {MAX_PAGE_SIZE}")

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.page_size


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One page of a list, with the number of items in all pages."""

    items: tuple[T, ...]
    total: int
    page: int
    page_size: int

    @property
    def total_pages(self) -> int:
        return -(-self.total // self.page_size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice(Generic[T]):
    """A piece of an endless stream; ``next_cursor`` is ``None`` at its end."""

    items: tuple[T, ...]
    next_cursor: str | None


def check_limit(limit: int) -> int:
    """Return ``limit`` or raise ``InvalidError`` when it is not between 1 and ``MAX_LIMIT``."""
    if not 1 <= limit <= MAX_LIMIT:
        raise _out_of_range("limit", f"must be between 1 and {MAX_LIMIT}")
    return limit


def _out_of_range(field: str, message: str) -> InvalidError:
    return InvalidError(
        f"'{field}' {message}.",
        param=field,
        errors=(FieldError(field, message, "out_of_range"),),
    )
