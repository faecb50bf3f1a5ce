from contextvars import copy_context

from application.shared.correlation import correlation_id


def test_nothing_is_correlated_outside_of_a_request() -> None:
    outside = copy_context()

    outside.run(correlation_id.set, "c-1")

    assert outside[correlation_id] == "c-1"
    assert correlation_id.get() == "-"
