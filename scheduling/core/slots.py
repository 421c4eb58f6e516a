"""The patrols a problem asks for, spelled out one by one: what the model seats people in."""

from dataclasses import dataclass
from functools import cached_property

from scheduling.core.plan import Tier
from scheduling.core.problem import (
    DAY_MIN,
    WEEK_DAYS,
    Demand,
    Member,
    NoSuchKey,
    PatrolType,
    Requirement,
    RosterProblem,
    Shift,
    Zone,
)

BP = 10_000


@dataclass(frozen=True, eq=False)
class Slot:
    """One patrol that may be walked. ``start_min``/``end_min`` count from the roster's midnight."""

    index: int
    key: str
    day: int
    shift: Shift
    zone: Zone
    type: PatrolType
    tier: Tier
    importance: int
    demand: Demand

    @cached_property
    def start_min(self) -> int:
        """Start, minutes of the roster."""
        return self.day * DAY_MIN + self.shift.start_min

    @cached_property
    def end_min(self) -> int:
        """End, minutes of the roster."""
        return self.day * DAY_MIN + self.shift.end_min


def patrol_key(demand: Demand, number: int) -> str:
    """Return the key of the n-th patrol (from 1) of a demand."""
    return f"{demand.day}.{demand.shift}.{demand.zone}.{demand.type}.{number}"


class Agenda:
    """A problem with its slots and what is looked up often."""

    def __init__(self, problem: RosterProblem) -> None:
        self.problem = problem
        self.members = {m.key: m for m in problem.members}
        shifts = {s.key: s for s in problem.shifts}
        zones = {z.key: z for z in problem.zones}
        types = {t.key: t for t in problem.types}
        self.slots: list[Slot] = []
        for d in problem.demands:
            for n in range(d.ideal + d.extra):
                tier: Tier = "minimum" if n < d.minimum else "ideal" if n < d.ideal else "extra"
                self.slots.append(
                    Slot(
                        len(self.slots), patrol_key(d, n + 1), d.day, shifts[d.shift],
                        zones[d.zone], types[d.type], tier, d.importance, d,
                    )
                )  # fmt: skip
        self.by_key = {slot.key: slot for slot in self.slots}
        for lock in problem.locks:
            slot = self.by_key.get(lock.patrol)
            if slot is None or lock.seat not in range(len(slot.type.seats)):
                raise NoSuchKey(
                    where="lock", thing="席位", thing_en="seat", key=f"{lock.patrol}#{lock.seat}"
                )
        self.sat = {
            (self.by_key[s.patrol].index, s.seat): s.member
            for s in problem.baseline
            if s.patrol in self.by_key and s.seat in range(len(self.by_key[s.patrol].type.seats))
        }
        """Who sat where in the roster that is to be changed least: (slot index, seat) → member key."""
        self.forbidden = {(s.first, s.then) for s in problem.law.forbidden_successions}
        """(shift, shift of the next day) that may not be."""
        self.together, self.apart = _partners(problem, "together"), _partners(problem, "apart")
        self.weekends = _weekends(problem)
        """The free days of each week's Saturday and Sunday."""
        self.visits = {
            r.key: [slot for slot in self.slots if visits(r, slot)] for r in problem.requirements
        }

    def may_go_alone(self, member: Member) -> bool:
        """Say whether a member needs nobody beside them."""
        return not member.never_alone and member.force not in self.problem.law.never_alone

    def is_night(self, shift: Shift) -> bool:
        """Say whether a patrol of this shift is a night patrol."""
        return shift.end_min > self.problem.law.night_after_min

    def weighted_min(self, day: int, shift: Shift) -> int:
        """Return the shift's minutes on that day as the load counts them."""
        w = self.problem.weights
        kind = self.problem.days[day]
        pct = max(
            100,
            w.night_pct if self.is_night(shift) else 100,
            w.weekend_pct if kind == "weekend" else 100,
            w.holiday_pct if kind == "holiday" else 100,
        )
        return shift.minutes * pct // 100

    def load_bp(self, member: Member, day: int, shift: Shift) -> int:
        """Return what one patrol adds to a member's load (rounded down); 0 without available minutes."""
        if member.available_min == 0:
            return 0
        return self.weighted_min(day, shift) * BP // member.available_min

    def fairness_groups(self) -> list[tuple[str, str | None, list[Member]]]:
        """Return (force, employer or None, members): each force, and each firm where it has several.

        Members without available minutes are left out; so are groups of one.
        """
        counted = [m for m in self.problem.members if m.available_min > 0]
        groups: list[tuple[str, str | None, list[Member]]] = []
        for force in dict.fromkeys(m.force for m in counted):
            whole = [m for m in counted if m.force == force]
            groups.append((force, None, whole))
            firms = list(dict.fromkeys(m.employer for m in whole if m.employer is not None))
            if len(firms) > 1:
                groups += [(force, f, [m for m in whole if m.employer == f]) for f in firms]
        return [group for group in groups if len(group[2]) > 1]


def _partners(problem: RosterProblem, kind: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for pair in problem.pairs:
        if pair.kind == kind:
            found.setdefault(pair.one, set()).add(pair.other)
            found.setdefault(pair.other, set()).add(pair.one)
    return found


def _weekends(problem: RosterProblem) -> list[tuple[int, ...]]:
    """Return each week's Saturday and Sunday, less compensatory workdays (调休上班)."""
    days = problem.days
    return [
        tuple(
            day
            for day in (first + 5, first + 6)
            if day < len(days) and days[day] != "compensatory_workday"
        )
        for first in range(0, len(days), WEEK_DAYS)
    ]


def visits(requirement: Requirement, slot: Slot) -> bool:
    """Say whether a patrol, if walked, is a visit that the requirement counts.

    Hours past midnight are the next day's early hours: a patrol from 22:00 to 02:00 meets a band
    of 01:00–04:00 of the day after it, and a band of 20:00–26:00 is met at 01:00 of that day.
    """
    return slot.zone.key == requirement.zone and any(
        slot.day + later in requirement.days
        and overlap_min(slot.shift, requirement, later) >= requirement.dwell_min
        for later in (-1, 0, 1)
    )


def overlap_min(shift: Shift, requirement: Requirement, days_later: int) -> int:
    """Return the minutes a shift shares with the band of so many days after it; below 0: none."""
    moved = days_later * DAY_MIN
    return min(shift.end_min, requirement.band_end_min + moved) - max(
        shift.start_min, requirement.band_start_min + moved
    )
