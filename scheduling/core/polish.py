"""Quick improvements of a legal roster: hand a seat to a less loaded member, swap two zones.

They change who sits where, never which seats are filled, so no earlier level loses. The search
starts from what they reach; each ends where no single exchange helps.
"""

from collections import defaultdict

from scheduling.core.roll import Roll
from scheduling.core.rules import HARD
from scheduling.core.slots import Slot

MaySit = dict[tuple[int, int], list[str]]
PASSES = 40


def allowed(roll: Roll, member: str, slot: Slot, seat: int) -> bool:
    """Say whether a member, eligible for the seat, may take it beside the rest of the roll."""
    who = roll.agenda.members[member]
    return slot not in roll.patrols[member] and not any(
        rule.stops(roll, who, slot, seat) for rule in HARD if not rule.static
    )


def team_stands(roll: Roll, slot: Slot) -> bool:
    """Say whether the team of a walked patrol may go."""
    return not any(rule.refuses_team(roll, slot) for rule in HARD)


def even_out(roll: Roll, may_sit: MaySit, *, keep: set[tuple[int, int]]) -> None:
    """Hand seats from loaded to less loaded members of a force while squared loads shrink.

    Squares, because the spread alone gives no direction while several members share the extreme.
    Seats in ``keep`` (locks) stay.
    """
    agenda = roll.agenda
    slots = agenda.slots
    for _ in range(PASSES):
        moved = False
        for (index, seat), had in sorted(
            roll.seated.items(), key=lambda item: (-roll.load_bp(item[1]), item[0])
        ):
            if (index, seat) in keep or roll.seated[index, seat] != had:
                continue
            slot = slots[index]
            giver = agenda.members[had]
            gives = agenda.load_bp(giver, slot.day, slot.shift)
            from_load = roll.load_bp(had)
            takers = sorted(
                (roll.load_bp(m), m)
                for m in may_sit[index, seat]
                if agenda.members[m].force == giver.force and agenda.members[m].available_min
            )
            for load, taker in takers:
                gets = agenda.load_bp(agenda.members[taker], slot.day, slot.shift)
                before = from_load**2 + load**2
                if (from_load - gives) ** 2 + (load + gets) ** 2 >= before:
                    continue
                roll.take_away(slot, seat)
                if allowed(roll, taker, slot, seat):
                    roll.put(slot, seat, taker)
                    if team_stands(roll, slot):
                        moved = True
                        break
                    roll.take_away(slot, seat)
                roll.put(slot, seat, had)
        if not moved:
            return


def bring_home(roll: Roll, may_sit: MaySit, *, keep: set[tuple[int, int]]) -> None:
    """Swap two members of one day and shift while that brings more of them to the home zone."""
    agenda = roll.agenda
    for _ in range(PASSES):
        at_once: dict[tuple[int, str], list[tuple[int, int]]] = defaultdict(list)
        for place in sorted(roll.seated):
            if place not in keep:
                slot = agenda.slots[place[0]]
                at_once[slot.day, slot.shift.key].append(place)
        swapped = False
        for places in at_once.values():
            for i, one in enumerate(places):
                for other in places[i + 1 :]:
                    swapped = _swap(roll, may_sit, one, other) or swapped
        if not swapped:
            return


def _swap(roll: Roll, may_sit: MaySit, one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Swap two seats if that is legal and brings somebody home; return whether it was done."""
    a, b = roll.seated[one], roll.seated[other]
    slot_a, slot_b = roll.agenda.slots[one[0]], roll.agenda.slots[other[0]]
    if slot_a is slot_b or b not in may_sit[one] or a not in may_sit[other]:
        return False

    def away(member: str, slot: Slot) -> bool:
        return roll.agenda.members[member].home_zone not in (None, slot.zone.key)

    if away(a, slot_b) + away(b, slot_a) >= away(a, slot_a) + away(b, slot_b):
        return False
    roll.exchange(slot_a, one[1], slot_b, other[1])
    if (
        team_stands(roll, slot_a)
        and team_stands(roll, slot_b)
        and _may_stay(roll, slot_a, one[1])
        and _may_stay(roll, slot_b, other[1])
    ):
        return True
    roll.exchange(slot_a, one[1], slot_b, other[1])
    return False


def _may_stay(roll: Roll, slot: Slot, seat: int) -> bool:
    """Say whether no rule stands against whoever sits there: one may go by the zone."""
    member = roll.seated[slot.index, seat]
    roll.take_away(slot, seat)
    may = allowed(roll, member, slot, seat)
    roll.put(slot, seat, member)
    return may
