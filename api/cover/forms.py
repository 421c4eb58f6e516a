"""The forms of shifts, patrol types and cover: clock times and ticks into facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Form

from grid.errors import DomainError
from scheduling.core.problem import DAY_MIN
from scheduling.cover import CoverFacts, ShiftFacts, TypeFacts

SEAT_ROWS = 6
"""Seats that the form offers."""

Short = Annotated[str, Form(max_length=40)]
Days = Annotated[list[int] | None, Form(max_length=7)]
Chosen = Annotated[str, Form(max_length=19)]


class NotAClockTime(DomainError):
    """A time of day that cannot be read."""

    zh = "“{value}”不是时间。请写成 24 小时制，例如 07:30。"
    en = "“{value}” is no time of day. Write it on the 24-hour clock, like 07:30."


def clock_minutes(text: str) -> int:
    """Return the minutes from midnight of ``07:30``. Raises NotAClockTime."""
    hours, _, minutes = text.strip().partition(":")
    if not (hours.isdecimal() and minutes[:2].isdecimal() and len(hours) <= 2):
        raise NotAClockTime(value=text[:10])
    found = int(hours) * 60 + int(minutes[:2])
    if int(minutes[:2]) > 59 or found > DAY_MIN:
        raise NotAClockTime(value=text[:10])
    return found


def band(start: str, end: str) -> tuple[int, int]:
    """Return start and end in minutes; an end that is not later is the next day's."""
    first, last = clock_minutes(start), clock_minutes(end)
    return first, last if last > first else last + DAY_MIN


def clock(minute: int) -> str:
    """Return minutes as an input of a time of day shows them."""
    return f"{minute % DAY_MIN // 60:02d}:{minute % 60:02d}"


@dataclass(frozen=True)
class ShiftForm:
    """A shift as typed."""

    name: Short = ""
    start: Short = ""
    end: Short = ""

    def facts(self, weekdays: Sequence[int] | None) -> ShiftFacts:
        """Return what the form says. Raises NotAClockTime."""
        start, end = band(self.start, self.end)
        return ShiftFacts(
            name=self.name, start_min=start, end_min=end, weekdays=tuple(weekdays or ())
        )


def read_type(
    name: str,
    *,
    enforcement: bool,
    seats: Sequence[str],
    flags: Sequence[str],
    duties: Sequence[str],
) -> TypeFacts:
    """Return the patrol type a form says.

    ``seats`` are ticks like ``0:officer``, ``flags`` like ``0:leader`` or ``1:optional``; a row
    without any force is no seat.
    """
    forces: dict[int, list[str]] = {}
    for tick in seats:
        row, _, force = tick.partition(":")
        if row.isdecimal() and len(row) < 3:
            forces.setdefault(int(row), []).append(force)
    found: list[Mapping[str, object]] = []
    for number in sorted(forces):
        seat: dict[str, object] = {"forces": forces[number]}
        if f"{number}:leader" in flags:
            seat["leader"] = True
        if f"{number}:optional" in flags:
            seat["required"] = False
        if f"{number}:can_lead" in flags:
            seat["qualifications"] = ["leader"]
        found.append(seat)
    return TypeFacts(
        name=name, enforcement=enforcement, composition=tuple(found), duties=tuple(duties)
    )


@dataclass(frozen=True)
class CoverForm:
    """A cover demand as typed."""

    zone_id: Chosen = ""
    shift_template_id: Chosen = ""
    patrol_type_id: Chosen = ""
    minimum: Chosen = "1"
    ideal: Chosen = "1"
    importance: Chosen = "5"

    def facts(self, weekdays: Sequence[int] | None) -> CoverFacts:
        """Return what the form says; what is no number is refused as out of range."""
        return CoverFacts(
            zone_id=whole(self.zone_id, 0),
            shift_template_id=whole(self.shift_template_id, 0),
            patrol_type_id=whole(self.patrol_type_id, 0),
            weekdays=tuple(weekdays or ()),
            minimum=whole(self.minimum, -1),
            ideal=whole(self.ideal, -1),
            importance=whole(self.importance, 0),
        )


def whole(text: str, otherwise: int) -> int:
    """Return a whole number, or ``otherwise`` where the text is none."""
    try:
        return int(text)
    except ValueError:
        return otherwise
