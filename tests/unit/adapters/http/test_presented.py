from typing import Any

import pytest

from adapters.http.errors import CrossSiteRequestError
from adapters.http.presented import NOTHING, Presented, presented, refuse_other_sites


def request(method: str = "GET", **headers: str) -> Any:
    return {
        "type": "http",
        "method": method,
        "headers": [(name.replace("_", "-").encode(), v.encode()) for name, v in headers.items()],
    }


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, NOTHING),
        ({"authorization": "Bearer abc"}, Presented(bearer="abc")),
        ({"authorization": "bearer  abc "}, Presented(bearer="abc")),
        ({"authorization": "Basic abc"}, NOTHING),
        ({"authorization": "Basic abc", "cookie": "stoa_session=s"}, NOTHING),
        ({"cookie": "stoa_session=s"}, Presented(cookie="s")),
        ({"cookie": "a=b; stoa_session=s==;c=d"}, Presented(cookie="s==")),
        ({"cookie": "xstoa_session=s; stoa_sessionx=s"}, NOTHING),
        ({"cookie": "stoa_session="}, NOTHING),
        ({"cookie": "stoa_session"}, NOTHING),
        ({"cookie": "stoa_session=s", "authorization": "Bearer abc"}, Presented(bearer="abc")),
    ],
    ids=str,
)
def test_reads_a_token_or_else_a_cookie(headers: dict[str, str], expected: Presented) -> None:
    assert presented(request(**headers)) == expected


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_cookie_may_read_from_anywhere(method: str) -> None:
    scope = request(method, cookie="stoa_session=s", sec_fetch_site="cross-site")

    assert presented(scope) == Presented(cookie="s")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "SOMETHING"])
def test_a_cookie_changes_nothing_for_another_site(method: str) -> None:
    for headers in ({}, {"sec_fetch_site": "cross-site"}, {"origin": "https://evil.example"}):
        with pytest.raises(CrossSiteRequestError):
            presented(request(method, cookie="stoa_session=s", host="stoa.example", **headers))


@pytest.mark.parametrize(
    ("origin", "host", "is_own"),
    [
        ("https://stoa.example", "stoa.example", True),
        ("https://stoa.example", "STOA.example:443", True),
        ("https://stoa.example:443", "stoa.example", True),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", True),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("http://127.0.0.1:8000", "127.0.0.1:8001", False),
        ("https://stoa.example.evil", "stoa.example", False),
        ("https://stoa.example@evil.example", "stoa.example", False),
        ("ftp://stoa.example", "stoa.example", False),
        ("null", "stoa.example", False),
        ("", "", False),
        ("https://", "", False),
        ("https://[", "[", False),
    ],
)
def test_compares_where_a_page_is_from_with_the_host(
    origin: str, host: str, *, is_own: bool
) -> None:
    scope = request("POST", cookie="stoa_session=s", origin=origin, host=host)

    if is_own:
        assert presented(scope) == Presented(cookie="s")
    else:
        with pytest.raises(CrossSiteRequestError):
            presented(scope)


def test_what_is_no_browser_is_not_another_site() -> None:
    refuse_other_sites(request("POST", host="stoa.example"))
    refuse_other_sites(request("POST", sec_fetch_site="same-origin"))
    with pytest.raises(CrossSiteRequestError):
        refuse_other_sites(request("POST", sec_fetch_site="same-site"))
