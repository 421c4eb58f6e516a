"""Who steps in where somebody drops out: every choice with what it costs, the best first.

A choice is judged as a re-solve with the fewest changes would: the levels of cover first, then
how many other people's days it touches, then fairness and wishes. Somebody free that day costs
one change. Somebody who is on another patrol leaves it, and that seat goes to whoever costs least
in turn, or stays empty.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from scheduling.core.consequences import costs
from scheduling.core.desk import (
    QuickRoll,
    SeatChange,
    lock_objections,
    tried,
    with_stood_down,
)
from scheduling.core.plan import LEVELS
from scheduling.core.problem import DAY_MIN, Absence, Member, RosterProblem
from scheduling.core.roll import Roll
from scheduling.core.rules import HARD
from scheduling.core.slots import Slot

BEFORE_CHANGES = LEVELS[: LEVELS.index("changes")]
"""What is worth more than leaving people's days as they are."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Somebody who could take the seat: the seats that change, and what the week then costs."""

    member: str
    changes: tuple[SeatChange, ...]
    cost_by_level: dict[str, int]
    """Change of every level's cost against the seat left empty."""
    zh: str
    en: str

    @property
    def order(self) -> tuple[int, ...]:
        """The key by which a re-solve with the fewest changes would choose."""
        return rank(self.cost_by_level, len(self.changes))

    @property
    def worth_it(self) -> bool:
        """Say whether the week is better covered with it than with the seat left empty."""
        n = len(BEFORE_CHANGES)
        return self.order[:n] < (0,) * n


def rank(cost_by_level: dict[str, int], changes: int) -> tuple[int, ...]:
    """Return costs as a key to sort by, the number of changed seats after the cover."""
    early = tuple(cost_by_level[level] for level in BEFORE_CHANGES)
    known = {*BEFORE_CHANGES, "changes"}
    late = tuple(cost_by_level[level] for level in LEVELS if level not in known)
    return (*early, changes, *late)


def on_leave(problem: RosterProblem, member: str, days: Sequence[int]) -> RosterProblem:
    """Return the problem with a member on leave on further days.

    The available minutes, which the load is divided by, shrink with the days that remain.
    """
    week = len(problem.days)
    away = [m for m in problem.members if m.key == member]
    leave = tuple(sorted({*(away[0].leave if away else ()), *days}))

    def changed(m: Member) -> Member:
        had = len(set(range(week)) - set(m.days_off) - set(m.leave))
        left = len(set(range(week)) - set(m.days_off) - set(leave))
        available = m.available_min * left // had if had else m.available_min
        return replace(m, leave=leave, available_min=available)

    members = tuple(changed(m) if m.key == member else m for m in problem.members)
    return replace(problem, members=members)


def unavailable_for(problem: RosterProblem, member: str, slot: Slot) -> RosterProblem:
    """Return the problem with a member who cannot walk one patrol."""
    hours = Absence(start_min=slot.start_min, end_min=slot.end_min)
    members = tuple(
        replace(m, unavailable=(*m.unavailable, hours)) if m.key == member else m
        for m in problem.members
    )
    locks = tuple(k for k in problem.locks if (k.patrol, k.member) != (slot.key, member))
    return replace(problem, members=members, locks=locks)


def seats_touching(roll: Roll, member: str, days: Sequence[int]) -> list[tuple[Slot, int]]:
    """Return the seats of a member with a minute on any of these days."""
    spans = [(day * DAY_MIN, (day + 1) * DAY_MIN) for day in days]
    return [
        (slot, n)
        for slot, n in seats_of(roll, member)
        if any(slot.start_min < end and start < slot.end_min for start, end in spans)
    ]


