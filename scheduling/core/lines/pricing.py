"""The cheapest legal line of a worker at given prices: exact dynamic programming over days.

A state is the run of days (off so long, or in this shift for so many days) and the counters that
are tracked. Counters that seldom bind, and visits to one place, are tracked only once a line that
broke them came out (decremental state-space relaxation; Righini & Salani 2008), so the value
returned is exact all the same. The kernel is compiled and runs without Python's lock.
"""

from dataclasses import dataclass
from math import gcd

import numpy as np

from scheduling.core.lines.kernel import UNREACHED, best_posts, cheapest, walk_back
from scheduling.core.lines.line_problem import (
    FORBIDDEN,
    LOAD_UNIT,
    Counter,
    Floats,
    Ints,
    LineProblem,
    Worker,
)

LOAD_STEPS = 12
"""Steps into which the largest load of one day is divided where lines are valued by load."""
FREE = -2
"""A day that is not settled."""


@dataclass
class Found:
    """Lines of one pricing, the cheapest first, each with its reduced cost."""

    value: float
    """The exact least value of any legal line."""
    lines: list[tuple[float, Ints]]


def load_kernels() -> None:
    """Load the compiled kernels, which takes most of a second once in a process."""
    one = np.zeros(1, dtype=np.int64)
    each = np.ones((1, 1), dtype=np.int64)
    problem = LineProblem(
        days=1, shifts=1, follows=np.ones((1, 1), dtype=np.uint8), post_day=one, post_shift=one,
        post_row=one, row_want=one, row_under=np.zeros(1), row_over=np.zeros(1),
        workers=(
            Worker(
                name="", post_cost=np.zeros(1), off_cost=np.zeros(1),
                counters=(Counter(name="", after_off=each, after_work=each, most=1, least=1),),
            ),
        ),
    )  # fmt: skip
    Pricer(problem, 0).price(np.ones(1))


