"""A first legal roster at once: the most important patrols first, the least loaded people first.

Where a roster stands already (the problem's baseline), whoever may stay stays, and only then are
holes filled.

It asks the rules' own sentences, not the model, so that there is a roster before any search.
"""

from scheduling.core.polish import allowed, team_stands
from scheduling.core.roll import Roll
from scheduling.core.slots import Agenda, Slot

TRIES = 60
"""Teams tried for one patrol before it is left to the search."""
TIERS = {"minimum": 0, "ideal": 2, "extra": 3}


def first_roster(agenda: Agenda, may_sit: dict[tuple[int, int], list[str]]) -> Roll:
    """Return a roll that breaks no hard rule; locks are seated first where they can be."""
    roll = Roll(agenda)
    if agenda.sat:
        _seat_who_stays(roll, may_sit)
    else:
        _seat_locks(roll, may_sit)
    for slot in sorted(
        (s for s in agenda.slots if s.tier != "extra"),
        key=lambda s: (TIERS[s.tier], -s.importance, s.start_min, s.index),
    ):
        if slot.tier == "ideal":
            break
        _fill(roll, slot, may_sit)
    for requirement in agenda.problem.requirements:
        found = agenda.visits[requirement.key]
        made = sum(roll.walked(slot) for slot in found)
        for slot in sorted(found, key=lambda s: (TIERS[s.tier], s.index)):
            if made >= requirement.visits:
                break
            made += not roll.walked(slot) and _fill(roll, slot, may_sit)
    for slot in sorted(agenda.slots, key=lambda s: (-s.importance, s.start_min, s.index)):
        if slot.tier == "ideal":
            _fill(roll, slot, may_sit)
    return roll


def _seat_locks(roll: Roll, may_sit: dict[tuple[int, int], list[str]]) -> None:
    agenda = roll.agenda
    locked: dict[str, dict[int, str]] = {}
    for lock in agenda.problem.locks:
        locked.setdefault(lock.patrol, {})[lock.seat] = lock.member
    for key, team in locked.items():
        slot = agenda.by_key[key]
        if all(m in may_sit[slot.index, n] for n, m in team.items()):
            _fill(roll, slot, may_sit, team)


def _seat_who_stays(roll: Roll, may_sit: dict[tuple[int, int], list[str]]) -> None:
    """Seat everybody who may stay, locks first, team by team; half a team goes home."""
    agenda = roll.agenda
    locked = {(agenda.by_key[k.patrol].index, k.seat): k.member for k in agenda.problem.locks}
    wanted = {**agenda.sat, **locked}
    first = {index for index, _ in locked}
    for slot in sorted(agenda.slots, key=lambda s: (s.index not in first, -s.importance, s.index)):
        seats = slot.type.seats
        for seat in range(len(seats)):
            member = wanted.get((slot.index, seat))
            if (
                member is not None
                and member in may_sit[slot.index, seat]
                and allowed(roll, member, slot, seat)
            ):
                roll.put(slot, seat, member)
        for seat in range(len(seats)):
            if seats[seat].required and roll.team(slot) and (slot.index, seat) not in roll.seated:
                _seat_whom_nobody_needs(roll, slot, seat, may_sit)
        if not (roll.walked(slot) and team_stands(roll, slot)):
            for seat in roll.team(slot):
                roll.take_away(slot, seat)


def _seat_whom_nobody_needs(
    roll: Roll, slot: Slot, seat: int, may_sit: dict[tuple[int, int], list[str]]
) -> None:
    """Seat the least loaded who sits nowhere else that day in the roster that stands."""
    slots = roll.agenda.slots
    busy = {
        who
        for (index, _), who in roll.agenda.sat.items()
        if index != slot.index and slots[index].day == slot.day
    }
    free = [
        m
        for m in may_sit[slot.index, seat]
        if m not in busy and m not in roll.team(slot).values() and allowed(roll, m, slot, seat)
    ]
    if free:
        roll.put(slot, seat, min(free, key=lambda m: (roll.load_bp(m), m)))


def _fill(
    roll: Roll,
    slot: Slot,
    may_sit: dict[tuple[int, int], list[str]],
    fixed: dict[int, str] | None = None,
) -> bool:
    """Seat a whole team, or nobody; return whether the patrol is walked."""
    if roll.walked(slot):
        return True
    if not _first_of_its_demand(roll, slot) and fixed is None:
        return False
    seats = slot.type.seats
    fixed = fixed or {}
    order = sorted(
        (n for n, seat in enumerate(seats) if seat.required or n in fixed),
        key=lambda n: (n not in fixed, len(may_sit[slot.index, n])),
    )
    tries = [TRIES]

    def complete(rest: list[int]) -> bool:
        if not rest:
            tries[0] -= 1
            return team_stands(roll, slot)
        seat = rest[0]
        wanted = [fixed[seat]] if seat in fixed else _by_load(roll, slot, may_sit[slot.index, seat])
        for member in wanted:
            if tries[0] <= 0:
                return False
            if allowed(roll, member, slot, seat):
                roll.put(slot, seat, member)
                if complete(rest[1:]):
                    return True
                roll.take_away(slot, seat)
        return False

    if not complete(order):
        return False
    for n, seat in enumerate(seats):
        if not seat.required and n not in fixed and slot.tier != "extra":
            for member in _by_load(roll, slot, may_sit[slot.index, n]):
                if allowed(roll, member, slot, n):
                    roll.put(slot, n, member)
                    break
    return True


def _first_of_its_demand(roll: Roll, slot: Slot) -> bool:
    before = roll.agenda.slots[slot.index - 1] if slot.index else None
    return before is None or before.demand is not slot.demand or roll.walked(before)


def _by_load(roll: Roll, slot: Slot, members: list[str]) -> list[str]:
    return sorted(
        members,
        key=lambda m: (
            roll.load_bp(m),
            roll.agenda.members[m].home_zone not in (None, slot.zone.key),
            m,
        ),
    )
