from application.operations.readiness import Readiness


def test_a_process_is_not_ready_while_it_starts() -> None:
    readiness = Readiness()

    assert (readiness.ready, readiness.reason) == (False, "starting")


def test_a_process_is_ready_when_nothing_is_missing() -> None:
    readiness = Readiness()

    readiness.open()

    assert (readiness.ready, readiness.reason) == (True, "")


def test_a_ready_process_can_cease_to_be() -> None:
    readiness = Readiness()
    readiness.open()

    readiness.wait_for("stopping")

    assert (readiness.ready, readiness.reason) == (False, "stopping")
