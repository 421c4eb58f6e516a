"""The walk network: lines on the ground made into a graph, and shortest walks between stops.

Coordinates are metres in one projected system throughout. Lines are cut wherever they meet or
cross; of parallel edges only the shortest is kept **before** any sparse matrix is made, because a
CSR constructor adds duplicates up and would make distances too long.
"""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SNAP_M = 0.1
"""Ends closer than this are one node; finer than any survey of a footpath."""


@dataclass(frozen=True)
class Island:
    """A part of the network that cannot be walked to from its largest part."""

    length_m: float
    x: float
    y: float


@dataclass(frozen=True)
class WalkNetwork:
    """An undirected graph of walkable lines.

    ``nodes`` has shape (n, 2); ``ends`` (m, 2) holds the node numbers of each edge's ends and
    ``lengths`` (m,) its metres; ``lines`` are the edges' own courses, from first end to second.
    """

    nodes: Floats
    ends: Ints
    lengths: Floats
    lines: tuple[Floats, ...]

    @classmethod
    def from_lines(
        cls, lines: Sequence[Floats] | Sequence[Sequence[tuple[float, float]]]
    ) -> "WalkNetwork":
        """Node, snap and simplify lines of shape (k, 2), k ≥ 2; others are passed over."""
        usable = [np.asarray(line, dtype=float) for line in lines]
        usable = [line for line in usable if line.ndim == 2 and len(line) >= 2]
        if not usable:
            return cls(np.zeros((0, 2)), np.zeros((0, 2), dtype=np.int64), np.zeros(0), ())
        merged = shapely.union_all([shapely.LineString(line) for line in usable], grid_size=SNAP_M)
        parts = [
            shapely.get_coordinates(part)
            for part in shapely.get_parts(shapely.node(merged))
            if part.length > 0
        ]
        return cls._from_parts(parts)

    @classmethod
    def _from_parts(cls, parts: Sequence[Floats]) -> "WalkNetwork":
        tips = np.array([[part[0], part[-1]] for part in parts]).reshape(-1, 2)
        _, first, number = np.unique(
            np.round(tips / SNAP_M).astype(np.int64), axis=0, return_index=True, return_inverse=True
        )
        ends = number.reshape(-1, 2).astype(np.int64)
        shortest: dict[tuple[int, int], tuple[float, Floats]] = {}
        for (a, b), part in zip(ends.tolist(), parts, strict=True):
            if a == b:
                continue  # a loop back to its own start shortens no walk
            course = part if a < b else part[::-1]
            length = float(np.linalg.norm(np.diff(part, axis=0), axis=1).sum())
            pair = (min(a, b), max(a, b))
            if pair not in shortest or length < shortest[pair][0]:
                shortest[pair] = (length, course)
        pairs = sorted(shortest)
        return cls(
            nodes=tips[first],
            ends=np.array(pairs, dtype=np.int64).reshape(-1, 2),
            lengths=np.array([shortest[pair][0] for pair in pairs]),
            lines=tuple(shortest[pair][1] for pair in pairs),
        )

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to walk on."""
        return len(self.lines) == 0

    @cached_property
    def component(self) -> Ints:
        """The number of each node's connected part, shape (n,); 0 is the longest part."""
        graph = _graph(len(self.nodes), self.ends, self.lengths)
        count, label = connected_components(graph, directed=False)
        length = np.bincount(label[self.ends[:, 0]], weights=self.lengths, minlength=count)
        rank = np.empty(count, dtype=np.int64)
        rank[np.argsort(-length, kind="stable")] = np.arange(count)
        found: Ints = rank[label]
        return found

    @cached_property
    def islands(self) -> tuple[Island, ...]:
        """Every part but the longest, longest first."""
        if self.is_empty:
            return ()
        part = self.component[self.ends[:, 0]]
        found = []
        for number in range(1, int(part.max()) + 1):
            where = np.flatnonzero(part == number)
            if len(where):
                x, y = self.lines[where[0]][0]
                found.append(Island(float(self.lengths[where].sum()), float(x), float(y)))
        return tuple(found)

    @property
    def main_share(self) -> float:
        """The longest part's share of all metres, 0..1."""
        total = float(self.lengths.sum())
        return 1.0 - sum(island.length_m for island in self.islands) / total if total else 0.0

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree([shapely.LineString(line) for line in self.lines])

    def locate(self, points: Floats) -> "Located":
        """Find the nearest place on any edge for points of shape (k, 2); k may be 0."""
        spots = shapely.points(np.asarray(points, dtype=float).reshape(-1, 2))
        edge = self._tree.nearest(spots).astype(np.int64)
        course = self._tree.geometries[edge]
        return Located(
            edge=edge,
            along_m=np.asarray(shapely.line_locate_point(course, spots)),
            off_m=np.asarray(shapely.distance(course, spots)),
        )


@dataclass(frozen=True)
class Located:
    """Places on the network: the edge, metres along it from its first end, metres off it."""

    edge: Ints
    along_m: Floats
    off_m: Floats


