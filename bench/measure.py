"""Run our engine on one file, write what it found, and have the scorer say what it costs."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import curtois_qu, patrol_week
from bench.score import Score, score_patrol, score_roster
from scheduling.core.lines.columns import cover_of
from scheduling.core.lines.line_problem import LineProblem
from scheduling.core.lines.pricing import load_kernels
from scheduling.core.lines.search import Effort, News, search

Say = Callable[[str], None]


class NotAnInstance(Exception):
    """A file that is not what it is taken for."""

    def __init__(self, file: Path, why: str) -> None:
        super().__init__(
            f"{file} 不是可用的算例文件：{why}。请对照算例目录的 README 检查。\n"
            f"{file} is not an instance: {why}. Compare it with the README beside the instances."
        )


class ScorerDisagrees(Exception):
    """The engine and the independent scorer do not agree: nothing it says may be believed."""

    def __init__(self, instance: str, ours: float, scorer: int) -> None:
        super().__init__(
            f"{instance}：引擎给出的成本 {ours:g} 与独立计分 {scorer} 不一致，结果不可信。\n"
            f"{instance}: the engine says {ours:g}, the independent scorer {scorer}."
        )


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One run: cost by the scorer, bound by the engine, and when what was reached."""

    engine: str
    instance: str
    cost: int
    bound: float
    gap: float
    """(cost − bound) ÷ cost."""
    proven: bool
    seconds_to_first_full_cover: float | None
    seconds_to_best: float
    seconds: float
    violations: int
    seed: int
    workers: int

    def line(self) -> dict[str, object]:
        """Return it as it is printed."""
        return asdict(self)


def measure_patrol(file: Path, out: Path, effort: Effort, say: Say) -> Measured:
    """Solve a weekly patrol file and write its plan. Raises NotAnInstance or ScorerDisagrees."""
    try:
        week = patrol_week.read(file)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise NotAnInstance(file, f"{type(error).__name__} {error}") from error

    def write(lines: list[object]) -> Score:
        patrol_week.write(week, lines, out)  # type: ignore[arg-type]
        return score_patrol(file, out)

    return _measure(week.problem, effort, say, write, covers=True)


def measure_roster(file: Path, out: Path, effort: Effort, say: Say) -> Measured:
    """Solve a shift scheduling file and write its roster. Raises NotAnInstance or ScorerDisagrees."""
    try:
        instance = curtois_qu.read(file)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise NotAnInstance(file, f"{type(error).__name__} {error}") from error

    def write(lines: list[object]) -> Score:
        curtois_qu.write(instance, lines, out)  # type: ignore[arg-type]
        return score_roster(file, out)

    return _measure(instance.problem, effort, say, write, covers=False)


def _measure(
    problem: LineProblem,
    effort: Effort,
    say: Say,
    write: Callable[[list[object]], Score],
    *,
    covers: bool,
) -> Measured:
    full: list[float] = []

    def tell(news: News) -> None:
        say(f"{problem.name} {news.seconds:7.1f} s  cost {news.cost:g}  bound {news.bound:.1f}")
        if covers and not full:
            short = problem.row_want > cover_of(problem, news.lines)
            if not short.any():
                full.append(round(news.seconds, 2))

    load_kernels()  # as the peers' clocks do, ours starts when the program stands
    started = time.monotonic()
    found = search(problem, effort, tell)
    seconds = time.monotonic() - started
    score = write([line.posts for line in found.lines])
    if score.cost != found.cost:
        raise ScorerDisagrees(problem.name, found.cost, score.cost)
    # Costs are whole, so a bound a little below a whole number stands for it.
    gap = max(0.0, found.cost - found.bound) / max(1.0, abs(found.cost))
    return Measured(
        engine="xunge",
        instance=problem.name,
        cost=score.cost,
        bound=round(found.bound, 2),
        gap=round(gap, 5),
        proven=found.cost - found.bound < 1 - 1e-6,
        seconds_to_first_full_cover=full[0] if full else None,
        seconds_to_best=round(found.best_s, 2),
        seconds=round(seconds, 2),
        violations=len(score.violations),
        seed=effort.seed,
        workers=effort.workers,
    )
