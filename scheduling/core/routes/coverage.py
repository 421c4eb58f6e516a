"""Street coverage (全域): every metre of walkable street within some patrols.

The shortest round over all streets at least once is a postman's: streets that meet in odd numbers
are walked twice between pairs of such corners, matched greedily and by exchange. The round is cut
into walks from and to the start, each as long as the shift allows; for one round that takes the
fewest patrols. Several rounds are tried.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic import ConfigDict, TypeAdapter
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from shapely.ops import substring

from scheduling.core.network import Floats, WalkNetwork
from scheduling.core.problem import CLOSED, read_document
from scheduling.core.route import MINUTES_MAX, WALKING_M_PER_MIN, Place, RouteUnfit

Ints = NDArray[np.int64]
Line = tuple[tuple[float, float], ...]

PIECE_M = 100.0
"""Streets are cut into pieces no longer than this, so that a walk may end within one."""
NEAR_M = 0.5
"""A start this near to a corner stands at it."""
ROUNDS = 12
PATROLS_MAX = 500

NO_NETWORK = ("没有步行网络，无法规划全域巡查。请先导入或画出步行道。", "There is no walk network to cover. Import or draw walkways first.")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageProblem:
    """Walkways to be walked, every metre, by up to so many patrols of so many minutes."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    lines: tuple[Line, ...]
    patrols: int
    minutes: int
    start: Place
    metres_per_min: float = WALKING_M_PER_MIN
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.patrols <= PATROLS_MAX or not 1 <= self.minutes <= MINUTES_MAX:
            raise RouteUnfit(
                zh_what=f"巡逻 {self.patrols} 班、每班 {self.minutes} 分钟不成立",
                en_what=f"{self.patrols} patrols of {self.minutes} minutes",
            )
        if not 1 <= self.metres_per_min <= 200:
            raise RouteUnfit(zh_what="步速不成立", en_what="the walking speed")


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageWalk:
    """One patrol's walk from the start and back."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    line: Line
    length_m: int
    minutes: int
    new_m: int
    """Metres of street that no walk before it took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveragePlan:
    """The walks, what they cover, and how many patrols everything would take."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    walks: tuple[CoverageWalk, ...]
    total_m: int
    covered_m: int
    needed: int
    """Patrols in which every street that can be reached in time is walked."""
    beyond_m: int
    """Metres that no walk from the start reaches and returns from in time."""
    islands_m: int
    """Metres that no walkway leads to."""
    notes: tuple[tuple[str, str], ...] = ()


_PROBLEM = TypeAdapter(CoverageProblem)
_PLAN = TypeAdapter(CoveragePlan)


def read_coverage_problem(text: str | bytes, name: str = "problem.json") -> CoverageProblem:
    """Read a coverage problem from JSON. Raises UnreadableFile."""
    return read_document(_PROBLEM, text, name)


def write_coverage(plan: CoveragePlan) -> str:
    """Return a coverage plan as JSON, the same for the same plan."""
    return _PLAN.dump_json(plan, indent=1).decode() + "\n"


@dataclass(frozen=True)
class _Streets:
    """The pieces of street that can be walked to: ends, metres, courses; node 0 is the start."""

    ends: Ints
    lengths: Floats
    courses: tuple[Floats, ...]
    away: Floats
    """Metres from the start to every node."""
    before: Ints
    """The node before each on the way from the start."""

    @property
    def corners(self) -> int:
        """How many nodes there are."""
        return len(self.away)


def plan_coverage(problem: CoverageProblem, network: WalkNetwork | None = None) -> CoveragePlan:
    """Return walks that take every street in as few patrols as found, no more than given."""
    network = network or WalkNetwork.from_lines(problem.lines)
    if network.is_empty:
        return CoveragePlan(
            walks=(), total_m=0, covered_m=0, needed=0, beyond_m=0, islands_m=0, notes=(NO_NETWORK,)
        )
    streets, step_m = _streets(network, problem.start)
    room = problem.minutes * problem.metres_per_min - 2 * step_m
    reach = streets.away[streets.ends].sum(axis=1) + streets.lengths <= room + 1e-6
    best: list[list[int]] | None = None
    for attempt in range(ROUNDS if reach.any() else 0):
        drawn = np.random.default_rng([problem.seed, attempt])
        walks = _cut(streets, _round(streets, reach, drawn), reach, room)
        key = (len(walks), _length(streets, walks))
        if best is None or key < (len(best), _length(streets, best)):
            best = walks
    walks = best or []
    told, covered = _told(problem, streets, walks)
    spare = sum(shapely.LineString(street).length for _, _, street in network.spare)
    total = float(network.lengths.sum()) + spare
    beyond = float(streets.lengths[~reach].sum())
    islands = total - float(streets.lengths.sum())
    return CoveragePlan(
        walks=told,
        total_m=round(total),
        covered_m=round(covered),
        needed=len(walks),
        beyond_m=round(beyond),
        islands_m=round(max(0.0, islands)),
        notes=_notes(problem, streets, reach, len(walks), total, covered, beyond, islands, step_m),
    )


def _streets(network: WalkNetwork, start: Place) -> tuple[_Streets, float]:
    """Return the streets joined to the start, in pieces, and how far the start lies off them."""
    located = network.locate(np.array([[start.x, start.y]]))
    home, along = int(located.edge[0]), float(located.along_m[0])
    part = network.component[network.ends[home, 0]]
    whole = shapely.LineString(network.lines[home])
    a, b = network.ends[home].tolist()
    # The start becomes node 0: the corner it stands at, or a place of its own on its street.
    number: dict[tuple[str, int, int], int] = {("start", 0, 0): 0}
    if along < NEAR_M or whole.length - along < NEAR_M:
        along = 0.0 if along < NEAR_M else whole.length
        number = {("node", a if along == 0.0 else b, 0): 0}
    spot = whole.interpolate(along)
    step_m = math.dist((start.x, start.y), (spot.x, spot.y))

    def node(*key: object) -> int:
        return number.setdefault(key, len(number))  # type: ignore[arg-type]

    ends, courses = [], []
    every = [*zip(*network.ends.T.tolist(), network.lines, strict=True), *network.spare]
    for edge, (a, b, street) in enumerate(every):
        if network.component[a] != part:
            continue
        line = shapely.LineString(street)
        least = 1 if edge < len(network.lines) else 2  # a loop has a middle, a parallel its own
        count = max(least, math.ceil(line.length / PIECE_M))
        cuts = np.linspace(0.0, line.length, count + 1).tolist()
        names: dict[float, int] = {cuts[0]: node("node", a, 0), cuts[-1]: node("node", b, 0)}
        for place, cut in enumerate(cuts[1:-1], start=1):
            names[cut] = node("cut", edge, place)
        if edge == home and 0.0 < along < line.length:
            cuts = sorted([*(c for c in cuts if abs(c - along) >= NEAR_M), along])
            names[along] = 0
        for first, last in itertools.pairwise(cuts):
            piece = substring(line, first, last)
            ends.append((names[first], names[last]))
            courses.append(shapely.get_coordinates(piece))
    lengths = np.array([float(np.linalg.norm(np.diff(c, axis=0), axis=1).sum()) for c in courses])
    pairs = np.array(ends, dtype=np.int64).reshape(-1, 2)
    graph = _graph(len(number), pairs, lengths)
    away, before = dijkstra(graph, directed=False, indices=0, return_predecessors=True)
    found = _Streets(pairs, lengths, tuple(courses), away, before.astype(np.int64))
    return found, step_m


def _graph(n: int, pairs: Ints, lengths: Floats) -> csr_array:
    """Return a sparse matrix in which parallel pieces count by the shortest, never by their sum."""
    shortest: dict[tuple[int, int], float] = {}
    for (a, b), length in zip(pairs.tolist(), lengths.tolist(), strict=True):
        pair = (min(a, b), max(a, b))
        shortest[pair] = min(max(length, 1e-6), shortest.get(pair, math.inf))
    rows = np.array(list(shortest), dtype=np.int64).reshape(-1, 2)
    return csr_array((list(shortest.values()), (rows[:, 0], rows[:, 1])), shape=(n, n))


def _round(streets: _Streets, reach: NDArray[np.bool_], drawn: np.random.Generator) -> list[int]:
    """Return a round from the start over every piece in reach at least once, as nodes."""
    pairs = streets.ends[reach]
    whole = _graph(streets.corners, streets.ends, streets.lengths)
    degree = np.bincount(pairs.ravel(), minlength=streets.corners)
    around: dict[int, list[tuple[int, int]]] = defaultdict(list)
    count = 0

    def add(a: int, b: int) -> None:
        nonlocal count
        around[a].append((b, count))
        around[b].append((a, count))
        count += 1

    for a, b in pairs.tolist():
        add(a, b)
    odd = np.flatnonzero(degree % 2)
    if len(odd):
        apart, before = dijkstra(whole, directed=False, indices=odd, return_predecessors=True)
        for one, other in _matched(apart[:, odd], drawn):
            at = int(odd[other])
            while at != int(odd[one]):
                previous = int(before[one, at])
                add(previous, at)
                at = previous
    _join(streets, around, add)
    for node in around:
        drawn.shuffle(around[node])
    used = np.zeros(count, dtype=bool)
    stack, found = [0], []
    while stack:
        node = stack[-1]
        while around[node] and used[around[node][-1][1]]:
            around[node].pop()
        if around[node]:
            other, number = around[node].pop()
            used[number] = True
            stack.append(other)
        else:
            found.append(stack.pop())
    return found[::-1]


def _join(streets: _Streets, around: dict[int, list[tuple[int, int]]], add: object) -> None:
    """Join every part of the round to the start, there and back along the way from it."""
    seen = {0}
    stack = [0]

    def spread() -> None:
        while stack:
            for other, _ in around.get(stack.pop(), ()):
                if other not in seen:
                    seen.add(other)
                    stack.append(other)

    spread()
    for node in sorted(around, key=lambda n: (streets.away[n], n)):
        if node in seen:
            continue
        at = node
        while at not in seen:
            previous = int(streets.before[at])
            add(previous, at)  # type: ignore[operator]
            add(previous, at)  # type: ignore[operator]
            at = previous
        stack.append(node)
        seen.add(node)
        spread()


def _matched(apart: Floats, drawn: np.random.Generator) -> list[tuple[int, int]]:
    """Pair corners so that few metres lie between them: nearest first, then by exchange."""
    k = len(apart)
    noisy = apart * drawn.uniform(1.0, 1.15, apart.shape)
    free = np.ones(k, dtype=bool)
    pairs: list[tuple[int, int]] = []
    rows, columns = np.triu_indices(k, 1)
    for index in np.argsort(noisy[rows, columns], kind="stable").tolist():
        a, b = int(rows[index]), int(columns[index])
        if free[a] and free[b]:
            free[a] = free[b] = False
            pairs.append((a, b))
    better = True
    while better:
        better = False
        for i, j in itertools.combinations(range(len(pairs)), 2):
            (a, b), (c, d) = pairs[i], pairs[j]
            now = apart[a, b] + apart[c, d]
            if apart[a, c] + apart[b, d] < now - 1e-6:
                pairs[i], pairs[j], better = (a, c), (b, d), True
            elif apart[a, d] + apart[b, c] < now - 1e-6:
                pairs[i], pairs[j], better = (a, d), (b, c), True
    return pairs


def _cut(
    streets: _Streets, nodes: Sequence[int], reach: NDArray[np.bool_], room: float
) -> list[list[int]]:
    """Cut a round into walks, each as long as there is room; steps that are not new join nothing."""
    wanted: dict[tuple[int, int], list[float]] = defaultdict(list)
    shortest: dict[tuple[int, int], float] = {}
    for (a, b), length, near in zip(
        streets.ends.tolist(), streets.lengths.tolist(), reach.tolist(), strict=True
    ):
        pair = (min(a, b), max(a, b))
        shortest[pair] = min(length, shortest.get(pair, math.inf))
        if near:
            wanted[pair].append(length)
    steps: list[tuple[int, int, float, bool]] = []
    for a, b in itertools.pairwise(nodes):
        pair = (min(a, b), max(a, b))
        new = bool(wanted[pair])
        steps.append((a, b, wanted[pair].pop() if new else shortest[pair], new))
    walks: list[list[int]] = []
    at = 0
    while at < len(steps):
        if not steps[at][3]:
            at += 1
            continue
        walked, best = float(streets.away[steps[at][0]]), at
        for number in range(at, len(steps)):
            walked += steps[number][2]
            if walked > room + 1e-6:
                break
            if steps[number][3] and walked + streets.away[steps[number][1]] <= room + 1e-6:
                best = number
        walks.append([steps[at][0], *(step[1] for step in steps[at : best + 1])])
        at = best + 1
    return walks


def _length(streets: _Streets, walks: Sequence[Sequence[int]]) -> float:
    shortest = _shortest(streets)
    total = 0.0
    for walk in walks:
        total += float(streets.away[walk[0]] + streets.away[walk[-1]])
        total += sum(shortest[min(a, b), max(a, b)] for a, b in itertools.pairwise(walk))
    return total


def _shortest(streets: _Streets) -> dict[tuple[int, int], float]:
    found: dict[tuple[int, int], float] = {}
    for (a, b), length in zip(streets.ends.tolist(), streets.lengths.tolist(), strict=True):
        pair = (min(a, b), max(a, b))
        found[pair] = min(length, found.get(pair, math.inf))
    return found


def _told(
    problem: CoverageProblem, streets: _Streets, walks: Sequence[Sequence[int]]
) -> tuple[tuple[CoverageWalk, ...], float]:
    """Return the walks on the ground, those with most new streets where hands are short.

    What is new is counted among the walks that are kept: a street on the way of one of them is
    walked, whichever walk it was meant for.
    """
    found = _on_the_ground(problem, streets, walks)
    if len(found) > problem.patrols:
        order = sorted(range(len(found)), key=lambda n: (-found[n].new_m, n))
        kept = sorted(order[: problem.patrols])
        found = _on_the_ground(problem, streets, [walks[n] for n in kept])
    return tuple(found), float(sum(walk.new_m for walk in found))


def _on_the_ground(
    problem: CoverageProblem, streets: _Streets, walks: Sequence[Sequence[int]]
) -> list[CoverageWalk]:
    """Return walks with their courses, each with what no walk before it took."""
    pieces: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number, (a, b) in enumerate(streets.ends.tolist()):
        pieces[min(a, b), max(a, b)].append(number)
    seen: set[int] = set()
    found = []
    for walk in walks:
        nodes = [*_home(streets, walk[0])[::-1], *walk[1:], *_home(streets, walk[-1])[1:]]
        line = [np.array([[problem.start.x, problem.start.y]])]
        new_m = 0.0
        for a, b in itertools.pairwise(nodes):
            choice = pieces[min(a, b), max(a, b)]
            number = next((n for n in choice if n not in seen), min(choice, key=lambda n: float(streets.lengths[n])))  # fmt: skip
            if number not in seen:
                new_m += float(streets.lengths[number])
                seen.add(number)
            course = streets.courses[number]
            line.append(course if int(streets.ends[number, 0]) == a else course[::-1])
        line.append(line[0])
        course = np.concatenate(line)
        moved = np.linalg.norm(np.diff(course, axis=0), axis=1) > 1e-6
        course = course[np.concatenate([[True], moved])]
        length = float(np.linalg.norm(np.diff(course, axis=0), axis=1).sum())
        found.append(
            CoverageWalk(
                line=tuple((round(x, 2), round(y, 2)) for x, y in course.tolist()),
                length_m=round(length),
                minutes=math.ceil(length / problem.metres_per_min - 1e-6),
                new_m=round(new_m),
            )
        )
    return found


def _home(streets: _Streets, node: int) -> list[int]:
    """Return the nodes from a node to the start."""
    found = [node]
    while found[-1] != 0:
        found.append(int(streets.before[found[-1]]))
    return found


def _notes(
    problem: CoverageProblem,
    streets: _Streets,
    reach: NDArray[np.bool_],
    needed: int,
    total: float,
    covered: float,
    beyond: float,
    islands: float,
    step_m: float,
) -> tuple[tuple[str, str], ...]:
    found = []
    if needed > problem.patrols:
        left = round(total - beyond - islands - covered)
        found.append(
            (
                f"全域走遍需要 {needed} 班，现有 {problem.patrols} 班，还有约 {left} 米没有走到。",
                f"Walking everything takes {needed} patrols; with {problem.patrols} some {left} m are left.",
            )
        )
    if beyond > 0.5:
        far = streets.away[streets.ends[~reach]].sum(axis=1) + streets.lengths[~reach] + 2 * step_m
        lacking = math.ceil(float(far.max()) / problem.metres_per_min - problem.minutes)
        found.append(
            (
                f"{round(beyond)} 米道路太远，一班走不到再返回，最远处还差 {lacking} 分钟。",
                f"{round(beyond)} m of street lie too far to go and return in one shift: "
                f"the farthest lacks {lacking} minutes.",
            )
        )
    if islands > 0.5:
        found.append(
            (
                f"{round(islands)} 米道路与出发点不连通。请补画相连的步行道。",
                f"{round(islands)} m of street are not joined to the start. Draw the walkways between.",
            )
        )
    return tuple(found)
