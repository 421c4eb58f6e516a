"""A week of patrols as Timefold's entities and constraint streams; needs the peers' environment.

Each seat is an entity whose variable ranges over the persons who may sit there by kind, day off
and banned shift, or nobody. What is left are streams: the hard rules, and every part of the cost.
Measured on p65: entities that compare by identity, not by value, and rest as a filter behind equal
joiners search three times as many moves a second as the obvious way.
"""

# mypy: disable-error-code="import-not-found, untyped-decorator, no-any-return"

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

from timefold.solver.domain import (
    PlanningEntityCollectionProperty,
    PlanningId,
    PlanningScore,
    PlanningVariable,
    ProblemFactCollectionProperty,
    ValueRangeProvider,
    planning_entity,
    planning_solution,
)
from timefold.solver.score import (
    Constraint,
    ConstraintCollectors,
    ConstraintFactory,
    HardSoftScore,
    Joiners,
    constraint_provider,
)

from bench.peers.timefold_search import search
from bench.peers.trial import Trial
from bench.score import NIGHT_ENDS_AFTER_MIN

MINUTES_PER_DAY = 1440


@dataclass(eq=False)
class Person:
    """Who may patrol; ``wishes`` holds by slot (day × shifts + shift) what a patrol then adds."""

    id: Annotated[str, PlanningId]
    role: str
    most: int
    carried: int
    outside: list[int]
    wishes: list[int]


@planning_entity
@dataclass(eq=False)
class Seat:
    """One seat of one patrol; ``rested`` is the earliest next-day start that keeps the rest."""

    id: Annotated[int, PlanningId]
    day: int
    slot: int
    zone: int
    start: int
    rested: int
    night: bool
    candidates: Annotated[list[Person], ValueRangeProvider(id="candidates")]
    person: Annotated[
        Person | None,
        PlanningVariable(value_range_provider_refs=["candidates"], allows_unassigned=True),
    ] = None


@planning_solution
@dataclass
class Week:
    """The whole plan."""

    people: Annotated[list[Person], ProblemFactCollectionProperty]
    seats: Annotated[list[Seat], PlanningEntityCollectionProperty]
    score: Annotated[HardSoftScore | None, PlanningScore] = field(default=None)


