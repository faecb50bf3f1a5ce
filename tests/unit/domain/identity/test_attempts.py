from datetime import timedelta
from functools import partial

import pytest

from domain.identity.attempts import AttemptLimit, AttemptSubject, login_subjects
from domain.identity.joining.attempts import mail_subjects, token_subjects


def test_an_attempt_may_be_ahead_by_those_at_once() -> None:
    limit = AttemptLimit(at_once=10, every=timedelta(seconds=30))

    assert limit.slack == timedelta(seconds=270)
    assert AttemptLimit(at_once=1, every=timedelta(seconds=30)).slack == timedelta()


def test_subjects_of_different_kinds_are_different() -> None:
    limit = AttemptLimit(at_once=10, every=timedelta(seconds=30))
    subjects = [AttemptSubject(*names, limit) for names in (("a", "bc"), ("ab", "c"), ("a", "b"))]

    assert len({subject.hash for subject in subjects}) == 3


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("testclient", "testclient", True),
    ],
)
def test_counts_on_the_network_that_somebody_has(one: str, other: str, *, is_same: bool) -> None:
    for subjects in (partial(login_subjects, "ada@example.com"), mail_subjects, token_subjects):
        first, second = (subjects(address)[0] for address in (one, other))

        assert (first.hash == second.hash) is is_same


def test_without_an_address_only_the_account_counts() -> None:
    (account,) = login_subjects("ada@example.com", None)

    assert account == login_subjects("ada@example.com", "192.0.2.1")[1]
