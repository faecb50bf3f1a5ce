import mmap
from pathlib import Path

import pytest

from adapters.system.large_pages import use_large_pages

SIZE = 64 * 1024 * 1024
STATUS = Path("/proc/self/statm")

pytestmark = pytest.mark.skipif(not STATUS.exists(), reason="There is no /proc here.")


@pytest.mark.parametrize("apart", [1, 2], ids=["filled", "with gaps"])
def test_memory_keeps_what_is_in_it_and_takes_hardly_more_than_before(apart: int) -> None:
    with mmap.mmap(-1, SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        places = range(0, SIZE, apart * mmap.PAGESIZE)
        for place in places:
            memory[place] = 1
        before = _in_memory()

        use_large_pages()

        assert _in_memory() < before * 1.05
        assert all(memory[place] == 1 for place in places)


def _in_memory() -> int:
    return int(STATUS.read_text().split()[1]) * mmap.PAGESIZE
