"""Score tours of an orienteering file from the file alone; shares no code with engine or readers.

    python -m bench.route_score FILE TOURS

prints one JSON line and ends with 1 if a rule is broken. TOURS holds one node id per line from and
to the depot (a closed tour may leave the last line out), several tours separated by a blank line.
"""

import json
import math
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path

SLACK = 1e-6
"""Files give limits with a few digits; sums of roots never fall on them by chance."""


@dataclass
class RouteScore:
    """What tours collect, how long the longest is, and what they break."""

    score: float = 0.0
    longest: float = 0.0
    limit: float = 0.0
    visited: int = 0
    violations: list[str] = field(default_factory=list)


class _Instance:
    """Node ids from 1: scores, a distance function, limit, walks, start and end."""

    scores: dict[int, float]
    limit: float
    walks: int
    start: int
    end: int
    between: Callable[[int, int], float]

    def __init__(self, text: str) -> None:
        if "DIMENSION" in text.split("SECTION")[0]:
            self._read_oplib(text)
        elif text.split()[0] == "n":
            words = text.split()
            self.walks, self.limit = int(words[3]), float(words[5])
            self._read_points([float(word) for word in words[6:]])
            self.end = len(self.scores)
        else:
            words = text.split()
            self.limit, self.walks = float(words[0]), int(float(words[1]))
            self._read_points([float(word) for word in words[2:]])
            self.end = 2

    def _read_points(self, numbers: list[float]) -> None:
        points = [numbers[k : k + 3] for k in range(0, len(numbers) - 2, 3)]
        self.scores = {k + 1: point[2] for k, point in enumerate(points)}
        self.start = 1
        self.between = lambda a, b: math.dist(points[a - 1][:2], points[b - 1][:2])

    def _read_oplib(self, text: str) -> None:
        fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        fields = {key.strip(): value.strip() for key, value in fields.items()}
        parts = text.split("_SECTION")
        blocks = {parts[k].split()[-1]: parts[k + 1].split() for k in range(len(parts) - 1)}
        n = int(fields["DIMENSION"])
        self.limit, self.walks = float(fields["COST_LIMIT"]), 1
        self.start = self.end = int(blocks["DEPOT"][0])
        listed = blocks["NODE_SCORE"]
        self.scores = {int(listed[2 * k]): float(listed[2 * k + 1]) for k in range(n)}
        kind = fields["EDGE_WEIGHT_TYPE"]
        if kind == "EXPLICIT":
            self.between = _matrix(blocks["EDGE_WEIGHT"], fields["EDGE_WEIGHT_FORMAT"], n)
            return
        listed = blocks["NODE_COORD"]
        spot = {
            int(listed[3 * k]): (float(listed[3 * k + 1]), float(listed[3 * k + 2]))
            for k in range(n)
        }
        length = _LENGTHS[kind]
        self.between = lambda a, b: 0.0 if a == b else length(spot[a], spot[b])


def _matrix(words: list[str], form: str, n: int) -> Callable[[int, int], float]:
    values = iter(words)
    table: dict[tuple[int, int], float] = {}
    for a in range(1, n + 1):
        across = {
            "FULL_MATRIX": range(1, n + 1),
            "UPPER_ROW": range(a + 1, n + 1),
            "UPPER_DIAG_ROW": range(a, n + 1),
            "LOWER_ROW": range(1, a),
            "LOWER_DIAG_ROW": range(1, a + 1),
        }[form]
        for b in across:
            table[a, b] = table[b, a] = float(next(values))
    return lambda a, b: 0.0 if a == b else table[a, b]


def _geo(a: tuple[float, float], b: tuple[float, float]) -> float:
    def radians(value: float) -> float:
        degrees = int(value)
        return 3.141592 * (degrees + 5.0 * (value - degrees) / 3.0) / 180.0

    q1 = math.cos(radians(a[1]) - radians(b[1]))
    q2 = math.cos(radians(a[0]) - radians(b[0]))
    q3 = math.cos(radians(a[0]) + radians(b[0]))
    return int(6378.388 * math.acos(0.5 * ((1.0 + q1) * q2 - (1.0 - q1) * q3)) + 1.0)


_LENGTHS: dict[str, Callable[[tuple[float, float], tuple[float, float]], float]] = {
    "EUC_2D": lambda a, b: int(math.dist(a, b) + 0.5),
    "CEIL_2D": lambda a, b: math.ceil(math.dist(a, b)),
    "ATT": lambda a, b: math.ceil(math.dist(a, b) / math.sqrt(10.0)),
    "GEO": _geo,
}


def score_tours(file: Path, tours: Path) -> RouteScore:
    """Score a file of tours. Raises OSError or ValueError for what cannot be read."""
    instance = _Instance(file.read_text())
    found = RouteScore(limit=instance.limit)
    blocks = [block.split() for block in tours.read_text().split("\n\n") if block.strip()]
    if len(blocks) > instance.walks:
        found.violations.append(f"{len(blocks)} tours instead of at most {instance.walks}")
    seen: set[int] = set()
    for number, block in enumerate(blocks, start=1):
        nodes = [int(word) for word in block]
        if instance.start == instance.end and (len(nodes) == 1 or nodes[-1] != instance.start):
            nodes.append(instance.start)
        strange = [node for node in nodes if node not in instance.scores]
        if strange:
            found.violations.append(f"tour {number}: no node {strange[0]}")
            continue
        if nodes[0] != instance.start or nodes[-1] != instance.end:
            found.violations.append(f"tour {number} does not go from {instance.start} to {instance.end}")  # fmt: skip
        for node in nodes[1:-1]:
            if node in seen or node in {instance.start, instance.end}:
                found.violations.append(f"tour {number}: node {node} is visited twice")
            seen.add(node)
        length = sum(instance.between(a, b) for a, b in pairwise(nodes))
        found.longest = max(found.longest, length)
        if length > instance.limit + SLACK:
            found.violations.append(f"tour {number}: {length:.6f} instead of at most {instance.limit:g}")  # fmt: skip
    ends = {instance.start, instance.end}
    found.score = sum(instance.scores[node] for node in seen | ends)
    found.visited = len(seen)
    return found


def main() -> int:
    """Score what the command line names."""
    if len(sys.argv) != 3:
        print("python -m bench.route_score FILE TOURS", file=sys.stderr)
        return 2
    found = score_tours(Path(sys.argv[1]), Path(sys.argv[2]))
    print(json.dumps(asdict(found)))
    return 1 if found.violations else 0


if __name__ == "__main__":
    raise SystemExit(main())
