"""A Curtois & Qu instance as Timefold's entities and streams; needs the peers' environment.

Each day of each employee is an entity whose variable ranges over the day's posts (a shift with its
wanted cover) that the employee may hold, or none. Days off and shifts an employee never works are
left out of the range; everything else is a stream. Its default moves change one day or swap two, and
least runs stand in their way: above 20 employees it seldom ends legal within a minute.
"""

# mypy: disable-error-code="import-not-found, untyped-decorator, no-any-return"

from dataclasses import dataclass, field
from typing import Annotated

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

from bench.peers.shift_file import ShiftFile
from bench.peers.timefold_search import search
from bench.peers.trial import Trial

SATURDAY = 5
HARD = HardSoftScore.ONE_HARD
SOFT = HardSoftScore.ONE_SOFT


@dataclass(eq=False)
class Post:
    """One shift of one day, and what one too few or one too many on it costs."""

    id: Annotated[int, PlanningId]
    shift: int
    minutes: int
    wanted: int
    under: int
    over: int


@dataclass(eq=False)
class Worker:
    """One employee's limits; ``most_of`` by shift."""

    id: Annotated[int, PlanningId]
    most_of: list[int]
    most_min: int
    least_min: int
    most_run: int
    least_run: int
    least_free: int
    most_weekends: int


@planning_entity
@dataclass(eq=False)
class WorkDay:
    """One day of one employee; ``wishes`` holds by shift what working it then adds."""

    id: Annotated[int, PlanningId]
    worker: Worker
    day: int
    weekend: int
    last: int
    wishes: list[int]
    clashes: list[list[int]]
    posts: Annotated[list[Post], ValueRangeProvider(id="posts")]
    post: Annotated[
        Post | None,
        PlanningVariable(value_range_provider_refs=["posts"], allows_unassigned=True),
    ] = None


@planning_solution
@dataclass
class Roster:
    """The whole horizon."""

    workers: Annotated[list[Worker], ProblemFactCollectionProperty]
    posts: Annotated[list[Post], ProblemFactCollectionProperty]
    days: Annotated[list[WorkDay], PlanningEntityCollectionProperty]
    score: Annotated[HardSoftScore | None, PlanningScore] = field(default=None)