def _constraints(week: dict[str, Any]) -> Callable[[ConstraintFactory], list[Constraint]]:
    """Return the streams for a file's weights and limits."""
    weight = {name: HardSoftScore.of_soft(w) for name, w in week["w"].items()}
    most_nights, most_in_a_row = week["maxnight"], week["maxcons"]
    # A limit on days in a row that the most patrols of everyone keep anyway would only cost speed.
    rows_bind = max(person["max"] for person in week["people"]) > most_in_a_row

    @constraint_provider
    def provider(factory: ConstraintFactory) -> list[Constraint]:
        hard = [
            factory.for_each_unique_pair(
                Seat,
                Joiners.equal(lambda seat: seat.person),
                Joiners.equal(lambda seat: seat.day),
            )
            .penalize(HardSoftScore.ONE_HARD)
            .as_constraint("one patrol a day"),
            factory.for_each(Seat)
            .join(
                Seat,
                Joiners.equal(lambda seat: seat.person),
                Joiners.equal(lambda seat: seat.day + 1, lambda seat: seat.day),
            )
            .filter(lambda before, after: before.rested > after.start)
            .penalize(HardSoftScore.ONE_HARD)
            .as_constraint("rest"),
            factory.for_each(Seat)
            .group_by(lambda seat: seat.person, ConstraintCollectors.count())
            .filter(lambda person, patrols: patrols > person.most)
            .penalize(HardSoftScore.ONE_HARD, lambda person, patrols: patrols - person.most)
            .as_constraint("most patrols"),
            factory.for_each(Seat)
            .filter(lambda seat: seat.night)
            .group_by(lambda seat: seat.person, ConstraintCollectors.count())
            .filter(lambda person, nights: nights > most_nights)
            .penalize(HardSoftScore.ONE_HARD, lambda person, nights: nights - most_nights)
            .as_constraint("most nights"),
        ]
        if rows_bind:
            hard.append(
                factory.for_each(Seat)
                .group_by(
                    lambda seat: seat.person,
                    ConstraintCollectors.to_consecutive_sequences(lambda seat: seat.day),
                )
                .flatten_last(lambda rows: rows.getConsecutiveSequences())
                .filter(lambda person, row: row.getCount() > most_in_a_row)
                .penalize(
                    HardSoftScore.ONE_HARD, lambda person, row: row.getCount() - most_in_a_row
                )
                .as_constraint("most days in a row")
            )
        soft = [
            factory.for_each_including_unassigned(Seat)
            .filter(lambda seat: seat.person is None)
            .penalize(weight["unfilled"])
            .as_constraint("empty seats"),
            factory.for_each(Seat)
            .filter(lambda seat: seat.person.outside[seat.zone] == 1)
            .penalize(weight["unfamiliar"])
            .as_constraint("outside one's zones"),
            factory.for_each(Seat)
            .group_by(
                lambda seat: seat.person, lambda seat: seat.zone, ConstraintCollectors.count()
            )
            .filter(lambda person, zone, patrols: patrols > 2)
            .penalize(weight["repeat"], lambda person, zone, patrols: patrols - 2)
            .as_constraint("third and later patrols in a zone"),
            factory.for_each(Seat)
            .filter(lambda seat: seat.person.wishes[seat.slot] != 0)
            .impact(weight["req"], lambda seat: -seat.person.wishes[seat.slot])
            .as_constraint("requests"),
            factory.for_each(Seat)
            .group_by(lambda seat: seat.person, ConstraintCollectors.count())
            .complement(Person, lambda person: 0)
            .group_by(
                lambda person, patrols: person.role,
                ConstraintCollectors.min(lambda person, patrols: person.carried + patrols),
                ConstraintCollectors.max(lambda person, patrols: person.carried + patrols),
            )
            .penalize(weight["spread"], lambda role, least, most: most - least)
            .as_constraint("spread within a role"),
        ]
        return [*hard, *soft]

    return provider


def _read(week: dict[str, Any]) -> Week:
    shifts = week["shifts"]
    people = []
    for person in week["people"]:
        wishes = [0] * (week["D"] * len(shifts))
        for day, shift, weight, sign in person["req"]:
            wishes[day * len(shifts) + shift] -= weight * sign
        outside = [int(zone not in person["zones"]) for zone in range(week["Z"])]
        people.append(
            Person(person["id"], person["role"], person["max"], person["hist"], outside, wishes)
        )
    seats = []
    for patrol, (day, shift, zone) in enumerate(week["patrols"]):
        start, end = shifts[shift]["start"], shifts[shift]["end"]
        for kind in range(3):
            candidates = [
                people[n]
                for n, person in enumerate(week["people"])
                if person["kind"] == kind
                and day not in person["off"]
                and shift not in person["ban"]
            ]
            seats.append(
                Seat(
                    patrol * 3 + kind,
                    day,
                    day * len(shifts) + shift,
                    zone,
                    start,
                    end + week["rest"] - MINUTES_PER_DAY,
                    end > NIGHT_ENDS_AFTER_MIN,
                    candidates,
                )
            )
    return Week(people, seats)


def solve(week: dict[str, Any], run: Trial) -> list[tuple[tuple[int, int], str]]:
    """Search for the run's seconds and return who sits where: ((patrol, seat), person's id)."""
    found = search(
        Week,
        Seat,
        _constraints(week),
        _read(week),
        run,
        is_full=lambda plan: all(seat.person is not None for seat in plan.seats),
    )
    return [
        ((seat.id // 3, seat.id % 3), seat.person.id)
        for seat in found.seats
        if seat.person is not None
    ]
