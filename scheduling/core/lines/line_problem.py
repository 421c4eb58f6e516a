"""A roster as lines of work: who may take which post on which day, and what a whole line costs.

A post is one kind of place to fill on one day in one shift. A line gives one member a post or a
day off for every day of the horizon. Lines meet in rows: each row wants so many lines on its posts
and says what one too few or one too many costs. Groups tie the loads of their members together.
Everything is a plain array, so that pricing can be compiled.

Costs are whole numbers. ``FORBIDDEN`` as a cost means that the member never takes the post.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

FORBIDDEN = 1e12
LOAD_UNIT = 10.0
"""The distance from a load's target that costs 1; ten times as far costs a hundred."""
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Counter:
    """Something a line may only hold so much of: minutes, nights, weekends, shifts of one kind.

    ``after_off`` and ``after_work`` (days, shifts) are what a day in that shift adds, by whether
    the day before was free or worked: a weekend's Sunday adds nothing when its Saturday did.
    """

    name: str
    after_off: Ints
    after_work: Ints
    most: int
    least: int = 0


@dataclass(frozen=True, eq=False, kw_only=True)
class Worker:
    """What the law and the contract make of one member's line.

    ``run_before``: days worked in a row before the first day. ``borders_free``: runs that touch
    the border of the horizon are not held to ``least_run`` and ``least_off``.
    """

    name: str
    post_cost: Floats
    """(posts,) what taking each post costs; FORBIDDEN where it may not."""
    off_cost: Floats
    """(days,) what a day off costs."""
    counters: tuple[Counter, ...] = ()
    most_run: int = 5
    least_run: int = 1
    least_off: int = 1
    most_off: int = 0
    """0: no limit."""
    run_before: int = 0
    borders_free: bool = True
    load: Floats | None = None
    """(days, shifts) what each adds to the load that the member's group evens out."""
    load_before: float = 0.0
    load_within: tuple[float, float] | None = None
    """Least and most load of a line, with what was brought along."""
    load_target: float | None = None
    """A load from which a line's distance costs its square, in ``LOAD_UNIT``."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Repeat:
    """Posts of one place: a line's ``free``-th and later visit to it costs ``cost`` each."""

    of_post: Ints
    """(posts,) the place of each post."""
    places: int
    free: int
    cost: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Group:
    """Workers whose spread of load (highest − lowest) costs ``weight`` per unit."""

    workers: tuple[int, ...]
    weight: float


@dataclass(frozen=True, eq=False, kw_only=True)
class LineProblem:
    """All of it. ``follows[a, b]``: shift b may come on the day after shift a."""

    days: int
    shifts: int
    follows: NDArray[np.uint8]
    post_day: Ints
    post_shift: Ints
    post_row: Ints
    row_want: Ints
    row_under: Floats
    row_over: Floats
    """Cost per line too many; FORBIDDEN where there may be none."""
    workers: tuple[Worker, ...]
    repeat: Repeat | None = None
    groups: tuple[Group, ...] = ()
    constant: float = 0.0
    name: str = ""

    @cached_property
    def posts_at(self) -> dict[tuple[int, int], Ints]:
        """Return the posts of each (day, shift)."""
        found: dict[tuple[int, int], list[int]] = {}
        for post, (day, shift) in enumerate(zip(self.post_day, self.post_shift, strict=True)):
            found.setdefault((int(day), int(shift)), []).append(post)
        return {key: np.array(posts, dtype=np.int64) for key, posts in found.items()}

    @cached_property
    def group_of(self) -> dict[int, int]:
        """Return the group of each worker that has one."""
        return {w: n for n, group in enumerate(self.groups) for w in group.workers}


@dataclass(frozen=True, eq=False)
class Line:
    """One worker's whole horizon: a post per day, or -1 for a day off."""

    worker: int
    posts: Ints
    cost: float
    load: float
    key: bytes = field(repr=False)


def line_of(problem: LineProblem, worker: int, posts: Ints) -> Line:
    """Return a line with its true cost and load; whether it is legal is not asked here."""
    who = problem.workers[worker]
    cost = 0.0
    load = who.load_before
    visits: dict[int, int] = {}
    for day, post in enumerate(posts):
        if post < 0:
            cost += who.off_cost[day]
            continue
        cost += who.post_cost[post]
        if who.load is not None:
            load += who.load[day, problem.post_shift[post]]
        if problem.repeat is not None:
            place = int(problem.repeat.of_post[post])
            visits[place] = visits.get(place, 0) + 1
    if problem.repeat is not None:
        free = problem.repeat.free
        cost += sum(problem.repeat.cost * max(0, n - free + 1) for n in visits.values())
    if who.load_target is not None:
        cost += float(round(((load - who.load_target) / LOAD_UNIT) ** 2))
    return Line(worker, posts, float(cost), float(load), posts.tobytes())


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a problem, with the whole's posts and workers that it is made of."""

    problem: LineProblem
    posts: Ints
    workers: list[int]


def components(problem: LineProblem) -> list[Part]:
    """Divide a problem into parts that share no row and no group: each is solved by itself."""
    rows = len(problem.row_want)
    parent = list(range(rows + len(problem.workers)))

    def root(n: int) -> int:
        while parent[n] != n:
            parent[n] = parent[parent[n]]
            n = parent[n]
        return n

    for w, worker in enumerate(problem.workers):
        for row in set(problem.post_row[worker.post_cost < FORBIDDEN].tolist()):
            parent[root(row)] = root(rows + w)
    for group in problem.groups:
        for w in group.workers[1:]:
            parent[root(rows + w)] = root(rows + group.workers[0])
    by_root: dict[int, tuple[list[int], list[int]]] = {}
    for row in range(rows):
        by_root.setdefault(root(row), ([], []))[0].append(row)
    for w in range(len(problem.workers)):
        by_root.setdefault(root(rows + w), ([], []))[1].append(w)
    if len(by_root) == 1:
        return [Part(problem, np.arange(len(problem.post_row)), list(range(len(problem.workers))))]
    return [_part(problem, rows, workers) for rows, workers in by_root.values()]


def _part(problem: LineProblem, rows: list[int], workers: list[int]) -> Part:
    posts = np.flatnonzero(np.isin(problem.post_row, rows))
    new_row = np.full(len(problem.row_want), -1, dtype=np.int64)
    new_row[rows] = np.arange(len(rows))
    new_worker = {w: n for n, w in enumerate(workers)}
    repeat = problem.repeat
    part = replace(
        problem,
        post_day=problem.post_day[posts],
        post_shift=problem.post_shift[posts],
        post_row=new_row[problem.post_row[posts]],
        row_want=problem.row_want[rows],
        row_under=problem.row_under[rows],
        row_over=problem.row_over[rows],
        workers=tuple(
            replace(who, post_cost=who.post_cost[posts])
            for who in (problem.workers[w] for w in workers)
        ),
        repeat=repeat and replace(repeat, of_post=repeat.of_post[posts]),
        groups=tuple(
            Group(workers=tuple(new_worker[w] for w in g.workers), weight=g.weight)
            for g in problem.groups
            if g.workers and g.workers[0] in new_worker
        ),
        constant=0.0,
    )
    return Part(part, posts, workers)
