import hashlib

from domain.models.route import Arm, Split

_BYTES = 8


def arm_of(split: Split, identity: str) -> Arm:
    """The arm that somebody is in, always the same one while the arms and the salt are."""
    digest = hashlib.sha256(f"{split.salt}{identity}".encode(errors="replace")).digest()
    place = int.from_bytes(digest[:_BYTES], "big") / 256**_BYTES
    place *= sum(arm.weight for arm in split.arms)
    for arm in split.arms:
        place -= arm.weight
        if place < 0:
            return arm
    return split.arms[-1]
