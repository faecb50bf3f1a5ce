import hashlib
from math import log

from domain.models.route import Arm, Split

# So many bytes and a half are exact in a float.
_BYTES = 6


def arm_of(split: Split, identity: str) -> Arm:
    """The arm that somebody is in, always the same one while the arms and the salt are.

    Each arm draws a number for each identity, and the best one for its weight wins. So an arm that
    gets more weight takes some from each of the others, and nobody moves between those.
    """
    return max(split.arms, key=lambda arm: _score(arm, f"{split.salt}\0{arm.name}\0{identity}"))


def _score(arm: Arm, drawn_for: str) -> float:
    digest = hashlib.sha256(drawn_for.encode(errors="replace")).digest()
    # Never 0 and never 1.
    number = (int.from_bytes(digest[:_BYTES], "big") + 0.5) / 256**_BYTES
    return arm.weight / -log(number)
