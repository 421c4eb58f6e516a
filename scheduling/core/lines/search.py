"""Search for the best lines, anytime: a first roster, a bound, dives, neighbourhoods.

The same problem, seed, workers and number of rounds give the same roster; a limit in seconds is
there too, and what it cuts off is as good, but not repeatable. Two neighbourhoods are searched at
a time where there are two workers, from the same roster, and their gains are joined in order.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from math import ceil, isfinite

import numpy as np

from scheduling.core.lines.columns import CLOSED_GAP, Columns, NoLegalLine, cost_of
from scheduling.core.lines.line_problem import (
    FORBIDDEN,
    Counter,
    Group,
    Line,
    LineProblem,
    Part,
    Worker,
    components,
    line_of,
)

SHORT_DAYS = 10
"""Over so few days a dive may settle much at once: neighbourhoods mend what it spoils."""
FIRST_ROUNDS = 6
WIDE = 2000
"""Workers × days that a first neighbourhood frees at most, where all are in it."""
PATIENCE = 4
"""Neighbourhoods of one size that fail before the size grows."""
SETTLED = 20
"""And before it grows again after one that was too much."""
RELAX_SHARE = 0.35
"""The part of the time that one linear program may take."""
DIVES = 5
DIVE_SHARE = 0.2
"""Dives of a longer roster, as long as they take no more than this part of the time."""
CROWD = 80
"""More workers than this bring lines enough one at a time."""
WIDEST = 4
"""Spreads of load that are looked at one by one."""
CHOICE_S = 2.0
"""Seconds one choice among columns may take where the search is bounded by seconds."""
SAFE_CHOICE_S = 60.0
CHOICE_NODES = 200
QUICK_NODES = 20
"""Nodes of one choice where nothing is to be proven."""
QUICK_LINES = 700
STALE_ROUNDS = 16
"""A search without a bound to reach ends after so many rounds that gained nothing."""


UNCOUNTED = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How hard to search: ``rounds`` of neighbourhoods, capped by ``seconds``."""

    rounds: int = UNCOUNTED
    seconds: float = 60.0
    workers: int = 2
    seed: int = 1


@dataclass(frozen=True)
class Found:
    """The best roster: one line per worker, its cost, and the bound no roster can go below."""

    lines: list[Line]
    cost: float
    bound: float
    first_s: float
    best_s: float


@dataclass(frozen=True)
class News:
    """Told whenever cost or bound moved."""

    cost: float
    bound: float
    seconds: float
    lines: Sequence[Line]


def whole(bound: float) -> float:
    """Return the least whole cost that a bound allows."""
    return float(ceil(bound - CLOSED_GAP)) if isfinite(bound) else bound


@dataclass
class Size:
    """How large one kind of neighbourhood is, and how it has fared."""

    workers: float
    days: float
    failed: int = 0
    work: float = 0.0


