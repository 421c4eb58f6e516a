"""What every possible drop of a picked-up assignment would do: asked once, at pick-up.

Each target tells the rules that stand against it and, where none does, what moves: seats opened
and closed, the spread of the force's load, the worst coverage gap, and the cost of every level.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from grid.errors import NotFound
from scheduling.core.desk import (
    Objection,
    QuickRoll,
    SeatChange,
    SeatIsEmpty,
    find_seat,
    lock_objections,
    tried,
    with_stood_down,
)
from scheduling.core.plan import LEVELS
from scheduling.core.roll import Roll
from scheduling.core.rules import WISHES
from scheduling.core.slots import Slot

Place = tuple[str, int]
"""Patrol and seat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A seat that a picked-up member may be dropped on, and what that would do."""

    patrol: str
    seat: int
    kind: Literal["move", "swap", "place"]
    allowed: bool
    stops: tuple[Objection, ...] = ()
    fairness_bp: int = 0
    """Change of the spread of load in the picked-up member's force."""
    opens: tuple[Place, ...] = ()
    closes: tuple[Place, ...] = ()
    gap_min: int = 0
    """Change of the longest coverage gap among the zones and days touched."""
    cost_by_level: dict[str, int]
    """Change of every level's cost; empty where a rule stands against it."""


def costs(roll: Roll) -> dict[str, int]:
    """Return what each level costs."""
    found: dict[str, int] = dict.fromkeys(LEVELS, 0)
    for wish in WISHES:
        found[wish.level] += wish.cost(roll)
    return found


def in_order(cost_by_level: dict[str, int]) -> tuple[int, ...]:
    """Return costs as a key to sort by: the first level first."""
    return tuple(cost_by_level[level] for level in LEVELS)


def spread_bp(roll: Roll, force: str) -> int:
    """Return the spread of load within a force."""
    loads = [
        roll.load_bp(m.key) for m in roll.problem.members if m.force == force and m.available_min
    ]
    return max(loads) - min(loads) if loads else 0


class Gaps:
    """The longest minutes without a team, by zone and day, for a roll that changes."""

    def __init__(self, roll: Roll) -> None:
        self._roll = roll
        self._slots: dict[tuple[str, int], list[Slot]] = {}
        for slot in roll.agenda.slots:
            self._slots.setdefault((slot.zone.key, slot.day), []).append(slot)

    def teams(self, zone: str, day: int) -> list[tuple[int, int]]:
        """Return when teams are in a zone on a day, in its minutes, in order of start."""
        today = [
            (s.shift.start_min, s.shift.end_min)
            for s in self._slots.get((zone, day), ())
            if self._roll.walked(s)
        ]
        late = [
            (0, s.shift.end_min - 1440)
            for s in self._slots.get((zone, day - 1), ())
            if s.shift.end_min > 1440 and self._roll.walked(s)
        ]
        return sorted(today + late)

    def longest(self, zone: str, day: int) -> int:
        """Return the longest run of minutes of the patrol day with no team."""
        problem = self._roll.problem
        reached, longest = problem.patrol_day_start_min, 0
        for start, end in self.teams(zone, day):
            longest = max(longest, min(start, problem.patrol_day_end_min) - reached)
            reached = max(reached, end)
        return max(longest, problem.patrol_day_end_min - reached)

    def worst(self, slots: Iterable[Slot]) -> int:
        """Return the longest gap among the zones and days that these patrols touch."""
        days = len(self._roll.problem.days)
        places = {
            (slot.zone.key, day)
            for slot in slots
            for day in (slot.day, slot.day + (slot.shift.end_min > 1440))
            if day < days
        }
        return max((self.longest(zone, day) for zone, day in places), default=0)


def targets_of_seat(roll: QuickRoll, patrol: str, seat: int) -> list[Target]:
    """Return every seat that a picked-up assignment may be dropped on. Raises NotFound."""
    slot, n = find_seat(roll, patrol, seat)
    member = roll.seated.get((slot.index, n))
    if member is None:
        raise SeatIsEmpty()
    return _targets(roll, member, (slot, n))


def targets_of_member(roll: QuickRoll, member: str) -> list[Target]:
    """Return every seat that a picked-up free member may be dropped on. Raises NotFound."""
    if member not in roll.agenda.members:
        raise NotFound(thing="队员", name=member)
    return _targets(roll, member, None)


def _targets(roll: QuickRoll, member: str, home: tuple[Slot, int] | None) -> list[Target]:
    before = costs(roll)
    gaps = Gaps(roll)
    force = roll.agenda.members[member].force
    spread = spread_bp(roll, force)
    found = []
    for slot in roll.agenda.slots:
        for n in range(len(slot.type.seats)):
            sits = roll.seated.get((slot.index, n))
            if sits == member:
                continue
            if home is None:
                kind: Literal["move", "swap", "place"] = "place"
                changes = [SeatChange(slot, n, sits, member)]
            else:
                kind = "move" if sits is None else "swap"
                changes = with_stood_down(
                    roll, [SeatChange(*home, member, sits), SeatChange(slot, n, sits, member)]
                )
            if slot.tier == "extra" and sits is None and not roll.walked(slot):
                continue  # an extra patrol is added by the search where a requirement needs it
            found.append(_target(roll, changes, kind, slot.key, n, before, gaps, force, spread))
    return found


def _target(
    roll: QuickRoll,
    changes: Sequence[SeatChange],
    kind: Literal["move", "swap", "place"],
    patrol: str,
    seat: int,
    before: dict[str, int],
    gaps: Gaps,
    force: str,
    spread: int,
) -> Target:
    locked = lock_objections(roll.problem, changes)
    opens = tuple((c.slot.key, c.seat) for c in changes if c.was and not c.now)
    closes = tuple((c.slot.key, c.seat) for c in changes if c.now and not c.was)
    slots = [c.slot for c in changes]
    gap = gaps.worst(slots) if opens or closes else 0
    with tried(roll, changes) as objections:
        stops = tuple([*locked, *objections])
        if stops:
            return Target(
                patrol=patrol, seat=seat, kind=kind, allowed=False, stops=stops, opens=opens,
                closes=closes, cost_by_level={},
            )  # fmt: skip
        after = costs(roll)
        return Target(
            patrol=patrol,
            seat=seat,
            kind=kind,
            allowed=True,
            fairness_bp=spread_bp(roll, force) - spread,
            opens=opens,
            closes=closes,
            gap_min=(gaps.worst(slots) - gap) if opens or closes else 0,
            cost_by_level={level: after[level] - before[level] for level in LEVELS},
        )
