import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import click

_RELATIVE = re.compile(r"(\d{1,5})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class Moment:
    """A time, or a distance from now whose direction depends on what is asked for."""

    value: datetime | timedelta


def ahead(moment: Moment | None, now: datetime) -> datetime | None:
    """The moment as a time to come: ``30d`` is in thirty days."""
    if moment is None:
        return None
    return now + moment.value if isinstance(moment.value, timedelta) else moment.value


def ago(moment: Moment | None, now: datetime) -> datetime | None:
    """The moment as a time gone by: ``30d`` was thirty days ago."""
    if moment is None:
        return None
    return now - moment.value if isinstance(moment.value, timedelta) else moment.value


class MomentType(click.ParamType[Moment]):
    """``30d`` or ``12h``, a date, or a date and time; without an offset it is UTC."""

    name = "when"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Moment:
        text = str(value).strip()
        if found := _RELATIVE.fullmatch(text):
            return Moment(timedelta(**{_UNITS[found[2]]: int(found[1])}))
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"'{text}' is no time: write 30d, 12h, 2026-12-31 or 2026-12-31T12:00Z.")
        return Moment(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


MOMENT = MomentType()
