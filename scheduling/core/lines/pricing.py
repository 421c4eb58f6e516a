"""The cheapest legal line of a worker at given prices: exact dynamic programming over days.

A state is the run of days (off so long, or in this shift for so many days) and the counters that
are tracked. Counters that seldom bind, and visits to one place, are tracked only once a line that
broke them came out (decremental state-space relaxation; Righini & Salani 2008), so the value
returned is exact all the same. The kernel is compiled and runs without Python's lock.

Shifts that the same shifts may follow and precede, and that count alike, are one kind to the state:
thirty shifts are often three or four. Where a horizon is so long that tracking a counter would take
more than ``MOST_CELLS``, it is not tracked: the value is then that of the problem without it, a bound
all the same, and lines are held to it by a price on what it counts (Lagrangian relaxation).
"""

import threading
from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray

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
NO_WAY = UNREACHED / 2
"""What is dearer than this goes over something forbidden, whatever it earns elsewhere."""
MOST_CELLS = 40_000_000
"""Of one table, days × states: 240 MB for each thread that prices."""
TRIES = 12
"""Prices on a counter that are tried, each twice the one before, until it is kept to."""


class _Tables(threading.local):
    """What the kernel writes to, one set per thread, grown to the largest that was asked for."""

    def __init__(self) -> None:
        self.back = np.empty(0, dtype=np.int32)
        self.taken = np.empty(0, dtype=np.int16)
        self.cur = np.empty(0)
        self.nxt = np.empty(0)

    def of(
        self, days: int, size: int
    ) -> tuple[NDArray[np.int32], NDArray[np.int16], Floats, Floats]:
        """Return tables of (days, size), twice, and of (size,), twice, with anything in them."""
        if len(self.cur) < size:
            self.cur, self.nxt = np.empty(size), np.empty(size)
        cells = days * size
        if len(self.back) < cells:
            self.back = np.empty(cells, dtype=np.int32)
            self.taken = np.empty(cells, dtype=np.int16)
        return (
            self.back[:cells].reshape(days, size),
            self.taken[:cells].reshape(days, size),
            self.cur,
            self.nxt,
        )


_tables = _Tables()


