"""Large pages for memory that is there anyway; Linux only, elsewhere nothing happens."""

import mmap
from array import array
from collections.abc import Iterator
from pathlib import Path

import structlog

log = structlog.get_logger()

_SIZE = Path("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size")
_MAPS = Path("/proc/self/maps")
_PAGES = Path("/proc/self/pagemap")
# Of the entry of a page: it is in memory.
_PRESENT = 1 << 63
# Where less of a large page is there already, making it would take too much memory.
_FILLED = 0.97
# What Linux calls MADV_COLLAPSE (6.1 and newer), and Python does not name.
_COLLAPSE = 25


def use_large_pages() -> int:
    """Put memory of the process into large pages where it fills them, and return how many.

    A server that was idle for a moment finds the processor's caches full of what others did. Where
    its memory is, is one of the things that it has to look up then: with small pages, for each four
    KiB of the thousands that a call touches. Hardly any memory is added, since no large page is
    made that would have more than small gaps.
    """
    try:
        size = int(_SIZE.read_text())
        blocks = list(_filled_blocks(size))
    except (OSError, ValueError) as error:
        log.debug("large_pages.unknown", reason=repr(error))
        return 0
    made = _collapsed(blocks, size)
    log.debug("large_pages.made", filled=len(blocks), made=made)
    return made


def _collapsed(blocks: list[int], size: int) -> int:
    """How many of the blocks the kernel has made a large page of; it may be too old, or have none
    left."""
    import ctypes  # noqa: PLC0415 - a third of a MiB that only Linux needs

    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    for made, start in enumerate(blocks):
        if madvise(start, size, _COLLAPSE):
            return made
    return len(blocks)


def _filled_blocks(size: int) -> Iterator[int]:
    """Where large pages could begin of which nearly every small one is in memory."""
    whole = size // mmap.PAGESIZE
    with _PAGES.open("rb", buffering=0) as pages:
        for start, end in _anonymous():
            for block in range(-(-start // size) * size, end - size + 1, size):
                pages.seek(block // mmap.PAGESIZE * 8)
                entries = array("Q", pages.read(whole * 8))
                if sum(entry >= _PRESENT for entry in entries) >= whole * _FILLED:
                    yield block


def _anonymous() -> list[tuple[int, int]]:
    """The ranges of addresses that are the process' own to write, and no file's."""
    ranges: list[tuple[int, int]] = []
    for line in _MAPS.read_text().splitlines():
        addresses, permissions, _, _, inode, *_ = line.split()
        if permissions.startswith("rw") and inode == "0":
            start, _, end = addresses.partition("-")
            ranges.append((int(start, 16), int(end, 16)))
    return ranges
