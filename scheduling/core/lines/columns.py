"""Column generation on one problem: its bound, dives, and neighbourhoods of a roster.

The linear program over all legal lines of every worker is solved by pricing; its value bounds
every roster from below. A dive fixes what the program is sure of, prices anew and goes on until a
roster stands. A neighbourhood frees a few workers, prices for what the others leave open, and
chooses among those lines by a small mixed-integer program.

Source: Desaulniers, Desrosiers, Solomon (eds.), Column Generation (2005).
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from scheduling.core.lines.kernel import UNREACHED
from scheduling.core.lines.line_problem import Floats, Ints, Line, LineProblem, line_of
from scheduling.core.lines.master import Master, Prices
from scheduling.core.lines.pricing import FREE, Found, Pricer

Clock = Callable[[], bool]
"""Says whether to stop now."""
FORGET_AFTER = 6
"""Rounds of pricing after which the workers' pricers start to learn anew."""
WORK_PER_STATE = 2e-8
WORK_PER_LINE = 5e-5
CLOSED_GAP = 0.01
"""Costs are whole: a bound this near to the next whole number is it."""


class NoLegalLine(Exception):
    """A worker has no legal line at all."""

    def __init__(self, worker: str) -> None:
        super().__init__(worker)
        self.worker = worker


def cover_of(problem: LineProblem, lines: Sequence[Line]) -> Ints:
    """Return how many of the lines stand on each row."""
    cover = np.zeros(len(problem.row_want), dtype=np.int64)
    for line in lines:
        cover += np.bincount(problem.post_row[line.posts[line.posts >= 0]], minlength=len(cover))
    return cover


def cost_of(problem: LineProblem, lines: Sequence[Line]) -> float:
    """Return what a roster costs: its lines, its rows, and the spread of its groups."""
    cover = cover_of(problem, lines)
    short = np.maximum(0, problem.row_want - cover)
    over = np.maximum(0, cover - problem.row_want)
    cost = problem.constant + sum(line.cost for line in lines)
    cost += float((short * problem.row_under).sum()) + float((over * problem.row_over).sum())
    for group in problem.groups:
        loads = [lines[w].load for w in group.workers]
        cost += group.weight * (max(loads) - min(loads))
    return cost


@dataclass(frozen=True)
class Relaxed:
    """What the linear program came to: the bound, and the prices it was got at."""

    bound: float
    value: float
    prices: Prices
    converged: bool


