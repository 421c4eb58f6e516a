"""The walk network: lines on the ground made into a graph, and shortest walks between stops.

Coordinates are metres in one projected system throughout. Lines are cut wherever they meet or
cross; of parallel edges only the shortest is kept **before** any sparse matrix is made, because a
CSR constructor adds duplicates up and would make distances too long.
"""

import itertools
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from threading import Lock

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
    spare: tuple[tuple[int, int, Floats], ...] = ()
    """What shortens no walk but is a street all the same: the longer of parallel edges, loops."""

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
        spare: list[tuple[int, int, Floats]] = []
        for (a, b), part in zip(ends.tolist(), parts, strict=True):
            if a == b:
                spare.append((a, b, part))
                continue
            course = part if a < b else part[::-1]
            length = float(np.linalg.norm(np.diff(part, axis=0), axis=1).sum())
            pair = (min(a, b), max(a, b))
            if pair in shortest:
                longer = course if length >= shortest[pair][0] else shortest[pair][1]
                spare.append((*pair, longer))
            if pair not in shortest or length < shortest[pair][0]:
                shortest[pair] = (length, course)
        pairs = sorted(shortest)
        return cls(
            nodes=tips[first],
            ends=np.array(pairs, dtype=np.int64).reshape(-1, 2),
            lengths=np.array([shortest[pair][0] for pair in pairs]),
            lines=tuple(shortest[pair][1] for pair in pairs),
            spare=tuple(spare),
        )

    @cached_property
    def version(self) -> str:
        """The same for the same network: what walks between points are kept by."""
        told = blake2b(self.nodes.tobytes(), digest_size=16)
        told.update(self.ends.tobytes())
        for line in self.lines:
            told.update(line.tobytes())
        return told.hexdigest()

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
class Way:
    """A walk between two points: its course (n, 2), metres, and the streets it takes.

    ``streets`` are edges of the network with the metres walked on each, in order; the steps off
    the network at either end are in ``metres`` but on no street.
    """

    course: Floats
    metres: float
    streets: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class WalkMatrix:
    """Shortest walks between points.

    ``metres`` has shape (k, k), symmetric, 0 on the diagonal, infinite where there is no way; the
    steps off the network at either end are in it.
    """

    points: Floats
    metres: Floats
    off_m: Floats
    """How far each point lies off the network, shape (k,)."""
    _network: WalkNetwork = field(repr=False)
    _first_point: int = field(repr=False)
    _predecessors: Ints = field(repr=False)
    _pairs: Ints = field(repr=False)
    _lengths: Floats = field(repr=False)
    _street: Ints = field(repr=False)
    """The edge of the network that each pair is, or is a part of."""
    _parts: dict[tuple[int, int], Floats] = field(repr=False)
    """The courses of edges that are parts of one."""

    def walk(self, start: int, end: int) -> Floats:
        """Return the course of a shortest walk, shape (n, 2), steps off the network included."""
        return self.way(start, end).course

    def way(self, start: int, end: int) -> Way:
        """Return the shortest way. Raises ValueError where there is none."""
        return self._trace(start, end, self._predecessors[start])

    def ways_around(self, start: int, ends: Sequence[int], factor: Floats) -> list[Way]:
        """Return the best ways where a metre of street e counts as ``factor[e]`` ≥ 1 metres.

        The metres of the ways are true ones: at least those of the shortest.
        """
        graph = _graph(
            self._first_point + len(self.points), self._pairs, self._lengths * factor[self._street]
        )
        _, found = dijkstra(
            graph, directed=False, indices=self._first_point + start, return_predecessors=True
        )
        return [self._trace(start, end, found) for end in ends]

    def _trace(self, start: int, end: int, predecessors: Ints) -> Way:
        if start == end:
            return Way(self.points[[start]], 0.0, ())
        node, first = self._first_point + end, self._first_point + start
        found = [node]
        while node != first:
            node = int(predecessors[node])
            if node < 0:
                raise ValueError(f"there is no walk from point {start} to point {end}")
            found.append(node)
        found.reverse()
        pieces = [self.points[[start]]]
        streets: list[tuple[int, float]] = []
        metres = float(self.off_m[start] + self.off_m[end])
        for a, b in itertools.pairwise(found):
            pair = (min(a, b), max(a, b))
            row = self._row[pair]
            street = int(self._street[row])
            course = self._parts[pair] if pair in self._parts else self._network.lines[street]
            pieces.append(course if a < b else course[::-1])
            streets.append((street, float(self._lengths[row])))
            metres += float(self._lengths[row])
        pieces.append(self.points[[end]])
        line = np.concatenate(pieces)
        moved = np.linalg.norm(np.diff(line, axis=0), axis=1) > 1e-6
        return Way(line[np.concatenate([[True], moved])], metres, tuple(streets))

    @cached_property
    def _row(self) -> dict[tuple[int, int], int]:
        return {(int(a), int(b)): row for row, (a, b) in enumerate(self._pairs)}