@dataclass
class Local:
    """The search on one problem without groups, step by step."""

    problem: LineProblem
    seed: int
    hands: int
    threads: ThreadPoolExecutor | None
    stop: Callable[[], bool]
    accept: Callable[[Sequence[Line]], bool] = lambda _: True
    choice_s: float = CHOICE_S
    choice_nodes: int = CHOICE_NODES
    bound: float = -np.inf
    steps: int = 0
    columns: Columns = field(init=False)

    def __post_init__(self) -> None:
        self.columns = Columns(
            self.problem,
            hands=self.hands,
            threads=self.threads,
            stop=self.stop,
            accept=self.accept,
        )
        if self.choice_nodes <= QUICK_NODES:
            self.columns.most_lines = QUICK_LINES
        self.rng = np.random.default_rng(self.seed)
        people, days = len(self.problem.workers), self.problem.days
        self.sizes = [
            Size(people, min(max(7, min(days // 6, WIDE // people)), max(2, days // 2))),
            Size(min(people, 4), days),
            Size(min(people, max(4, people // 3)), min(10, max(3, 2 * days // 3))),
        ]

    @property
    def cost(self) -> float:
        """Return the best cost so far."""
        return self.columns.cost

    @property
    def proven(self) -> bool:
        """Say whether nothing better can exist."""
        return self.cost <= whole(self.bound) + CLOSED_GAP

    def first(self) -> None:
        """Find a first legal roster, and better it worker by worker."""
        order = self.rng.permutation(len(self.problem.workers)).tolist()
        lines = self.columns.first(order)
        self.columns.keep(self.columns.descend(lines, order))

    def take(self, lines: Sequence[Line]) -> None:
        """Take a roster found elsewhere."""
        self.columns.keep(lines)

    def relax(self, stop: Callable[[], bool]) -> None:
        """Solve the linear program, or as much of it as ``stop`` allows."""
        lines = 3 if len(self.problem.workers) <= CROWD else 1
        found = self.columns.relax(lines=lines, stop=stop).bound
        self.bound = max(self.bound, found, floor(self.problem))

    def dive(self, *, rounds: int, batch: int) -> None:
        """Dive once per hand."""
        seeds = self.rng.integers(2**31, size=self.hands)

        def one(n: int) -> list[Line] | None:
            return self.columns.dive(
                int(seeds[n]), hand=n, rounds=rounds, batch=batch if n == 0 else batch * 2
            )

        for lines in self._together(one):
            if lines is not None:
                self.columns.keep(lines)

    def round(self) -> bool:
        """Search one neighbourhood per hand; return whether the roster got better."""
        before = self.cost
        chosen = [self._choose() for _ in range(self.hands)]

        def one(n: int) -> list[Line] | None:
            _, people, days = chosen[n]
            return self.columns.neighbour(
                people, days, hand=n, nodes=self.choice_nodes, seconds=self.choice_s
            )

        base = self.columns.incumbent
        assert base is not None
        for n, lines in enumerate(self._together(one)):
            size = chosen[n][0]
            gained = False
            if lines is not None:
                now = self.columns.incumbent
                assert now is not None
                joined = [b if b is not a else c for a, b, c in zip(base, lines, now, strict=True)]
                gained = self.columns.keep(joined) or self.columns.keep(lines)
            self._learn(size, gained, self.columns.heavy[n], self.columns.work[n])
        return self.cost < before - 1e-6

    def _together(self, one: Callable[[int], list[Line] | None]) -> list[list[Line] | None]:
        if self.threads is None or self.hands == 1:
            return [one(n) for n in range(self.hands)]
        return list(self.threads.map(one, range(self.hands)))

    def _learn(self, size: Size, gained: bool, heavy: bool, work: float) -> None:
        """Let what gains be tried more, and what fails grow until it is too much at once."""
        size.work += work
        if gained:
            size.failed = 0
            size.work *= 0.5
            return
        size.failed += 1
        kind = self.sizes.index(size)
        people, days = len(self.problem.workers), self.problem.days
        if heavy:
            size.failed = -SETTLED
            if kind == 0:
                size.days = max(2.0, size.days * 0.85)
            else:
                size.workers = max(2.0, size.workers * 0.85)
        elif size.failed >= PATIENCE:
            size.failed = 0
            if kind != 1:
                size.days = min(float(days), size.days * 1.2 + 0.5)
            if kind != 0:
                size.workers = min(float(people), size.workers * 1.2 + 0.5)

    def _choose(self) -> tuple[Size, list[int], tuple[int, int] | None]:
        """Choose whom and which days to free."""
        size = min(self.sizes, key=lambda s: s.work)
        size.work += 0.01
        self.steps += 1
        rng, days = self.rng, self.problem.days
        people = len(self.problem.workers)
        n = min(days, round(size.days))
        window: tuple[int, int] | None = None
        if n < days:
            first = int(rng.integers(-n // 2, days - n // 2 + 1))
            first = max(0, min(days - n, first))
            window = (first, first + n)
        k = min(people, round(size.workers))
        if k >= people:
            chosen = self.columns.everybody
        else:
            chosen = sorted(rng.choice(people, size=k, replace=False).tolist())
        return size, list(chosen), window


def search(
    problem: LineProblem,
    effort: Effort,
    tell: Callable[[News], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
    *,
    start: Sequence[Line] | None = None,
    bound: bool = True,
    accept: Callable[[Sequence[Line]], bool] | None = None,
) -> Found:
    """Return the best lines found for a problem. Raises NoLegalLine.

    ``start``: a legal roster to better. ``bound``: whether to prove how good it can get at all;
    without, the search goes straight to neighbourhoods of ``start``. ``accept``: asked of every better roster (one line per worker)
    before it is taken, for what lines cannot say; needs a ``start``.
    """
    return _Whole(problem, effort, tell, stopped, start, bound, accept).run()


class _Whole:
    """A problem and its parts, each searched in turn until time is up or all is proven."""

    def __init__(
        self,
        problem: LineProblem,
        effort: Effort,
        tell: Callable[[News], None],
        stopped: Callable[[], bool],
        start: Sequence[Line] | None,
        prove: bool,
        accept: Callable[[Sequence[Line]], bool] | None,
    ) -> None:
        self.problem = problem
        self.start = start
        self.prove = prove
        self.accept = accept
        self.effort = effort
        self.tell = tell
        self.stopped = stopped
        self.started = time.monotonic()
        self.parts = [p for p in components(problem) if p.problem.workers or len(p.posts)]
        self.best: list[Line | None] = [None] * len(problem.workers)
        if start is not None:
            self.best = list(start)
        self.costs = [np.inf] * len(self.parts)
        self.bounds = [-np.inf] * len(self.parts)
        self.first_s = self.best_s = 0.0
        self.cost, self.bound = np.inf, -np.inf
        self.threads = ThreadPoolExecutor(effort.workers) if effort.workers > 1 else None

    def seconds(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self.started

    def out_of_time(self) -> bool:
        """Say whether the whole search must end."""
        return self.seconds() >= self.effort.seconds or self.stopped()

    def run(self) -> Found:
        """Search every part, and return what they come to together."""
        rounds = max(1, self.effort.rounds // max(1, len(self.parts)))
        hunts = [
            Hunt(self, n, part, rounds) for n, part in enumerate(self.parts) if part.problem.workers
        ]
        for n, part in enumerate(self.parts):
            if not part.problem.workers:
                want = part.problem.row_want
                self.costs[n] = self.bounds[n] = float((want * part.problem.row_under).sum())
        for hunt in hunts:
            hunt.first()
        self.first_s = self.seconds()
        open_hunts = list(hunts)
        for hunt in hunts if self.prove else ():
            hunt.settle_bound()
        while open_hunts and not self.out_of_time():
            for hunt in open_hunts:
                if not self.out_of_time():
                    hunt.go_on()
            open_hunts = [h for h in open_hunts if not h.done]
        if self.threads is not None:
            self.threads.shutdown()
        lines = [line for line in self.best if line is not None]
        return Found(lines, self.cost, self.bound, self.first_s, self.best_s)

    def accepts(self, n: int, lines: Sequence[Line]) -> bool:
        """Ask whoever may refuse whether the whole stands with these lines of one part."""
        if self.accept is None:
            return True
        trial = list(self.best)
        for w, line in self._as_whole(n, lines):
            trial[w] = line
        return self.accept([line for line in trial if line is not None])

    def _as_whole(self, n: int, lines: Sequence[Line]) -> Iterator[tuple[int, Line]]:
        part = self.parts[n]
        for w, line in zip(part.workers, lines, strict=True):
            posts = np.full(len(line.posts), -1, dtype=np.int64)
            posts[line.posts >= 0] = part.posts[line.posts[line.posts >= 0]]
            yield w, line_of(self.problem, w, posts)

    def report(self, n: int, cost: float, bound: float, lines: Sequence[Line]) -> None:
        """Take note of a part's cost, bound and lines, and tell if the whole moved."""
        if cost < self.costs[n] - 1e-6:
            self.costs[n] = cost
            for w, line in self._as_whole(n, lines):
                self.best[w] = line
        self.bounds[n] = max(self.bounds[n], min(bound, self.costs[n]))
        cost = sum(self.costs) + self.problem.constant * (len(self.parts) > 1)
        bound = sum(self.bounds) + self.problem.constant * (len(self.parts) > 1)
        if cost < self.cost - 1e-6 or bound > self.bound + 1e-6:
            if cost < self.cost - 1e-6:
                self.best_s = self.seconds()
            self.cost, self.bound = cost, bound
            if all(line is not None for line in self.best):
                self.tell(News(cost, bound, self.seconds(), [x for x in self.best if x]))


@dataclass(order=True)
class Window:
    """Least and most load of each group, and the least cost a roster in it can have."""

    bound: float
    limits: tuple[tuple[int, int], ...]
    local: Local | None = field(default=None, compare=False)


class Hunt:
    """The search of one part. Groups are held in windows of load, each a problem of its own.

    A spread is worth nothing to a linear program (fractions make all loads equal), so the windows
    are tried one by one, those of the least bound first; the least bound of all of them is the
    part's.
    """

    def __init__(self, whole_: _Whole, n: int, part: Part, rounds: int) -> None:
        self.whole, self.n, self.part = whole_, n, part
        self.problem = part.problem
        self.rounds = rounds
        self.cost, self.bound = np.inf, -np.inf
        self.done = False
        self.stale = 0
        self.windowed = bool(self.problem.groups)
        self.free = replace(self.problem, groups=())
        self.base = self._local(self.free)
        self.open: list[Window] = []
        self.wider = np.inf
        self.lines: list[Line] = []

    def _relaxed_enough(self) -> Callable[[], bool]:
        """Return what ends a linear program: a part's share of the time, the rest is for rosters."""
        whole_ = self.whole
        share = len(self.problem.workers) / max(1, len(whole_.problem.workers))
        until = whole_.seconds() + RELAX_SHARE * share * whole_.effort.seconds
        return lambda: whole_.out_of_time() or whole_.seconds() >= until

    def _local(self, problem: LineProblem) -> Local:
        effort = self.whole.effort
        return Local(
            problem,
            effort.seed,
            effort.workers,
            self.whole.threads,
            self.whole.out_of_time,
            lambda lines: self.whole.accepts(self.n, lines),
            CHOICE_S if effort.rounds >= UNCOUNTED else SAFE_CHOICE_S,
            CHOICE_NODES if self.whole.prove else QUICK_NODES,
        )

    def first(self) -> None:
        """Find a first roster, and fill what a few small neighbourhoods can fill of it."""
        if self.whole.start is not None:
            new_post = {int(post): n for n, post in enumerate(self.part.posts)}
            lines = []
            for n, w in enumerate(self.part.workers):
                posts = [new_post[int(p)] if p >= 0 else -1 for p in self.whole.start[w].posts]
                lines.append(line_of(self.problem, n, np.array(posts, dtype=np.int64)))
            self.base.take(lines)
            self._take(self.base)
            return
        self.base.first()
        self._take(self.base)
        dear = float(self.problem.row_under.max(initial=np.inf))
        for _ in range(FIRST_ROUNDS):
            if self.base.cost < dear or self.problem.days > SHORT_DAYS or self.whole.out_of_time():
                break
            self.base.round()
            self._take(self.base)

    def _take(self, local: Local) -> None:
        lines = local.columns.incumbent
        if lines is None:
            return
        cost = cost_of(self.problem, lines)
        if cost < self.cost - 1e-6:
            self.cost = cost
            self.lines = list(lines)
        self.whole.report(self.n, self.cost, self.bound, self.lines)

    def settle_bound(self) -> None:
        """Solve the linear programs: the part's bound, and the windows worth a search."""
        self.base.relax(self._relaxed_enough())
        self.bound = self.base.bound
        if not self.windowed:
            self._take(self.base)
            return
        weight = min(group.weight for group in self.problem.groups)
        spread = int(min(WIDEST, max(1.0, (self.cost - self.base.bound) // max(weight, 1e-9))))
        # No roster of a wider spread costs less than this.
        self.wider = self.base.bound + weight * (spread + 1)
        cheapest = self.problem.constant + self.base.columns.cheapest_lines()
        for rows, limits in windows(self.problem, spread):
            # Rows may be short in the free program too: the two bounds do not add up.
            least = max(self.base.bound, cheapest + rows) + spread_cost(self.problem, limits)
            if least < self.cost - 1e-6:
                self.open.append(Window(least, limits))
        self.open.sort()
        self._take(self.base)

    def _next_window(self) -> Window | None:
        """Return the window of least bound, its linear program solved."""
        while self.open and not self.whole.out_of_time():
            window = self.open[0]
            if window.local is not None:
                return window
            local = self._local(within(self.free, self.problem.groups, window.limits))
            for line in self.base.columns.master.lines:
                if in_window(self.problem, line, window.limits):
                    local.columns.master.add(line)
            try:
                local.columns.ensure_lines()
            except NoLegalLine:
                self.open.pop(0)
                self._bound_by_windows()
                continue
            local.relax(self._relaxed_enough())
            window.local = local
            window.bound = max(window.bound, local.bound)
            self.open.sort()
            self._bound_by_windows()
        return None

    def _bound_by_windows(self) -> None:
        """Take the least bound of all windows for the part's."""
        least = min((w.bound for w in self.open), default=np.inf)
        self.bound = max(self.bound, min(least, self.wider, self.cost))
        self._take(self.base)

    def go_on(self) -> None:
        """Search a little more: a dive or some rounds in the most promising window."""
        if self.cost <= whole(self.bound) + CLOSED_GAP or self.rounds <= 0:
            self.done = True
            return
        local = self.base
        if self.windowed:
            window = self._next_window()
            if window is None:
                self.done = not self.open
                return
            assert window.local is not None
            local = window.local
        if local.steps == 0 and self.whole.prove:
            if not local.columns.converged:
                # A dive goes by prices: by unripe ones it is long and leads nowhere.
                if local.columns.incumbent is None:
                    local.first()
            elif self.problem.days <= SHORT_DAYS:
                local.dive(rounds=5, batch=3)
            else:
                self._dive_for_a_start(local)
            if local.columns.incumbent is None and not self.whole.out_of_time():
                local.first()
            self._take(local)
        for _ in range(10):
            if self.whole.out_of_time() or local.proven or self.rounds <= 0:
                break
            self.rounds -= 1
            if local.round():
                self.stale = 0
                self._take(local)
            else:
                self.stale += 1
                if not self.whole.prove and self.stale >= STALE_ROUNDS:
                    self.done = True
                    return

    def _dive_for_a_start(self, local: Local) -> None:
        """Dive several times: dives differ much in what they end at, and little in what they take."""
        until = self.whole.seconds() + DIVE_SHARE * self.whole.effort.seconds
        for _ in range(min(DIVES, max(1, self.rounds // 10))):
            local.dive(rounds=5, batch=8)
            self._take(local)
            if self.whole.out_of_time() or local.proven or self.whole.seconds() > until:
                return


def floor(problem: LineProblem) -> float:
    """Return what no roster goes below: everybody's cheapest choice of each day by itself."""
    total = problem.constant
    for who in problem.workers:
        day = who.off_cost.astype(float)
        np.minimum.at(day, problem.post_day, who.post_cost)
        total += float(day.sum())
    return total


def spread_cost(problem: LineProblem, limits: tuple[tuple[int, int], ...]) -> float:
    """Return what the spreads of these windows cost."""
    return sum(
        g.weight * (high - low) for g, (low, high) in zip(problem.groups, limits, strict=True)
    )


def in_window(problem: LineProblem, line: Line, limits: tuple[tuple[int, int], ...]) -> bool:
    """Say whether a line's load lies in its group's window."""
    g = problem.group_of.get(line.worker)
    return g is None or limits[g][0] <= line.load <= limits[g][1]


def within(
    problem: LineProblem, groups: Sequence[Group], limits: tuple[tuple[int, int], ...]
) -> LineProblem:
    """Return the problem with the groups' loads held in windows and their spreads paid for."""
    workers = list(problem.workers)
    constant = problem.constant
    for group, (low, high) in zip(groups, limits, strict=True):
        constant += group.weight * (high - low)
        for w in group.workers:
            workers[w] = _held(workers[w], low, high)
    return replace(problem, workers=tuple(workers), constant=constant)


def _held(who: Worker, low: int, high: int) -> Worker:
    assert who.load is not None
    each = who.load.astype(np.int64)
    before = int(who.load_before)
    most = max(0, high - before)
    counter = Counter(
        name="load", after_off=each, after_work=each, least=max(0, low - before), most=most
    )
    # The load's counter stands in for a looser one of the same units.
    others = tuple(
        c
        for c in who.counters
        if not (np.array_equal(c.after_off, each) and np.array_equal(c.after_work, each))
        or c.most < most
    )
    return replace(who, counters=(counter, *others))


def windows(problem: LineProblem, spread: int) -> list[tuple[float, tuple[tuple[int, int], ...]]]:
    """Return every window of loads up to a spread, with the least its rows cost by counting alone.

    That is what stays unfilled where its members may not take enough, and what is too much where
    they must take more than is wanted.
    """
    seats = int(problem.row_want.sum())
    under = float(problem.row_under.min(initial=np.inf))
    over = float(problem.row_over.min(initial=np.inf))
    each: list[list[tuple[tuple[int, int], int, int]]] = []
    for group in problem.groups:
        mine = []
        before = [int(problem.workers[w].load_before) for w in group.workers]
        most = [_most_load(problem, w) for w in group.workers]
        for low in range(min(before), max(b + m for b, m in zip(before, most, strict=True)) + 1):
            for high in range(low, low + spread + 1):
                if any(b > high or b + m < low for b, m in zip(before, most, strict=True)):
                    continue
                least = sum(max(0, low - b) for b in before)
                largest = sum(min(m, high - b) for b, m in zip(before, most, strict=True))
                mine.append(((low, high), least, largest))
        each.append(mine)
    tied = {w for g in problem.groups for w in g.workers}
    others = sum(_most_load(problem, w) for w in range(len(problem.workers)) if w not in tied)
    found: list[tuple[float, tuple[tuple[int, int], ...]]] = []

    def extend(n: int, chosen: list[tuple[int, int]], least: int, largest: int) -> None:
        if n == len(each):
            limits = tuple(chosen)
            short = max(0, seats - largest - others)
            many = max(0, least - seats)
            rows = (short * under if short else 0.0) + (many * over if many else 0.0)
            found.append((rows, limits))
            return
        for window, low, high in each[n]:
            extend(n + 1, [*chosen, window], least + low, largest + high)

    extend(0, [], 0, 0)
    return found


def _most_load(problem: LineProblem, w: int) -> int:
    who = problem.workers[w]
    assert who.load is not None
    open_days = np.unique(problem.post_day[who.post_cost < FORBIDDEN])
    most = int(sum(who.load[d].max() for d in open_days))
    for counter in who.counters:
        if np.array_equal(counter.after_off, who.load.astype(np.int64)):
            most = min(most, counter.most)
    return most
