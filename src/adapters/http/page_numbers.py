from typing import Any

from application.shared.pagination import Page


def numbers_of(page: Page[Any]) -> dict[str, int]:
    """What every numbered page says besides its items."""
    return {
        "total": page.total,
        "page": page.page,
        "page_size": page.page_size,
        "total_pages": page.total_pages,
    }