@constraint_provider
def _constraints(factory: ConstraintFactory) -> list[Constraint]:
    """Return the streams; every unit a limit is missed by costs one hard point."""
    return [
        factory.for_each(WorkDay)
        .join(
            WorkDay,
            Joiners.equal(lambda day: day.worker),
            Joiners.equal(lambda day: day.day + 1, lambda day: day.day),
        )
        .filter(lambda day, following: day.clashes[day.post.shift][following.post.shift] == 1)
        .penalize(HARD)
        .as_constraint("forbidden succession"),
        factory.for_each(WorkDay)
        .group_by(lambda day: day.worker, lambda day: day.post.shift, ConstraintCollectors.count())
        .filter(lambda worker, shift, times: times > worker.most_of[shift])
        .penalize(HARD, lambda worker, shift, times: times - worker.most_of[shift])
        .as_constraint("most shifts of a kind"),
        factory.for_each(WorkDay)
        .group_by(lambda day: day.worker, ConstraintCollectors.sum(lambda day: day.post.minutes))
        .filter(lambda worker, minutes: minutes > worker.most_min)
        .penalize(HARD, lambda worker, minutes: 1 + (minutes - worker.most_min) // 60)
        .as_constraint("most minutes"),
        factory.for_each(WorkDay)
        .group_by(lambda day: day.worker, ConstraintCollectors.sum(lambda day: day.post.minutes))
        .complement(Worker, lambda worker: 0)
        .filter(lambda worker, minutes: minutes < worker.least_min)
        .penalize(HARD, lambda worker, minutes: 1 + (worker.least_min - minutes) // 60)
        .as_constraint("least minutes"),
        factory.for_each(WorkDay)
        .group_by(
            lambda day: day.worker,
            ConstraintCollectors.to_consecutive_sequences(lambda day: day.day),
        )
        .flatten_last(lambda runs: runs.getConsecutiveSequences())
        .filter(lambda worker, run: run.getCount() > worker.most_run)
        .penalize(HARD, lambda worker, run: run.getCount() - worker.most_run)
        .as_constraint("most shifts in a row"),
        factory.for_each(WorkDay)
        .group_by(
            lambda day: day.worker,
            ConstraintCollectors.to_consecutive_sequences(lambda day: day.day),
        )
        .flatten_last(lambda runs: runs.getConsecutiveSequences())
        .filter(
            lambda worker, run: (
                run.getCount() < worker.least_run
                and run.getFirstItem().day > 0
                and run.getLastItem().day < run.getLastItem().last
            )
        )
        .penalize(HARD, lambda worker, run: worker.least_run - run.getCount())
        .as_constraint("least shifts in a row"),
        factory.for_each(WorkDay)
        .group_by(
            lambda day: day.worker,
            ConstraintCollectors.to_consecutive_sequences(lambda day: day.day),
        )
        .flatten_last(lambda runs: runs.getBreaks())
        .filter(lambda worker, free: free.getLength() - 1 < worker.least_free)
        .penalize(HARD, lambda worker, free: worker.least_free - (free.getLength() - 1))
        .as_constraint("least days off in a row"),
        factory.for_each(WorkDay)
        .filter(lambda day: day.weekend >= 0)
        .group_by(
            lambda day: day.worker, ConstraintCollectors.count_distinct(lambda day: day.weekend)
        )
        .filter(lambda worker, weekends: weekends > worker.most_weekends)
        .penalize(HARD, lambda worker, weekends: weekends - worker.most_weekends)
        .as_constraint("most weekends"),
        factory.for_each(WorkDay)
        .filter(lambda day: day.wishes[day.post.shift] != 0)
        .impact(SOFT, lambda day: -day.wishes[day.post.shift])
        .as_constraint("requests"),
        factory.for_each(WorkDay)
        .group_by(lambda day: day.post, ConstraintCollectors.count())
        .complement(Post, lambda post: 0)
        .filter(lambda post, present: present < post.wanted)
        .penalize(SOFT, lambda post, present: post.under * (post.wanted - present))
        .as_constraint("under cover"),
        factory.for_each(WorkDay)
        .group_by(lambda day: day.post, ConstraintCollectors.count())
        .filter(lambda post, present: present > post.wanted)
        .penalize(SOFT, lambda post, present: post.over * (present - post.wanted))
        .as_constraint("over cover"),
    ]


def _read(file: ShiftFile) -> Roster:
    shifts = list(file.minutes)
    number = {shift: n for n, shift in enumerate(shifts)}
    wanted = {(day, shift): limits for day, shift, *limits in file.cover}
    posts = [
        Post(
            day * len(shifts) + number[shift],
            number[shift],
            file.minutes[shift],
            *wanted.get((day, shift), (0, 0, 0)),
        )
        for day in range(file.days)
        for shift in shifts
    ]
    clashes = [[int((first, then) in file.forbidden) for then in shifts] for first in shifts]
    wishes: dict[tuple[str, int], list[int]] = {}
    for sign, asked in ((-1, file.wanted_on), (1, file.wanted_off)):
        for who, day, shift, weight in asked:
            costs = wishes.setdefault((who, day), [0] * len(shifts))
            costs[number[shift]] += sign * weight
    workers, days = [], []
    for n, employee in enumerate(file.employees):
        most_of = [employee.most_of.get(shift, file.days) for shift in shifts]
        worker = Worker(
            n,
            most_of,
            employee.most_min,
            employee.least_min,
            employee.most_run,
            employee.least_run,
            employee.least_free,
            employee.most_weekends,
        )
        workers.append(worker)
        for day in range(file.days):
            mine = posts[day * len(shifts) : (day + 1) * len(shifts)]
            days.append(
                WorkDay(
                    n * file.days + day,
                    worker,
                    day,
                    day // 7 if day % 7 >= SATURDAY else -1,
                    file.days - 1,
                    wishes.get((employee.name, day), [0] * len(shifts)),
                    clashes,
                    []
                    if day in employee.days_off
                    else [post for post in mine if most_of[post.shift] > 0],
                )
            )
    return Roster(workers, posts, days)


def solve(file: ShiftFile, run: Trial) -> list[list[str]]:
    """Search for the run's seconds and return each employee's shift by day, "" when free."""
    found = search(Roster, WorkDay, _constraints, _read(file), run)
    shifts = list(file.minutes)
    cells = ["" if day.post is None else shifts[day.post.shift] for day in found.days]
    return [cells[first : first + file.days] for first in range(0, len(cells), file.days)]
