"""Reading a safetensors file: eight bytes of length, a JSON header, then the raw numbers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LENGTH_BYTES = 8


def read_float32(path: Path) -> dict[str, NDArray[np.float32]]:
    """Every float32 tensor by name, mapped from the file and not copied."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(LENGTH_BYTES), "little")
        header: dict[str, dict[str, Any]] = json.loads(file.read(length))
    numbers = np.memmap(path, dtype=np.uint8, mode="r", offset=LENGTH_BYTES + length)
    tensors = {}
    for name, entry in header.items():
        if entry.get("dtype") != "F32":
            continue
        begin, end = entry["data_offsets"]
        tensors[name] = numbers[begin:end].view(np.float32).reshape(entry["shape"])
    return tensors