class Pricer:
    """The pricing of one worker. Keeps what it has learnt to track."""

    def __init__(self, problem: LineProblem, worker: int) -> None:
        self.problem = problem
        self.worker = worker
        who = problem.workers[worker]
        self.who = who
        open_posts = np.flatnonzero(who.post_cost < FORBIDDEN)
        self.posts = open_posts
        self.cost = who.post_cost[open_posts]
        self.rows = problem.post_row[open_posts]
        self.day = problem.post_day[open_posts]
        shift = problem.post_shift[open_posts]
        self.shifts = np.unique(shift)
        local = {int(s): n for n, s in enumerate(self.shifts)}
        self.shift = np.array([local[int(s)] for s in shift], dtype=np.int64)
        self.follows = np.ascontiguousarray(problem.follows[np.ix_(self.shifts, self.shifts)])
        if not len(self.shifts):
            self.follows = np.ones((1, 1), dtype=np.uint8)
        repeat = problem.repeat
        self.place = repeat.of_post[open_posts] if repeat else np.full(len(open_posts), -1)
        self.places: list[int] = []
        self.counters: list[Counter] = [c for c in who.counters if c.least > 0]
        self.lazy: list[Counter] = [c for c in who.counters if c.least <= 0]
        self.exact = who.load_target is None and who.load_within is None
        """Whether values are exact: loads are tracked in steps, and so valued nearly."""
        self._step = 0.0
        if not self.exact and who.load is not None and who.load.max() > 0:
            self._step = float(who.load.max()) / LOAD_STEPS
            steps = np.round(who.load / self._step).astype(np.int64)
            most = int(steps.max(axis=1).sum())
            self.counters.append(Counter(name="load", after_off=steps, after_work=steps, most=most))
        self._born = len(self.counters)
        self._prepare()

    def forget(self) -> None:
        """Track only what must be; wild prices teach counters that good ones never need."""
        if len(self.counters) + len(self.places) > self._born:
            self.counters = self.counters[: self._born]
            self.lazy = [c for c in self.who.counters if c.least <= 0]
            self.places = []
            self._prepare()

    def _prepare(self) -> None:
        days, shifts = self.problem.days, max(1, len(self.shifts))
        hard = len(self.counters)
        sizes = []
        self._need = np.zeros((hard, days), dtype=np.int64)
        self._after_off = np.zeros((hard, days, shifts), dtype=np.int64)
        self._after_work = np.zeros((hard, days, shifts), dtype=np.int64)
        for k, counter in enumerate(self.counters):
            a = counter.after_off[:, self.shifts] if len(self.shifts) else np.zeros((days, 1), int)
            b = counter.after_work[:, self.shifts] if len(self.shifts) else np.zeros((days, 1), int)
            unit = gcd(*(int(x) for x in np.unique(np.concatenate([a, b]))), 0) or 1
            self._after_off[k], self._after_work[k] = a // unit, b // unit
            if counter.name == "load" and not self.exact:
                self._load_at, self._unit_of_load = k, unit
            most = counter.most // unit
            # No line can hold more than the sum of each day's most: smaller tables.
            reach = np.maximum(a, b).max(axis=1) // unit
            sizes.append(int(max(0, min(most, reach.sum()))) + 1)
            least = -(-counter.least // unit)
            ahead = reach[::-1].cumsum()[::-1]
            self._need[k] = np.maximum(0, least - np.append(ahead[1:], 0))
        repeat = self.problem.repeat
        cap = repeat.free - 1 if repeat else 0
        self._dearer = float(repeat.cost) if repeat else 0.0
        self._size = np.array(sizes + [cap + 1] * len(self.places), dtype=np.int64)
        options = [(s, -1) for s in range(len(self.shifts))]
        index = {}
        for t, place in enumerate(self.places):
            for s in range(len(self.shifts)):
                index[s, place] = len(options)
                options.append((s, hard + t))
        self._option_of = np.array(
            [
                index.get((int(s), int(p)), int(s))
                for s, p in zip(self.shift, self.place, strict=True)
            ],
            dtype=np.int64,
        )
        self._shift_of = np.array([s for s, _ in options], dtype=np.int64)
        self._track_of = np.array([t for _, t in options], dtype=np.int64)
        who = self.who
        offs = max(1, who.least_off, who.most_off)
        total = (offs + shifts * who.most_run) * int(np.prod(self._size))
        self._value = np.empty((days, len(options)))
        self._which = np.empty((days, len(options)), dtype=np.int64)
        self.size = total
        self._spaces: tuple[Ints, Ints, Floats, Floats] | None = None

    def price(
        self,
        row_price: Floats,
        *,
        beyond: float = UNREACHED,
        lines: int = 1,
        hold: Ints | None = None,
    ) -> Found:
        """Return the cheapest lines at these prices (rows: what one line on it earns).

        Only lines of a value under ``beyond`` are returned; ``value`` is exact in any case.
        ``hold`` (days): the post of a day that is settled, -1 for off, FREE where it is not.
        """
        price = self.cost - row_price[self.rows]
        off = self.who.off_cost
        if hold is not None:
            held = hold[self.day]
            price = np.where((held == FREE) | (held == self.posts), price, UNREACHED)
            off = np.where(hold >= 0, UNREACHED, off)
        while True:
            found = self._run(price, off, beyond, lines)
            if found is not None:
                return found

    def _run(self, price: Floats, off: Floats, beyond: float, lines: int) -> Found | None:
        who = self.who
        days = self.problem.days
        if self._spaces is None:
            self._spaces = (
                np.empty((days, self.size), dtype=np.int32),
                np.empty((days, self.size), dtype=np.int16),
                np.empty(self.size),
                np.empty(self.size),
            )
        back, taken, cur, nxt = self._spaces
        best_posts(self.day, self._option_of, price, self._value, self._which)
        best, where = cheapest(
            self._value, off, self._shift_of, self._track_of, self.follows,
            who.most_run, who.least_run, who.least_off, who.most_off, who.run_before,
            who.borders_free, len(self.counters), self._size, self._need, self._after_off,
            self._after_work, self._dearer, back, taken, cur, nxt,
        )  # fmt: skip
        if self._step:
            best = best + self._load_cost(len(best))
        order = np.argsort(best, kind="stable")[: max(1, 3 * lines)]
        found: list[tuple[float, Ints]] = []
        for n, c in enumerate(order):
            if best[c] >= UNREACHED or (n and (len(found) >= lines or best[c] >= beyond)):
                break
            local = walk_back(where[c], back, taken, self._which)
            learnt = self._learn(local, keep=n == 0)
            if learnt and n == 0:
                return None
            if not learnt and best[c] < beyond:
                posts = np.full(days, -1, dtype=np.int64)
                posts[local >= 0] = self.posts[local[local >= 0]]
                found.append((float(best[c]), posts))
        return Found(float(best[order[0]]), found)

    def _load_cost(self, counts: int) -> Floats:
        """Return what the load costs at each count of the tracked counters."""
        k = self._load_at
        stride = int(np.prod(self._size[:k]))
        steps = np.arange(counts) // stride % self._size[k]
        load = self.who.load_before + steps * self._unit_of_load * self._step
        cost = np.zeros(counts)
        if self.who.load_target is not None:
            cost += ((load - self.who.load_target) / LOAD_UNIT) ** 2
        if self.who.load_within is not None:
            low, high = self.who.load_within
            beyond = np.maximum(0.0, np.maximum(low - load, load - high))
            # A step or two outside may still be inside once it is counted whole.
            cost += np.where(beyond > 2 * self._step, UNREACHED, beyond)
        return cost

    def _learn(self, local: Ints, *, keep: bool) -> bool:
        """Say whether a line breaks what was not tracked; ``keep``: track it from now on."""
        worked = local >= 0
        days = np.flatnonzero(worked)
        broken: list[Counter] = []
        if self.lazy and len(days):
            shifts = self.shifts[self.shift[local[days]]]
            before = np.zeros(len(days), dtype=bool)
            inner = days > 0
            before[inner] = worked[days[inner] - 1]
            if self.who.run_before > 0:
                before[~inner] = True
            for counter in self.lazy:
                units = np.where(
                    before, counter.after_work[days, shifts], counter.after_off[days, shifts]
                )
                if units.sum() > counter.most:
                    broken.append(counter)
        dear: list[int] = []
        if self.problem.repeat is not None and len(days):
            places, times = np.unique(self.place[local[days]], return_counts=True)
            dear = [
                int(p)
                for p, n in zip(places, times, strict=True)
                if n >= self.problem.repeat.free and int(p) not in self.places
            ]
        if keep and (broken or dear):
            for counter in broken:
                self.counters.append(counter)
                self.lazy.remove(counter)
            self.places += dear
            self._prepare()
        return bool(broken or dear)
