"""The restricted master: which line each worker takes, as a linear or a small mixed-integer program.

Rows: one per worker (exactly one line) and one per row of the problem (lines on it, what is
missing, what is too many). Solved by HiGHS, warm from the last basis.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import highspy
import numpy as np

from scheduling.core.lines.line_problem import Floats, Ints, Line, LineProblem

INF = highspy.kHighsInf
FINISHED = (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kInfeasible)


@dataclass(frozen=True)
class Prices:
    """Dual values: what a line on a row earns, what each worker's line costs; the objective."""

    rows: Floats
    worker: Floats
    objective: float


class Master:
    """The columns known so far.

    ``want`` replaces what the problem's rows want, and may be below 0, where the lines of workers
    who are not among ``workers`` stand as they are.
    """

    def __init__(
        self,
        problem: LineProblem,
        *,
        workers: Sequence[int] | None = None,
        want: Floats | None = None,
    ) -> None:
        self.problem = problem
        self.workers = list(range(len(problem.workers))) if workers is None else list(workers)
        self.want = problem.row_want.astype(float) if want is None else want
        self.lines: list[Line] = []
        self.of_worker: dict[int, list[int]] = {w: [] for w in self.workers}
        self._known: dict[int, dict[bytes, int]] = {w: {} for w in self.workers}
        h = highspy.Highs()
        h.silent()
        h.setOptionValue("threads", 1)
        h.setOptionValue("presolve", "off")
        h.setOptionValue("solver", "simplex")
        h.setOptionValue("simplex_strategy", 4)
        self.h = h
        self.cut_off = False
        """Whether the last choice ended at a limit."""
        self._rows = len(problem.row_want)
        self._build()

    def _build(self) -> None:
        problem, h = self.problem, self.h
        empty = np.empty(0, dtype=np.int32)
        for want in self.want:
            h.addRow(want, want, 0, empty, np.empty(0))
        self._one: dict[int, int] = {}
        for n, w in enumerate(self.workers):
            h.addRow(1.0, 1.0, 0, empty, np.empty(0))
            self._one[w] = self._rows + n
        self._columns = 0
        dear = 10.0 * float(problem.row_under.max(initial=1.0))
        for r in range(self._rows):
            self._add(float(problem.row_under[r]), 0.0, INF, [r], [1.0])
            # Even where there may be none too many, a price keeps the program feasible.
            over = min(float(problem.row_over[r]), dear)
            self._add(over, 0.0, INF, [r], [-1.0])
        self.first_line = self._columns

    def _add(
        self, cost: float, low: float, high: float, rows: list[int], values: list[float]
    ) -> int:
        self.h.addCol(cost, low, high, len(rows), np.array(rows, dtype=np.int32), np.array(values))
        self._columns += 1
        return self._columns - 1

    def add(self, line: Line) -> bool:
        """Add a line; return False if it is known."""
        known = self._known[line.worker]
        if line.key in known:
            return False
        known[line.key] = len(self.lines)
        self.of_worker[line.worker].append(len(self.lines))
        self.lines.append(line)
        rows = self.problem.post_row[line.posts[line.posts >= 0]].tolist()
        values = [1.0] * len(rows)
        rows.append(self._one[line.worker])
        values.append(1.0)
        self._add(line.cost, 0.0, INF, rows, values)
        return True

    def index_of(self, line: Line) -> int:
        """Return a known line's number. Raises KeyError."""
        return self._known[line.worker][line.key]

    def bound(self, indexes: Sequence[int] | Ints, low: float, high: float) -> None:
        """Hold lines between two values: 0 and 0 closes them, 1 and 1 fixes them."""
        n = len(indexes)
        if n:
            self.h.changeColsBounds(
                n,
                np.asarray(indexes, dtype=np.int32) + self.first_line,
                np.full(n, low),
                np.full(n, high),
            )

    def solve(self) -> Prices:
        """Solve the linear program. Raises RuntimeError where HiGHS finds no optimum."""
        self.h.run()
        if self.h.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            self.h.clearSolver()  # a basis may go stale: start over once
            self.h.run()
            if self.h.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                raise RuntimeError(str(self.h.getModelStatus()))
        solution = self.h.getSolution()
        dual = np.array(solution.row_dual)
        self.value = np.array(solution.col_value)[self.first_line :]
        worker = np.zeros(len(self.problem.workers))
        for w, row in self._one.items():
            worker[w] = dual[row]
        return Prices(dual[: self._rows], worker, self.h.getInfo().objective_function_value)

    def choose(
        self, start: Sequence[int], *, nodes: int, seconds: float, better_than: float
    ) -> list[int] | None:
        """Choose one line per worker as a mixed-integer program over the lines known.

        ``start``: the lines to begin with. Returns line numbers in the order of ``workers``, or
        None where nothing under ``better_than`` was found within the limits. The master is of no
        further use after it.
        """
        h = self.h
        total = self.first_line + len(self.lines)
        lines = np.arange(self.first_line, total, dtype=np.int32)
        h.changeColsIntegrality(
            len(lines), lines, np.full(len(lines), int(highspy.HighsVarType.kInteger), np.uint8)
        )
        h.setOptionValue("presolve", "on")
        h.setOptionValue("solver", "choose")
        h.setOptionValue("simplex_strategy", 1)
        h.setOptionValue("mip_max_nodes", nodes)
        h.setOptionValue("time_limit", float(h.getRunTime() + seconds))
        h.setOptionValue("mip_rel_gap", 0.0)
        h.setOptionValue("mip_abs_gap", 0.99)
        h.setOptionValue("mip_heuristic_effort", 0.1)
        h.setOptionValue("objective_bound", better_than)
        if len(start):
            h.setSolution(
                len(start),
                np.asarray(start, dtype=np.int32) + self.first_line,
                np.ones(len(start)),
            )
        h.run()
        self.cut_off = h.getModelStatus() not in FINISHED
        info = h.getInfo()
        if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            return None
        if info.objective_function_value >= better_than - 1e-6:
            return None
        value = np.array(h.getSolution().col_value)[self.first_line :]
        return [max(self.of_worker[w], key=lambda i: value[i]) for w in self.workers]
