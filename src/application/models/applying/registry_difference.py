from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from application.shared.masking import mask


class Deed(StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    REMOVED = "removed"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDifference:
    """What a member was and is; both are masked where they are secret."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What applying does to one thing; ``what`` is ``provider``, ``model`` or ``route``."""

    deed: Deed
    what: str
    name: str
    fields: tuple[FieldDifference, ...] = ()


def changed(
    what: str, name: str, before: Mapping[str, object], after: Mapping[str, object]
) -> Difference:
    """The difference between two things as the audit log records them."""
    names = sorted({**before, **after})
    fields = tuple(
        FieldDifference(
            field=one,
            before=mask(before.get(one), name=one),
            after=mask(after.get(one), name=one),
        )
        for one in names
        if before.get(one) != after.get(one)
    )
    return Difference(deed=Deed.CHANGED, what=what, name=name, fields=fields)
