from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from application.shared.masking import is_secret_name, mask


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
    """The difference between two things as the audit log records them, by the members of their
    members."""
    old, new = dict(_members(before)), dict(_members(after))
    fields = tuple(
        FieldDifference(
            field=one, before=_masked(one, old.get(one)), after=_masked(one, new.get(one))
        )
        for one in sorted({**old, **new})
        if old.get(one) != new.get(one)
    )
    return Difference(deed=Deed.CHANGED, what=what, name=name, fields=fields)


def _members(thing: Mapping[str, object], path: str = "") -> Iterator[tuple[str, object]]:
    for name, value in thing.items():
        if isinstance(value, Mapping) and not is_secret_name(name):
            yield from _members(value, f"{path}{name}.")
        elif value not in (None, [], ()):
            yield f"{path}{name}", value


def _masked(path: str, value: object) -> object:
    return mask(value, name=path.rpartition(".")[2])