def _graph(n: int, ends: Ints, lengths: Floats) -> csr_array:
    """Return the matrix of an edge list that holds every pair once."""
    return csr_array((lengths, (ends[:, 0], ends[:, 1])), shape=(n, n))


@dataclass(frozen=True)
class WalkMatrix:
    """Shortest walks between points.

    ``metres`` has shape (k, k), symmetric, 0 on the diagonal, infinite where there is no way; the
    steps off the network at either end are in it.
    """

    points: Floats
    metres: Floats
    _predecessors: Ints = field(repr=False)
    _first_stop: int = field(repr=False)
    _courses: dict[tuple[int, int], Floats] = field(repr=False)

    def walk(self, start: int, end: int) -> Floats:
        """Return the course of a walk as coordinates of shape (n, 2), off-network steps included."""
        if start == end:
            return self.points[[start]]
        node = self._first_stop + end
        found = [node]
        while node != self._first_stop + start:
            node = int(self._predecessors[start, node])
            if node < 0:
                raise ValueError(f"there is no walk from point {start} to point {end}")
            found.append(node)
        found.reverse()
        pieces = [self.points[[start]]]
        for a, b in itertools.pairwise(found):
            course = self._courses[min(a, b), max(a, b)]
            pieces.append(course if a < b else course[::-1])
        pieces.append(self.points[[end]])
        line = np.concatenate(pieces)
        moved = np.linalg.norm(np.diff(line, axis=0), axis=1) > 1e-6
        walked: Floats = line[np.concatenate([[True], moved])]
        return walked


def walk_matrix(network: WalkNetwork, points: Floats) -> WalkMatrix:
    """Return the shortest walks between points of shape (k, 2).

    Points are put on the nearest edge, not the nearest node: each becomes a node of its own that
    splits the edge it stands at.
    """
    points = np.asarray(points, dtype=float).reshape(-1, 2)
    if network.is_empty or not len(points):
        metres = np.full((len(points), len(points)), np.inf)
        np.fill_diagonal(metres, 0.0)
        return WalkMatrix(points, metres, np.zeros((0, 0), dtype=np.int64), 0, {})
    located = network.locate(points)
    first_stop = len(network.nodes)
    edges = _split(network, located, first_stop)
    pairs = np.array(sorted(edges), dtype=np.int64)
    # A zero would be no edge at all to a sparse matrix: two stops at one spot are 1 mm apart.
    lengths = np.array([max(edges[a, b][0], 1e-3) for a, b in pairs.tolist()])
    graph = _graph(first_stop + len(points), pairs, lengths)
    indices = np.arange(first_stop, first_stop + len(points))
    metres, predecessors = dijkstra(
        graph, directed=False, indices=indices, return_predecessors=True
    )
    between = metres[:, indices] + located.off_m[:, None] + located.off_m[None, :]
    np.fill_diagonal(between, 0.0)
    courses = {pair: course for pair, (_, course) in edges.items()}
    return WalkMatrix(points, between, predecessors.astype(np.int64), first_stop, courses)


def _split(
    network: WalkNetwork, located: Located, first_stop: int
) -> dict[tuple[int, int], tuple[float, Floats]]:
    """Return the edges with every stop a node on them: (a < b) → (metres, course from a to b)."""
    on_edge: dict[int, list[int]] = defaultdict(list)
    for stop, edge in enumerate(located.edge.tolist()):
        on_edge[edge].append(stop)
    edges: dict[tuple[int, int], tuple[float, Floats]] = {}

    def add(a: int, b: int, length: float, course: Floats) -> None:
        pair = (min(a, b), max(a, b))
        if pair not in edges or length < edges[pair][0]:
            edges[pair] = (length, course if a < b else course[::-1])

    for number, (a, b) in enumerate(network.ends.tolist()):
        stops = on_edge.get(number)
        if not stops:
            add(a, b, float(network.lengths[number]), network.lines[number])
            continue
        line = shapely.LineString(network.lines[number])
        stops.sort(key=lambda stop: float(located.along_m[stop]))
        marks = [(a, 0.0)]
        marks += [(first_stop + stop, float(located.along_m[stop])) for stop in stops]
        marks.append((b, line.length))
        for (one, start), (other, end) in itertools.pairwise(marks):
            course = shapely.get_coordinates(_piece(line, start, end))
            add(one, other, end - start, course)
    return edges


def _piece(line: shapely.LineString, start_m: float, end_m: float) -> shapely.LineString:
    """Return the part of a line between two distances along it."""
    coordinates = shapely.get_coordinates(line)
    along = np.concatenate([[0.0], np.linalg.norm(np.diff(coordinates, axis=0), axis=1).cumsum()])
    inner = coordinates[(along > start_m + 1e-9) & (along < end_m - 1e-9)]
    first, last = line.interpolate(start_m), line.interpolate(end_m)
    return shapely.LineString([(first.x, first.y), *map(tuple, inner), (last.x, last.y)])
