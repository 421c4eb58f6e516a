"""Lines of work: prices are exact, bounds hold, and what is proven is the best there is."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from scheduling.core.lines import pricing
from scheduling.core.lines.columns import Columns, NoLegalLine, cost_of
from scheduling.core.lines.line_problem import (
    FORBIDDEN,
    Counter,
    Group,
    LineProblem,
    Repeat,
    Worker,
    components,
    line_of,
)
from scheduling.core.lines.pricing import FREE, Pricer
from scheduling.core.lines.search import Effort, floor, search

DAYS, SHIFTS, PLACES = 5, 2, 2


def a_problem(rng, people=3, *, groups=(), repeat=True):
    """Two shifts and two places a day, and limits of every kind drawn by chance."""
    posts = [(d, s, p) for d in range(DAYS) for s in range(SHIFTS) for p in range(PLACES)]
    n = len(posts)
    one = np.ones((DAYS, SHIFTS), dtype=np.int64)
    night = np.zeros((DAYS, SHIFTS), dtype=np.int64)
    night[:, 1] = 1
    first = np.zeros((DAYS, SHIFTS), dtype=np.int64)
    first[2] = 1
    either = first.copy()
    either[3] = 1
    workers = []
    for w in range(people):
        cost = rng.integers(-3, 6, size=n).astype(float)
        cost[rng.random(n) < 0.15] = FORBIDDEN
        least = int(rng.integers(0, 2))
        workers.append(
            Worker(
                name=f"w{w}",
                post_cost=cost,
                off_cost=rng.integers(0, 3, size=DAYS).astype(float),
                counters=(
                    Counter(
                        name="patrols", after_off=one, after_work=one,
                        most=int(rng.integers(2, 5)), least=least,
                    ),
                    Counter(name="nights", after_off=night, after_work=night, most=2),
                    Counter(name="weekend", after_off=either, after_work=first, most=1),
                ),
                most_run=int(rng.integers(2, 4)),
                least_run=int(rng.integers(1, 3)),
                least_off=int(rng.integers(1, 3)),
                run_before=int(rng.integers(0, 2)),
                load=one.astype(float),
                load_before=float(rng.integers(0, 2)),
            )
        )  # fmt: skip
    follows = np.ones((SHIFTS, SHIFTS), dtype=np.uint8)
    follows[1, 0] = 0
    return LineProblem(
        days=DAYS,
        shifts=SHIFTS,
        follows=follows,
        post_day=np.array([d for d, _, _ in posts]),
        post_shift=np.array([s for _, s, _ in posts]),
        post_row=np.arange(n),
        row_want=(rng.random(n) < 0.35).astype(np.int64),
        row_under=np.full(n, 20.0),
        row_over=np.full(n, 15.0),
        workers=tuple(workers),
        repeat=Repeat(of_post=np.array([p for _, _, p in posts]), places=PLACES, free=2, cost=4)
        if repeat
        else None,
        groups=groups,
    )


def legal(problem, w, choice):
    """Say whether posts or -1 for each day keep every limit, from the limits' own words."""
    who = problem.workers[w]
    shifts = [None if p < 0 else int(problem.post_shift[p]) for p in choice]
    if any(p >= 0 and who.post_cost[p] >= FORBIDDEN for p in choice):
        return False
    for d in range(1, DAYS):
        if None not in (shifts[d - 1], shifts[d]) and not problem.follows[shifts[d - 1], shifts[d]]:
            return False
    for counter in who.counters:
        total = 0
        for d, s in enumerate(shifts):
            if s is None:
                continue
            worked_before = shifts[d - 1] is not None if d else who.run_before > 0
            total += (counter.after_work if worked_before else counter.after_off)[d, s]
        if not counter.least <= total <= counter.most:
            return False
    runs = []
    for d, s in enumerate(shifts):
        kind = "off" if s is None else "on"
        if runs and runs[-1][0] == kind:
            runs[-1][2] += 1
        else:
            runs.append([kind, d, 1])
    for kind, start, length in runs:
        at_border = start + length == DAYS
        if kind == "on":
            whole = length + (who.run_before if start == 0 else 0)
            if whole > who.most_run:
                return False
            free = at_border or (start == 0 and who.run_before == 0)
            if whole < who.least_run and not free:
                return False
        else:
            free = at_border or (start == 0 and who.run_before == 0)
            if length < who.least_off and not free:
                return False
    # A run before the roster that ends on its eve must have been long enough.
    return not (who.run_before and shifts[0] is None and who.run_before < who.least_run)


def every_line(problem, w):
    choices = [[-1, *np.flatnonzero(problem.post_day == d).tolist()] for d in range(DAYS)]
    return [
        line_of(problem, w, np.array(choice))
        for choice in product(*choices)
        if legal(problem, w, choice)
    ]


@pytest.mark.parametrize("seed", range(12))
def test_the_price_is_the_least_of_every_legal_line(seed):
    rng = np.random.default_rng(seed)
    problem = a_problem(rng, people=1)
    row_price = rng.normal(0, 6, size=len(problem.row_want))
    lines = every_line(problem, 0)
    found = Pricer(problem, 0).price(row_price, lines=5)
    if not lines:
        assert not found.lines
        return
    worth = {
        line.key: line.cost - row_price[problem.post_row[line.posts[line.posts >= 0]]].sum()
        for line in lines
    }
    assert found.value == pytest.approx(min(worth.values()))
    for value, posts in found.lines:
        line = line_of(problem, 0, posts)
        assert line.key in worth  # legal
        assert value == pytest.approx(worth[line.key])


