import pytest

from domain.operations.errors import WorkerFailedError


@pytest.mark.parametrize("exit_code", [1, -9, None])
def test_a_worker_that_failed_tells_its_exit_code(exit_code: int | None) -> None:
    error = WorkerFailedError(exit_code)

    assert error.message == f"A worker ended with exit code {exit_code} before it served."