_KEPT: OrderedDict[tuple[str, bytes], WalkMatrix] = OrderedDict()
_KEPT_MOST = 64
_KEPT_LOCK = Lock()


def walk_matrix(network: WalkNetwork, points: Floats) -> WalkMatrix:
    """Return the shortest walks between points of shape (k, 2).

    Points are put on the nearest edge, not the nearest node: each becomes a node of its own that
    splits the edge it stands at. What was asked of the same version of a network is kept.
    """
    points = np.ascontiguousarray(np.asarray(points, dtype=float).reshape(-1, 2))
    key = (network.version, points.tobytes())
    with _KEPT_LOCK:
        if key in _KEPT:
            _KEPT.move_to_end(key)
            return _KEPT[key]
    made = _matrix(network, points)
    with _KEPT_LOCK:
        _KEPT[key] = made
        while len(_KEPT) > _KEPT_MOST:
            _KEPT.popitem(last=False)
    return made


def _matrix(network: WalkNetwork, points: Floats) -> WalkMatrix:
    k = len(points)
    none = np.zeros((0, 2), dtype=np.int64)
    if network.is_empty or not k:
        metres = np.full((k, k), np.inf)
        np.fill_diagonal(metres, 0.0)
        nowhere = np.full((k, k), -1, dtype=np.int64)
        return WalkMatrix(
            points, metres, np.zeros(k), network, 0, nowhere, none, np.zeros(0), none[:, 0], {}
        )
    located = network.locate(points)
    first = len(network.nodes)
    pairs, lengths, street, parts = _split(network, located, first)
    graph = _graph(first + k, pairs, lengths)
    indices = np.arange(first, first + k)
    metres, predecessors = dijkstra(
        graph, directed=False, indices=indices, return_predecessors=True
    )
    between = metres[:, indices] + located.off_m[:, None] + located.off_m[None, :]
    np.fill_diagonal(between, 0.0)
    return WalkMatrix(
        points, between, located.off_m, network, first, predecessors, pairs, lengths, street, parts
    )


def _split(
    network: WalkNetwork, located: Located, first: int
) -> tuple[Ints, Floats, Ints, dict[tuple[int, int], Floats]]:
    """Return the edges with every point a node on them.

    Pairs (a < b) with metres and the street each is part of, and the courses of the parts.
    """
    on_edge: dict[int, list[int]] = defaultdict(list)
    for point, edge in enumerate(located.edge.tolist()):
        on_edge[edge].append(point)
    whole = np.ones(len(network.lengths), dtype=bool)
    whole[list(on_edge)] = False
    parts: dict[tuple[int, int], tuple[float, int, Floats]] = {}
    for number, points in on_edge.items():
        a, b = network.ends[number].tolist()
        line = shapely.LineString(network.lines[number])
        points.sort(key=lambda point: float(located.along_m[point]))
        marks = [(a, 0.0)]
        marks += [(first + point, float(located.along_m[point])) for point in points]
        marks.append((b, line.length))
        for (one, start), (other, end) in itertools.pairwise(marks):
            course = shapely.get_coordinates(_piece(line, start, end))
            pair = (min(one, other), max(one, other))
            # A zero would be no edge at all to a sparse matrix: points at one spot are 1 mm apart.
            length = max(end - start, 1e-3)
            if pair not in parts or length < parts[pair][0]:
                parts[pair] = (length, number, course if one < other else course[::-1])
    kept = sorted(parts)
    pairs = np.concatenate([network.ends[whole], np.array(kept, dtype=np.int64).reshape(-1, 2)])
    lengths = np.concatenate([network.lengths[whole], [parts[pair][0] for pair in kept]])
    street = np.concatenate([np.flatnonzero(whole), [parts[pair][1] for pair in kept]])
    courses = {pair: parts[pair][2] for pair in kept}
    return pairs, np.maximum(lengths, 1e-3), street.astype(np.int64), courses


def _piece(line: shapely.LineString, start_m: float, end_m: float) -> shapely.LineString:
    """Return the part of a line between two distances along it."""
    coordinates = shapely.get_coordinates(line)
    along = np.concatenate([[0.0], np.linalg.norm(np.diff(coordinates, axis=0), axis=1).cumsum()])
    inner = coordinates[(along > start_m + 1e-9) & (along < end_m - 1e-9)]
    first, last = line.interpolate(start_m), line.interpolate(end_m)
    return shapely.LineString([(first.x, first.y), *map(tuple, inner), (last.x, last.y)])