class Columns:
    """One problem, its pricers and its master. ``lines[w]`` is worker w's line everywhere."""

    def __init__(
        self,
        problem: LineProblem,
        *,
        hands: int = 1,
        threads: ThreadPoolExecutor | None = None,
        stop: Clock = lambda: False,
        accept: Callable[[Sequence[Line]], bool] = lambda _: True,
    ) -> None:
        self.problem = problem
        self.accept = accept
        self.threads = threads
        self.stop = stop
        self.everybody = list(range(len(problem.workers)))
        self.hands = [[Pricer(problem, w) for w in self.everybody] for _ in range(hands)]
        """A set of pricers for each thread that searches by itself."""
        self.pricers = self.hands[0]
        self.master = Master(problem)
        self.relaxed: Relaxed | None = None
        self.incumbent: list[Line] | None = None
        self.cost = np.inf
        self.most_lines = 1_000_000
        self.heavy = [False] * hands
        """Whether a hand's last neighbourhood was too large to be searched to its end."""
        self.work = [0.0] * hands
        """What a hand's last neighbourhood took: about seconds, but counted, not timed."""

    @property
    def converged(self) -> bool:
        """Say whether the linear program was solved to its end."""
        return self.relaxed is not None and self.relaxed.converged

    # ---- pricing

    def price(
        self,
        workers: Sequence[int],
        prices: Prices,
        *,
        lines: int,
        beyond: Floats | None = None,
    ) -> list[Found]:
        """Return the cheapest lines of several workers; those not under ``beyond`` are left out."""

        def one(w: int) -> Found:
            limit = UNREACHED if beyond is None else float(beyond[w])
            return self.pricers[w].price(prices.rows, lines=lines, beyond=limit)

        if self.threads is None or len(workers) < 4:
            return [one(w) for w in workers]
        return list(self.threads.map(one, workers))

    def first(self, order: Sequence[int]) -> list[Line]:
        """Return a legal roster, worker by worker, each at its best beside those before.

        Raises NoLegalLine.
        """
        problem = self.problem
        found: dict[int, Line] = {}
        cover = np.zeros(len(problem.row_want), dtype=np.int64)
        over = np.minimum(problem.row_over, UNREACHED / 1e6)
        for w in order:
            price = np.where(cover < problem.row_want, problem.row_under, -over)
            best = self.pricers[w].price(price)
            if not best.lines:
                raise NoLegalLine(problem.workers[w].name)
            line = line_of(problem, w, best.lines[0][1])
            found[w] = line
            posts = line.posts[line.posts >= 0]
            cover += np.bincount(problem.post_row[posts], minlength=len(cover))
        return [found[w] for w in self.everybody]

    def descend(self, lines: Sequence[Line], order: Sequence[int], passes: int = 3) -> list[Line]:
        """Return a roster no worse: each worker in turn takes the best line beside the others.

        Ends early where time is up.
        """
        problem = self.problem
        now = list(lines)
        cover = cover_of(problem, now)
        rows = len(cover)
        for _ in range(passes):
            moved = False
            for w in order:
                if self.stop():
                    return now
                own = np.bincount(problem.post_row[now[w].posts[now[w].posts >= 0]], minlength=rows)
                cover -= own
                over = np.minimum(problem.row_over, UNREACHED / 1e6)
                price = np.where(cover < problem.row_want, problem.row_under, -over)
                best = self.pricers[w].price(price)
                line = line_of(problem, w, best.lines[0][1]) if best.lines else now[w]
                posts = line.posts[line.posts >= 0]
                worth = line.cost - price[problem.post_row[posts]].sum()
                had = now[w].cost - price[problem.post_row[now[w].posts[now[w].posts >= 0]]].sum()
                if worth < had - 1e-6:
                    now[w] = line
                    own = np.bincount(problem.post_row[posts], minlength=rows)
                    moved = True
                cover += own
            if not moved:
                break
        return now

    def keep(self, lines: Sequence[Line]) -> bool:
        """Take a roster as the best so far if it is, and is accepted; return whether it was."""
        cost = cost_of(self.problem, lines)
        for line in lines:
            self.master.add(line)
        if cost >= self.cost - 1e-6 or not self.accept(lines):
            return False
        self.cost = cost
        self.incumbent = list(lines)
        return True

    def inside(self, line: Line) -> bool:
        """Say whether a line's load is within what its worker is held to."""
        within = self.problem.workers[line.worker].load_within
        return within is None or within[0] <= line.load <= within[1]

    def ensure_lines(self) -> None:
        """Give everybody a line to begin with who has none yet. Raises NoLegalLine."""
        price = np.minimum(self.problem.row_under, UNREACHED / 1e6)
        for w in self.everybody:
            if not self.master.of_worker[w]:
                best = self.pricers[w].price(price)
                if not best.lines:
                    raise NoLegalLine(self.problem.workers[w].name)
                self.master.add(line_of(self.problem, w, best.lines[0][1]))

    def cheapest_lines(self) -> float:
        """Return what everybody's cheapest line costs together, whatever the rows want."""
        nothing = np.zeros(len(self.problem.row_want))
        return sum(pricer.price(nothing).value for pricer in self.pricers)

    # ---- the bound

    def relax(self, *, lines: int = 3, stop: Clock | None = None) -> Relaxed:
        """Solve the linear program over all legal lines, or as far as ``stop`` allows.

        What it has come to when it is stopped is a bound too, if a lower one.
        """
        problem = self.problem
        ended = stop or self.stop
        best = -np.inf
        rounds = 0
        while True:
            rounds += 1
            if rounds % FORGET_AFTER == 0:
                for pricer in self.pricers:
                    pricer.forget()
            prices = self.master.solve()
            best_now = float((prices.rows * problem.row_want).sum())
            found = self.price(self.everybody, prices, lines=lines)
            new = 0
            for w, each in enumerate(found):
                best_now += each.value
                for value, posts in each.lines:
                    if value < prices.worker[w] - 1e-7:
                        new += self.master.add(line_of(problem, w, posts))
            best = max(best, best_now)
            gap = prices.objective - best
            converged = new == 0 or gap < 1e-6 * max(1.0, abs(prices.objective))
            self.relaxed = Relaxed(
                best + problem.constant, prices.objective + problem.constant, prices, converged
            )
            if converged or ended():
                return self.relaxed

    # ---- rosters

    def dive(
        self, seed: int, *, hand: int = 0, rounds: int = 5, batch: int = 8, pool: int = 80
    ) -> list[Line] | None:
        """Return a roster by settling day after day what the program is sure of.

        After each settlement the workers who are still open are priced anew among lines that keep
        it. Returns None where time ran out before everybody had a line. ``batch``: one in so many
        of the sure days is settled at a time.
        """
        rng = np.random.default_rng(seed)
        problem = self.problem
        master = self._part_of_master(pool)
        hold = np.full((len(self.everybody), problem.days), FREE, dtype=np.int64)
        done: dict[int, Line] = {}
        while True:
            free = [w for w in self.everybody if w not in done]
            self._refine(master, hold, free, rounds, hand)
            if self.stop():
                return None
            value = master.value
            part: dict[int, list[int]] = {}
            for w in self.everybody:
                if w in done:
                    continue
                part[w] = [i for i in master.of_worker[w] if value[i] > 1e-6]
                best = max(part[w], key=lambda i: value[i])
                if value[best] > 1 - 1e-6:
                    done[w] = master.lines[best]
                    hold[w] = done[w].posts
                    del part[w]
            if len(done) == len(self.everybody):
                return [done[w] for w in self.everybody]
            self._settle(master, hold, part, rng, batch)

    def _part_of_master(self, most: int) -> Master:
        """Return a master of the most promising lines only: its programs are small."""
        part = Master(self.problem)
        basic = set(np.flatnonzero(self.master.value > 1e-9).tolist())
        for w in self.everybody:
            known = self.master.of_worker[w]
            chosen = self._promising(known, most) if len(known) > most else known
            for i in dict.fromkeys([*chosen, *(i for i in known if i in basic)]):
                part.add(self.master.lines[i])
        return part

    def _refine(self, master: Master, hold: Ints, free: list[int], rounds: int, hand: int) -> None:
        """Price the free workers against what is settled until nothing is gained."""
        prices = master.solve()
        for _ in range(rounds):
            new = 0
            for w in free:
                each = self.hands[hand][w].price(
                    prices.rows,
                    lines=2,
                    beyond=float(prices.worker[w]) - 1e-6,
                    hold=hold[w] if (hold[w] != FREE).any() else None,
                )
                for _, posts in each.lines:
                    new += master.add(line_of(self.problem, w, posts))
            if not new or self.stop():
                break
            before = prices.objective
            prices = master.solve()
            if before - prices.objective < 1e-6 * abs(before):
                break

    def _settle(
        self,
        master: Master,
        hold: Ints,
        part: dict[int, list[int]],
        rng: np.random.Generator,
        batch: int,
    ) -> None:
        """Settle the surest days of those whose line is still divided."""
        value = master.value
        sure: list[tuple[float, int, int, int]] = []
        for w, indexes in part.items():
            posts = np.array([master.lines[i].posts for i in indexes])
            weight = value[indexes]
            for at in np.flatnonzero(hold[w] == FREE).tolist():
                for choice in np.unique(posts[:, at]).tolist():
                    held = float(weight[posts[:, at] == choice].sum())
                    if held > 0.5:
                        sure.append((held + 0.05 * float(rng.random()), w, at, choice))
        sure.sort(reverse=True)
        most = max(1, len(sure) // batch)
        settled = 0
        alive = {w: list(indexes) for w, indexes in part.items()}
        for share, w, day, post in sure:
            if settled >= most:
                break
            keeps = [i for i in alive[w] if master.lines[i].posts[day] == post]
            if value[keeps].sum() < (0.5 if settled else 0.0) or not keeps:
                continue
            if share < 0.999:
                settled += 1
            alive[w] = keeps
            hold[w, day] = post
        if not sure:
            # Nobody is over a half anywhere: take somebody's largest line whole.
            surest = max(part, key=lambda w: (float(value[part[w]].max()), float(rng.random())))
            hold[surest] = master.lines[max(part[surest], key=lambda i: value[i])].posts
        for w in part:
            settled_days = hold[w] != FREE
            closed = [
                i
                for i in master.of_worker[w]
                if (master.lines[i].posts[settled_days] != hold[w][settled_days]).any()
            ]
            master.bound(closed, 0.0, 0.0)

    def neighbour(
        self,
        freed: Sequence[int],
        days: tuple[int, int] | None = None,
        *,
        hand: int = 0,
        rounds: int = 15,
        pool: int = 60,
        seconds: float = 2.0,
        nodes: int = 200,
    ) -> list[Line] | None:
        """Return a better roster in which only the freed workers' lines differ, or None.

        ``days``: the first and the day after the last that may differ; None: all.
        """
        assert self.incumbent is not None
        problem = self.problem
        lines = self.incumbent
        free = set(freed)
        kept = [lines[w] for w in self.everybody if w not in free]
        want = (problem.row_want - cover_of(problem, kept)).astype(float)
        constant = problem.constant + sum(line.cost for line in kept)
        small = Master(problem, workers=freed, want=want)
        # Where lines are valued by their load, the least value is no bound, and several loads are
        # wanted of each worker.
        exact = all(self.hands[hand][w].exact for w in freed)
        lines_each = 3 if exact else 6
        hold: Ints | None = None
        if days is not None:
            hold = np.array([lines[w].posts for w in freed])
            hold[:, days[0] : days[1]] = FREE
        for n, w in enumerate(freed):
            small.add(lines[w])
            known = self.master.of_worker[w]
            if hold is not None:
                known = self._matching(w, hold[n])
            if self.relaxed is not None and len(known) > pool:
                known = self._promising(known, pool)
            for i in known:
                small.add(self.master.lines[i])
        limit = self.cost - constant
        prices = small.solve()
        new = 0
        for _ in range(rounds):
            new = 0
            least = float((prices.rows * want).sum())
            self.work[hand] += WORK_PER_LINE * len(small.lines)
            for n, w in enumerate(freed):
                if self.stop():
                    return None
                self.work[hand] += WORK_PER_STATE * self.hands[hand][w].size * problem.days
                each = self.hands[hand][w].price(
                    prices.rows,
                    lines=lines_each,
                    hold=None if hold is None else hold[n],
                )
                least += each.value
                for value, posts in each.lines:
                    if value < prices.worker[w] - 1e-6:
                        line = line_of(problem, w, posts)
                        if self.inside(line):
                            new += small.add(line)
            if exact and least > limit - 1 + CLOSED_GAP:
                return None  # nothing better is here: proven
            if not new or self.stop():
                break
            prices = small.solve()
        start = [small.index_of(lines[w]) for w in freed]
        chosen = small.choose(start, nodes=nodes, seconds=seconds, better_than=limit - 0.5)
        self.work[hand] += WORK_PER_LINE * len(small.lines) * (10 if small.cut_off else 1)
        self.heavy[hand] = small.cut_off or len(small.lines) > self.most_lines
        if chosen is None:
            return None
        better = list(lines)
        for w, i in zip(freed, chosen, strict=True):
            better[w] = small.lines[i]
        return better

    def _matching(self, worker: int, hold: Ints) -> list[int]:
        """Return a worker's known lines that keep what is held."""
        held = hold != FREE
        want = hold[held]
        return [
            i
            for i in self.master.of_worker[worker]
            if (self.master.lines[i].posts[held] == want).all()
        ]

    def _promising(self, known: Sequence[int], most: int) -> list[int]:
        """Return the lines of least reduced cost at the bound's prices."""
        assert self.relaxed is not None
        rows = self.relaxed.prices.rows
        reduced = []
        for i in known:
            posts = self.master.lines[i].posts
            earned = rows[self.problem.post_row[posts[posts >= 0]]].sum()
            reduced.append(self.master.lines[i].cost - earned)
        order = np.argsort(reduced, kind="stable")
        return [known[n] for n in order[:most]]
