"""Seat people differently in a finished roster: what the rules say, and the plan that follows.

Pure: a problem and a plan in, the verdict and a plan with every figure anew out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scheduling.core import figures
from scheduling.core.empty_seats import empty_seats
from scheduling.core.plan import LevelOutcome, PlannedPatrol, PlannedSeat, RosterPlan
from scheduling.core.problem import RosterProblem, digest
from scheduling.core.roll import Roll
from scheduling.core.rules import HARD, WISHES, Stop
from scheduling.core.slots import Agenda, Slot


@dataclass(frozen=True, slots=True)
class Exchange:
    """One member's patrol against another's, or given to the other."""

    asker: str
    asker_patrol: str
    other: str
    other_patrol: str | None = None


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that stops a member, in two languages."""

    member: str
    rule: str
    zh: str
    en: str


def roll_of(problem: RosterProblem, plan: RosterPlan) -> Roll:
    """Return who sits where in a plan, on the problem's slots."""
    agenda = Agenda(problem)
    roll = Roll(agenda)
    for patrol in plan.patrols:
        for n, seat in enumerate(patrol.seats):
            if seat.member is not None:
                roll.put(agenda.by_key[patrol.key], n, seat.member)
    return roll


def seat_of(roll: Roll, member: str, patrol: str) -> tuple[Slot, int] | None:
    """Return the seat a member has on a patrol, if any."""
    slot = roll.agenda.by_key.get(patrol)
    if slot is None:
        return None
    return next(((slot, n) for n, who in roll.team(slot).items() if who == member), None)


def try_exchange(roll: Roll, asked: Exchange) -> tuple[Roll | None, Sequence[Breach]]:
    """Return the roll after an exchange, and the rules that forbid it.

    Without a roll one of the two no longer sits where the exchange supposes.
    """
    mine = seat_of(roll, asked.asker, asked.asker_patrol)
    theirs = seat_of(roll, asked.other, asked.other_patrol) if asked.other_patrol else None
    if mine is None or (asked.other_patrol is not None and theirs is None):
        return None, ()
    trial = roll.copy()
    trial.take_away(*mine)
    if theirs is not None:
        trial.take_away(*theirs)
    breaches = _seat(trial, asked.other, *mine)
    if theirs is not None:
        breaches += _seat(trial, asked.asker, *theirs)
    for slot in {s.index: s for s, _ in (mine, theirs or mine)}.values():
        for rule in HARD:
            stop = rule.refuses_team(trial, slot)
            if stop is not None:
                breaches.append(_breach(asked.other, stop))
    return trial, breaches


def _seat(roll: Roll, member: str, slot: Slot, seat: int) -> list[Breach]:
    """Put a member down, and say what forbids it."""
    who = roll.agenda.members[member]
    stops = [rule.stops(roll, who, slot, seat) for rule in HARD]
    roll.put(slot, seat, member)
    return [_breach(member, stop) for stop in stops if stop is not None]


def _breach(member: str, stop: Stop) -> Breach:
    return Breach(member, stop.rule, stop.zh, stop.en)


def plan_of_roll(roll: Roll, was: RosterPlan) -> RosterPlan:
    """Return a plan for the people on the roll, every figure anew; what else it says stays.

    A bound was proven among rosters no worse in the levels before. Once a level costs more than
    it did, nothing is proven of the later ones.
    """
    patrols = []
    for slot in roll.agenda.slots:
        walked = roll.walked(slot)
        if slot.tier == "extra" and not walked:
            continue
        patrols.append(
            PlannedPatrol(
                key=slot.key,
                day=slot.day,
                shift=slot.shift.key,
                zone=slot.zone.key,
                type=slot.type.key,
                tier=slot.tier,
                walked=walked,
                seats=tuple(
                    PlannedSeat(
                        member=roll.seated.get((slot.index, n)),
                        leader=seat.leader and (slot.index, n) in roll.seated,
                    )
                    for n, seat in enumerate(slot.type.seats)
                ),
            )
        )
    levels, holds = [], True
    for level in was.levels:
        cost = sum(wish.cost(roll) for wish in WISHES if wish.level == level.level)
        bound = min(level.bound, cost) if holds else 0
        holds = holds and cost <= level.cost
        gap = round((cost - bound) / cost, 4) if cost > bound else 0.0
        levels.append(
            LevelOutcome(level=level.level, cost=cost, bound=bound, gap=gap, proven=bound == cost)
        )
    return replace(
        was,
        problem=digest(roll.problem),
        status="proven" if all(level.proven for level in levels) else "found",
        patrols=tuple(patrols),
        empty_seats=empty_seats(roll),
        requirements=figures.requirements(roll),
        loads=figures.loads(roll),
        fairness=figures.fairness(roll),
        coverage_gaps=figures.coverage_gaps(roll),
        levels=tuple(levels),
    )


def locks_moved(problem: RosterProblem, asked: Exchange) -> RosterProblem:
    """Return the problem with locks on the exchanged seats held by those who sit there now.

    Otherwise the next re-solve would take the exchange back.
    """
    moves = {(asked.asker_patrol, asked.asker): asked.other}
    if asked.other_patrol is not None:
        moves[asked.other_patrol, asked.other] = asked.asker
    locks = tuple(
        replace(lock, member=moves.get((lock.patrol, lock.member), lock.member))
        for lock in problem.locks
    )
    return problem if locks == problem.locks else replace(problem, locks=locks)
