"""The figures of a roster: loads, fairness, requirements honoured, coverage gaps."""

from scheduling.core.plan import CoverageGap, Fairness, MemberLoad, RequirementOutcome
from scheduling.core.roll import Roll


def loads(roll: Roll) -> tuple[MemberLoad, ...]:
    """Return each member's week in the problem's order."""
    agenda = roll.agenda
    return tuple(
        MemberLoad(
            member=m.key,
            patrols=len(roll.patrols[m.key]),
            minutes=sum(s.shift.minutes for s in roll.patrols[m.key]),
            nights=sum(agenda.is_night(s.shift) for s in roll.patrols[m.key]),
            weighted_min=sum(agenda.weighted_min(s.day, s.shift) for s in roll.patrols[m.key]),
            available_min=m.available_min,
            carried_over_bp=m.carried_over_bp,
            load_bp=roll.load_bp(m.key),
        )
        for m in roll.problem.members
    )


def fairness(roll: Roll) -> tuple[Fairness, ...]:
    """Return the spread within each force, and within each firm of a force of several."""
    found = []
    for force, employer, members in roll.agenda.fairness_groups():
        each = [roll.load_bp(m.key) for m in members]
        found.append(
            Fairness(
                force=force,
                employer=employer,
                members=len(each),
                highest_bp=max(each),
                lowest_bp=min(each),
                mean_bp=sum(each) // len(each),
                spread_bp=max(each) - min(each),
            )
        )
    return tuple(found)


def requirements(roll: Roll) -> tuple[RequirementOutcome, ...]:
    """Return each requirement and the walked patrols that honour it."""
    found = []
    for r in roll.problem.requirements:
        made = tuple(s.key for s in roll.agenda.visits[r.key] if roll.walked(s))
        found.append(
            RequirementOutcome(
                requirement=r.key, wanted=r.visits, patrols=made, short=max(0, r.visits - len(made))
            )
        )
    return tuple(found)


def coverage_gaps(roll: Roll) -> tuple[CoverageGap, ...]:
    """Return the longest minutes without a team per zone and day, within the patrol day."""
    problem = roll.problem
    spans: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for slot in roll.agenda.slots:
        if roll.walked(slot):
            spans.setdefault((slot.zone.key, slot.day), []).append(
                (slot.shift.start_min, slot.shift.end_min)
            )
            if slot.shift.end_min > 1440:
                spans.setdefault((slot.zone.key, slot.day + 1), []).append(
                    (0, slot.shift.end_min - 1440)
                )
    found = []
    for zone in problem.zones:
        for day in range(len(problem.days)):
            reached, longest = problem.patrol_day_start_min, 0
            for start, end in sorted(spans.get((zone.key, day), [])):
                longest = max(longest, min(start, problem.patrol_day_end_min) - reached)
                reached = max(reached, end)
            longest = max(longest, problem.patrol_day_end_min - reached)
            found.append(CoverageGap(zone=zone.key, day=day, gap_min=longest))
    return tuple(found)