@pytest.mark.parametrize("seed", range(12))
def test_where_tables_would_grow_too_large_lines_are_legal_and_the_value_a_bound(seed, monkeypatch):
    monkeypatch.setattr(pricing, "MOST_CELLS", 0)
    rng = np.random.default_rng(seed)
    problem = a_problem(rng, people=1)
    row_price = rng.normal(0, 6, size=len(problem.row_want))
    found = Pricer(problem, 0).price(row_price, lines=5)
    worth = {
        line.key: line.cost - row_price[problem.post_row[line.posts[line.posts >= 0]]].sum()
        for line in every_line(problem, 0)
    }
    assert bool(found.lines) == bool(worth)
    if worth:
        assert found.value <= min(worth.values()) + 1e-6
    for value, posts in found.lines:
        assert value == pytest.approx(worth[line_of(problem, 0, posts).key])


def test_shifts_that_count_alike_are_one_kind():
    problem = a_problem(np.random.default_rng(1), people=1)
    assert len(Pricer(problem, 0)._kinds()) == 2  # a night is not what a day is
    alike = replace(problem, follows=np.ones_like(problem.follows))
    assert len(Pricer(alike, 0)._kinds()) == 1  # nights are not tracked until a line breaks them


def test_days_that_are_settled_stay_settled():
    problem = a_problem(np.random.default_rng(3), people=1)
    free = every_line(problem, 0)
    hold = np.full(DAYS, FREE)
    hold[1], hold[2] = free[len(free) // 2].posts[1], free[len(free) // 2].posts[2]
    within = [line.cost for line in free if (line.posts[1:3] == hold[1:3]).all()]
    found = Pricer(problem, 0).price(np.zeros(len(problem.row_want)), hold=hold)
    assert found.value == pytest.approx(min(within))


@pytest.mark.parametrize("seed", range(25))
def test_what_is_proven_is_the_best_there_is(seed):
    rng = np.random.default_rng(100 + seed)
    group = (Group(workers=(0, 1), weight=3.0),)
    problem = a_problem(rng, people=2, groups=group)
    all_lines = [every_line(problem, w) for w in range(2)]
    if not all(all_lines):
        with pytest.raises(NoLegalLine):
            search(problem, Effort(seconds=5, workers=1))
        return
    best = min(cost_of(problem, pair) for pair in product(*all_lines))
    found = search(problem, Effort(seconds=10, workers=1))
    assert cost_of(problem, found.lines) == found.cost
    assert found.bound - 1e-6 <= best <= found.cost
    assert found.cost == best


def test_a_bound_is_told_before_the_linear_program_has_one():
    problem = a_problem(np.random.default_rng(5))
    cheapest = sum(min(line.cost for line in every_line(problem, w)) for w in range(3))
    assert floor(problem) <= problem.constant + cheapest


def test_the_linear_program_bounds_every_roster_from_below():
    problem = a_problem(np.random.default_rng(5), people=2)
    columns = Columns(problem)
    columns.keep(columns.first([0, 1]))
    bound = columns.relax().bound
    pairs = product(*(every_line(problem, w) for w in range(2)))
    assert bound <= min(cost_of(problem, pair) for pair in pairs) + 1e-6


def test_the_same_rounds_and_seed_give_the_same_roster():
    problem = a_problem(np.random.default_rng(8), people=6)
    effort = Effort(rounds=30, seconds=600, workers=2, seed=4)
    one, two = search(problem, effort), search(problem, effort)
    assert [line.key for line in one.lines] == [line.key for line in two.lines]
    assert (one.cost, one.bound) == (two.cost, two.bound)


def test_a_better_roster_is_kept_only_where_it_is_accepted():
    problem = a_problem(np.random.default_rng(9), people=4)
    columns = Columns(problem)
    start = columns.first([0, 1, 2, 3])
    asked = []

    def refuse(lines):
        asked.append(cost_of(problem, lines))
        return len(asked) == 1  # the start itself

    found = search(
        problem, Effort(rounds=12, seconds=60, workers=1), start=start, bound=False, accept=refuse
    )
    assert len(asked) > 1
    assert [line.key for line in found.lines] == [line.key for line in start]


def test_parts_that_share_nothing_are_searched_apart_and_joined():
    rng = np.random.default_rng(11)
    problem = a_problem(rng, people=2)
    half = problem.posts_at[0, 0]
    for w, posts in ((0, problem.post_day < 2), (1, problem.post_day >= 2)):
        problem.workers[w].post_cost[~posts] = FORBIDDEN
    assert len(half)
    parts = components(problem)
    assert sorted(w for part in parts for w in part.workers) == [0, 1]
    assert sum(len(part.posts) for part in parts) == len(problem.post_row)
    found = search(problem, Effort(seconds=10, workers=1))
    pairs = product(*(every_line(problem, w) for w in range(2)))
    assert found.cost == min(cost_of(problem, pair) for pair in pairs)
