"""Solve the rest of a roster anew with the fewest changes: locks stay, and as much else as can be.

The roster that stands becomes the problem's baseline, and the level of changes, between the cover
and fairness, does the rest: nobody's week changes for the sake of fairness, and as few weeks as can
be for the sake of cover. The search begins from what is left of the roster, so whoever stops it
early has a legal roster that changes little.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby

from scheduling.core.plan import RosterPlan
from scheduling.core.problem import RosterProblem, Sat
from scheduling.core.slots import Agenda

Seats = Mapping[tuple[str, int], str]
"""Patrol and seat → member."""


def against(problem: RosterProblem, before: RosterPlan) -> RosterProblem:
    """Return the problem whose roster is to differ least from ``before``.

    ``before`` is a roster of a problem with the same demands, or most of them.
    """
    sits = {
        (p.key, n): seat.member
        for p in before.patrols
        for n, seat in enumerate(p.seats)
        if seat.member is not None
    }
    agenda = Agenda(replace(problem, baseline=()))
    named = _first_ones_first(agenda, {k: m for k, m in sits.items() if k[0] in agenda.by_key})
    return replace(
        problem,
        baseline=tuple(
            Sat(patrol=patrol, seat=seat, member=member)
            for (patrol, seat), member in sorted(named.items())
        ),
    )


def changed_seats(one: RosterPlan, other: RosterPlan) -> int:
    """Count the seats that hold somebody else, or nobody where somebody sat, or the reverse."""
    seats = [
        {(p.key, n): s.member for p in plan.patrols for n, s in enumerate(p.seats)}
        for plan in (one, other)
    ]
    return sum(seats[0].get(k) != seats[1].get(k) for k in seats[0].keys() | seats[1].keys())


def _first_ones_first(agenda: Agenda, sits: Seats) -> Seats:
    """Rename alike patrols of one demand so that those that go come first, as the model asks.

    An edit by hand may have left the second of two alike patrols and not the first; to rename
    them changes nobody's week. One with a lock keeps its name.
    """
    named = dict(sits)
    locked = {lock.patrol for lock in agenda.problem.locks}
    for _, group in groupby(agenda.slots, key=lambda s: id(s.demand)):
        slots = list(group)
        if len(slots) < 2 or any(slot.key in locked for slot in slots):
            continue
        seats = range(len(slots[0].type.seats))
        teams = [{n: named.pop((slot.key, n), None) for n in seats} for slot in slots]
        teams.sort(key=lambda team: -sum(who is not None for who in team.values()))
        for slot, team in zip(slots, teams, strict=True):
            for n, member in team.items():
                if member is not None:
                    named[slot.key, n] = member
    return named
