from datetime import timedelta

from adapters.postgres.operations.error_stacks import MOST_KNOWN, StoredStacks
from domain.operations.technical_error import ErrorOccurrence
from tests.builders import an_occurrence
from tests.fakes.clock import START

MONTH = timedelta(days=31)


def store(stacks: StoredStacks, *batch: ErrorOccurrence) -> None:
    stacks.stored(batch, stacks.holders(batch))


def test_the_first_of_a_batch_holds_the_stack_of_the_others() -> None:
    batch = [an_occurrence() for _ in range(3)]

    holders = StoredStacks().holders(batch)

    assert holders == {batch[1].id: batch[0].id, batch[2].id: batch[0].id}


def test_what_is_stored_holds_it_for_later_batches() -> None:
    stacks = StoredStacks()
    first, later = an_occurrence(), an_occurrence()

    before = stacks.holders([later])
    store(stacks, first)

    assert before == {}
    assert stacks.holders([later]) == {later.id: first.id}


def test_another_stack_fault_or_month_is_held_on_its_own() -> None:
    stacks = StoredStacks()
    store(stacks, an_occurrence())
    others = [
        an_occurrence(stack="another"),
        an_occurrence(fingerprint="another"),
        an_occurrence(at=START + MONTH),
    ]

    assert [stacks.holders([other]) for other in others] == [{}, {}, {}]


def test_none_holds_its_own_when_it_is_written_again() -> None:
    stacks = StoredStacks()
    occurrence = an_occurrence()
    store(stacks, occurrence)

    assert stacks.holders([occurrence]) == {}


def test_only_so_many_are_known() -> None:
    stacks = StoredStacks()
    first = an_occurrence(fingerprint="first")
    store(stacks, first)
    for number in range(MOST_KNOWN):
        store(stacks, an_occurrence(fingerprint=str(number)))

    assert stacks.holders([an_occurrence(fingerprint="first")]) == {}
    assert stacks.holders([an_occurrence(fingerprint="0")]) != {}
