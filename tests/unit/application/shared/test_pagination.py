import pytest

from application.shared.pagination import (
    MAX_LIMIT,
    MAX_PAGE,
    MAX_PAGE_SIZE,
    Page,
    PageRequest,
    check_limit,
)
from domain.shared.errors import InvalidError


def test_the_first_page_is_asked_for_by_default() -> None:
    page = PageRequest()

    assert (page.page, page.page_size, page.offset) == (1, 20, 0)


def test_later_pages_begin_where_the_earlier_ones_end() -> None:
    assert PageRequest(page=3, page_size=7).offset == 14


@pytest.mark.parametrize("page_size", [1, MAX_PAGE_SIZE])
def test_page_sizes_within_bounds_are_accepted(page_size: int) -> None:
    assert PageRequest(page_size=page_size).page_size == page_size


@pytest.mark.parametrize(
    ("page", "page_size", "param"),
    [
        (0, 20, "page"),
        (-1, 20, "page"),
        (MAX_PAGE + 1, 20, "page"),
        (1, 0, "page_size"),
        (1, MAX_PAGE_SIZE + 1, "page_size"),
    ],
)
def test_pages_out_of_bounds_are_refused(page: int, page_size: int, param: str) -> None:
    with pytest.raises(InvalidError) as refused:
        PageRequest(page=page, page_size=page_size)

    assert refused.value.param == param
    assert [(wrong.field, wrong.code) for wrong in refused.value.errors] == [
        (param, "out_of_range")
    ]


@pytest.mark.parametrize(("total", "pages"), [(0, 0), (1, 1), (10, 1), (11, 2), (20, 2)])
def test_the_last_page_may_be_short(total: int, pages: int) -> None:
    page: Page[int] = Page(items=(), total=total, page=1, page_size=10)

    assert page.total_pages == pages


@pytest.mark.parametrize("limit", [1, MAX_LIMIT])
def test_limits_within_bounds_are_accepted(limit: int) -> None:
    assert check_limit(limit) == limit


@pytest.mark.parametrize("limit", [0, -1, MAX_LIMIT + 1])
def test_limits_out_of_bounds_are_refused(limit: int) -> None:
    with pytest.raises(InvalidError) as refused:
        check_limit(limit)

    assert refused.value.param == "limit"
    assert refused.value.message == f"'limit' must be between 1 and {MAX_LIMIT}."
