from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from domain.inference.routing.sticky import arm_of
from domain.models.route import Arm, Split, SplitBy

A, B = Arm(name="a", model="x", weight=3), Arm(name="b", model="y", weight=1)
SPLIT = Split(by=SplitBy.USER, arms=(A, B))


@given(st.text(), st.text())
def test_whoever_is_in_an_arm_stays_there(salt: str, identity: str) -> None:
    split = Split(by=SplitBy.USER, arms=(A, B), salt=salt)

    assert arm_of(split, identity) is arm_of(split, identity)


def test_the_arms_get_their_shares() -> None:
    found = Counter(arm_of(SPLIT, f"user-{n}").name for n in range(10_000))

    assert abs(found["a"] - 7500) < 200


def test_another_salt_shuffles() -> None:
    salted = Split(by=SplitBy.USER, arms=SPLIT.arms, salt="second")
    users = [f"user-{n}" for n in range(1000)]

    moved = sum(arm_of(SPLIT, user) is not arm_of(salted, user) for user in users)

    # Of the shares 3:1 independent choices differ in three eighths of the cases.
    assert 300 < moved < 450


def test_a_changed_weight_moves_nobody_between_the_others() -> None:
    arms = tuple(Arm(name=name, model=name) for name in "abc")
    before = Split(by=SplitBy.USER, arms=arms)
    after = Split(by=SplitBy.USER, arms=(replace(arms[0], weight=2), *reversed(arms[1:])))
    users = [f"user-{n}" for n in range(4000)]

    moved = Counter(
        (arm_of(before, user).name, arm_of(after, user).name)
        for user in users
        if arm_of(before, user).name != arm_of(after, user).name
    )

    assert set(moved) == {("b", "a"), ("c", "a")}
    # A share that grows from a third to a half takes a quarter of each of the others.
    assert abs(moved.total() - 4000 / 6) < 100


def test_an_arm_without_weight_gets_nobody_and_the_last_gets_the_rest() -> None:
    shut = Arm(name="shut", model="z", weight=0)

    found = {arm_of(Split(by=SplitBy.USER, arms=(shut, A)), str(n)).name for n in range(100)}

    assert found == {"a"}
    assert arm_of(Split(by=SplitBy.USER, arms=(shut,)), "anybody") is shut