def replacements(roll: QuickRoll, slot: Slot, seat: int, without: str | None) -> list[Choice]:
    """Return who could take a seat, the best first; ``without`` is who drops out of it.

    Whoever would open a worse hole elsewhere is none. The seat is empty on the roll, and whoever drops out is on leave in its problem.
    """
    before = costs(roll)
    found = []
    for member in roll.agenda.members.values():
        if member.key == without or member.force not in slot.type.seats[seat].forces:
            continue
        choice = _direct(roll, slot, seat, member, before) or _in_turn(
            roll, slot, seat, member, before
        )
        if choice is not None and choice.worth_it:
            found.append(choice)
    return sorted(found, key=lambda c: (c.order, c.member))


def _direct(
    roll: QuickRoll, slot: Slot, seat: int, member: Member, before: dict[str, int]
) -> Choice | None:
    changes = [SeatChange(slot, seat, None, member.key)]
    with tried(roll, changes) as objections:
        if objections:
            return None
        cost = _against(costs(roll), before)
    return Choice(member.key, tuple(changes), cost, "当日有空，直接顶上", "is free and steps in")


def _in_turn(
    roll: QuickRoll, slot: Slot, seat: int, member: Member, before: dict[str, int]
) -> Choice | None:
    """Let a member leave one other patrol for this seat, and fill what opens as well as can be."""
    best: Choice | None = None
    for other, other_seat in seats_of(roll, member.key):
        leaves = with_stood_down(roll, [SeatChange(other, other_seat, member.key, None)])
        if lock_objections(roll.problem, leaves):
            continue
        first = [*leaves, SeatChange(slot, seat, None, member.key)]
        with tried(roll, first) as objections:
            if any(o.member == member.key for o in objections):
                continue  # whoever takes over there, this member cannot come
        for changes, heir in _filled(roll, first, other, other_seat):
            with tried(roll, changes) as objections:
                if objections:
                    continue
                cost = _against(costs(roll), before)
            where = f"{roll.problem.date_of(other.day):%m-%d}{other.zone.name}{other.shift.name}"
            zh = f"从{where}调来，原位由{heir.name}接替" if heir else f"从{where}调来，原位空缺"
            en = f"moves from {other.zone.name} {other.shift.name}, " + (
                f"{heir.name} takes over there" if heir else "which stays empty"
            )
            choice = Choice(member.key, tuple(changes), cost, zh, en)
            if best is None or choice.order < best.order:
                best = choice
    return best


def seats_of(roll: Roll, member: str) -> list[tuple[Slot, int]]:
    """Return the seats a member has, in order of time."""
    return [
        (slot, n)
        for slot in roll.patrols[member]
        for n, who in roll.team(slot).items()
        if who == member
    ]


def _filled(
    roll: QuickRoll, first: Sequence[SeatChange], other: Slot, seat: int
) -> Iterator[tuple[list[SeatChange], Member | None]]:
    """Yield the changes with each heir of the opened seat, and with it and its team stood down."""
    # Nobody is asked who could not take the seat by what never changes.
    nobody = [rule for rule in HARD if rule.static]
    extra = [c for c in first if (c.slot.index, c.seat) != (other.index, seat)]
    mover = next(c.was for c in first if (c.slot.index, c.seat) == (other.index, seat))
    for heir in roll.agenda.members.values():
        if heir.key == mover or any(rule.stops(roll, heir, other, seat) for rule in nobody):
            continue
        if other.tier == "extra" and len(extra) > 1:
            break
        yield [SeatChange(other, seat, mover, heir.key), *extra], heir
    if other.index in {c.slot.index for c in extra} and other.type.seats[seat].required:
        return  # from one seat of a team to another nothing is won
    gone = list(first)
    if other.type.seats[seat].required:
        known = {(c.slot.index, c.seat) for c in first}
        gone += [
            SeatChange(other, n, who, None)
            for n, who in roll.team(other).items()
            if (other.index, n) not in known
        ]
    yield gone, None


def _against(after: dict[str, int], before: dict[str, int]) -> dict[str, int]:
    return {level: after[level] - before[level] for level in LEVELS}
