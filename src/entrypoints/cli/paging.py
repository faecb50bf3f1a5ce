from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from application.shared.pagination import MAX_PAGE_SIZE, Page, PageRequest

T = TypeVar("T")


async def all_of(fetch: Callable[[PageRequest], Awaitable[Page[T]]]) -> list[T]:
    """Everything in a list that comes page by page."""
    request = PageRequest(page_size=MAX_PAGE_SIZE)
    items: list[T] = []
    while True:
        found = await fetch(request)
        items += found.items
        if found.page >= found.total_pages:
            return items
        request = replace(request, page=found.page + 1)