@dataclass
class Found:
    """Lines of one pricing, the cheapest first, each with its reduced cost."""

    value: float
    """No legal line has a lesser value; exact where all counters could be tracked."""
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
        self.post_shift = problem.post_shift[open_posts]
        self.shifts = np.unique(self.post_shift)
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
        self._weight: dict[str, float] = {}
        """By counter, the price that last held lines to it."""
        self._too_large: set[str] = set()
        """Counters that cannot be tracked beside the others."""
        self._prepare()

    def forget(self) -> None:
        """Track only what must be; wild prices teach counters that good ones never need."""
        if len(self.counters) + len(self.places) > self._born:
            self.counters = self.counters[: self._born]
            self.lazy = [c for c in self.who.counters if c.least <= 0]
            self.places = []
            self._too_large.clear()
            self._prepare()

    def _kinds(self) -> list[list[int]]:
        """Return the open shifts by kind: alike in what may come before and after, and in counts."""
        follows = self.problem.follows[np.ix_(self.shifts, self.shifts)]
        kinds: dict[bytes, list[int]] = {}
        for n, shift in enumerate(self.shifts.tolist()):
            counts = [(c.after_off[:, shift], c.after_work[:, shift]) for c in self.counters]
            key = follows[n, :].tobytes() + follows[:, n].tobytes()
            key += b"".join(a.tobytes() + b.tobytes() for a, b in counts)
            kinds.setdefault(key, []).append(shift)
        return list(kinds.values()) or [[0]]

    def _prepare(self) -> None:
        kinds = self._kinds()
        # One shift speaks for all of its kind.
        spoken = np.array([kind[0] for kind in kinds])
        kind_of = {shift: n for n, kind in enumerate(kinds) for shift in kind}
        self.shift = np.array([kind_of[int(s)] for s in self.post_shift], dtype=np.int64)
        self.follows = np.ascontiguousarray(self.problem.follows[np.ix_(spoken, spoken)])
        if not len(self.shifts):
            self.follows = np.ones((1, 1), dtype=np.uint8)
        days, shifts = self.problem.days, len(kinds)
        hard = len(self.counters)
        sizes = []
        self._need = np.zeros((hard, days), dtype=np.int64)
        self._after_off = np.zeros((hard, days, shifts), dtype=np.int64)
        self._after_work = np.zeros((hard, days, shifts), dtype=np.int64)
        for k, counter in enumerate(self.counters):
            a = counter.after_off[:, spoken] if len(self.shifts) else np.zeros((days, 1), int)
            b = counter.after_work[:, spoken] if len(self.shifts) else np.zeros((days, 1), int)
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
        options = [(s, -1) for s in range(shifts)]
        index = {}
        for t, place in enumerate(self.places):
            for s in range(shifts):
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
        """Return lines at the prices of posts and days off, or None where more is to be tracked."""
        best, where, back, taken = self._best(price, off)
        which = self._which  # tracking more makes a new one
        order = np.argsort(best, kind="stable")[: max(1, 3 * lines)]
        found: list[tuple[float, Ints]] = []
        for n, c in enumerate(order):
            if best[c] >= NO_WAY or (n and (len(found) >= lines or best[c] >= beyond)):
                break
            local = walk_back(where[c], back, taken, which)
            broken, dear = self._breaches(local)
            if n == 0 and self._track(broken, dear):
                return None
            if not broken and not dear and best[c] < beyond:
                found.append((float(best[c]), self._posts(local)))
        value = float(best[order[0]])
        if not found and value < min(beyond, NO_WAY):
            # No line that is left in the tables keeps to what could not be tracked.
            local = self._held_by_price(price, off)
            if local is not None:
                worth = self._value_of(local, price, off)
                if worth < beyond:
                    found.append((worth, self._posts(local)))
        return Found(value, found)

    def _best(
        self, price: Floats, off: Floats
    ) -> tuple[Floats, Ints, NDArray[np.int32], NDArray[np.int16]]:
        """Return the least value at each count, the state it ends in, and the tables behind it."""
        who = self.who
        back, taken, cur, nxt = _tables.of(self.problem.days, self.size)
        best_posts(self.day, self._option_of, price, self._value, self._which)
        best, where = cheapest(
            self._value, off, self._shift_of, self._track_of, self.follows,
            who.most_run, who.least_run, who.least_off, who.most_off, who.run_before,
            who.borders_free, len(self.counters), self._size, self._need, self._after_off,
            self._after_work, self._dearer, back, taken, cur, nxt,
        )  # fmt: skip
        if self._step:
            best = best + self._load_cost(len(best))
        return best, where, back, taken

    def _posts(self, local: Ints) -> Ints:
        posts = np.full(self.problem.days, -1, dtype=np.int64)
        posts[local >= 0] = self.posts[local[local >= 0]]
        return posts

    def _value_of(self, local: Ints, price: Floats, off: Floats) -> float:
        """Return what a line is worth at these prices, without its load."""
        posts = local[local >= 0]
        value = float(price[posts].sum() + off[local < 0].sum())
        if self.problem.repeat is not None:
            visits = np.bincount(self.place[posts], minlength=self.problem.repeat.places)
            value += self._dearer * float(
                np.maximum(0, visits - self.problem.repeat.free + 1).sum()
            )
        return value

    def _held_by_price(self, price: Floats, off: Floats) -> Ints | None:
        """Return a line that keeps to the untracked counters because what they count is dear."""
        usual = np.abs(price[price < NO_WAY])
        least = max(1.0, float(usual.mean()) if len(usual) else 1.0)
        weight = {k: 0.7 * held for k, held in self._weight.items()}
        found = None
        for _ in range(TRIES):
            dearer = price.copy()
            for k, held in weight.items():
                counter = next(c for c in self.lazy if c.name == k)
                each = (counter.after_off + counter.after_work) / 2
                dearer += held * each[self.day, self.post_shift]
            best, where, back, taken = self._best(dearer, off)
            c = int(np.argmin(best))
            if best[c] >= NO_WAY:
                return None
            local = walk_back(where[c], back, taken, self._which)
            broken, dear = self._breaches(local)
            if not broken and not dear:
                found = local
                break
            if not broken:
                return None
            for counter in broken:
                weight[counter.name] = max(least, 2 * weight.get(counter.name, 0.0))
        if found is not None:
            self._weight = weight
        return found

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

    def _breaches(self, local: Ints) -> tuple[list[Counter], list[int]]:
        """Return the untracked counters a line breaks, and the places it visits too often."""
        worked = local >= 0
        days = np.flatnonzero(worked)
        broken: list[Counter] = []
        if self.lazy and len(days):
            shifts = self.post_shift[local[days]]
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
        return broken, dear

    def _track(self, broken: list[Counter], dear: list[int]) -> bool:
        """Track what a line broke from now on, as far as tables allow; return whether any is."""
        before = len(self.counters) + len(self.places)
        for counter in broken:
            if counter.name in self._too_large:
                continue
            self.counters.append(counter)
            self._prepare()
            if self.size * self.problem.days > MOST_CELLS:
                self.counters.remove(counter)
                self._too_large.add(counter.name)
                self._prepare()
            else:
                self.lazy.remove(counter)
        if dear:
            self.places += dear
            self._prepare()
        return len(self.counters) + len(self.places) > before
