from enum import Enum
from typing import Final, Literal


class Unset(Enum):
    """Tells "leave it as it is" from "set it to nothing" in partial updates."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
UnsetType = Literal[Unset.UNSET]
