"""Orienteering files read for the engine and its peers: OPLib, Chao/Tsiligirides, team orienteering.

The formats are described beside the files. Nodes are numbered from 0 here, from 1 in the files.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scheduling.core.routes.orienteering import Orienteering

EARTH_KM = 6378.388
"""TSPLIB's, for EDGE_WEIGHT_TYPE GEO."""


@dataclass(frozen=True)
class RouteFile:
    """An instance: distances (n, n), scores (n,), the walks' limit, where they start and end."""

    name: str
    distance: NDArray[np.float64]
    score: NDArray[np.float64]
    limit: float
    walks: int
    start: int
    end: int

    @property
    def ends_score(self) -> float:
        """What start and end themselves score: every tour has it."""
        return float(sum(self.score[node] for node in {self.start, self.end}))

    def problem(self) -> Orienteering:
        """Return it as the engine takes it."""
        n = len(self.score)
        return Orienteering(
            walk=self.distance,
            stay=np.zeros(n),
            prize=self.score[:, None].copy(),
            starts=(self.start,) * self.walks,
            ends=(self.end,) * self.walks,
            begin=(0.0,) * self.walks,
            end=(self.limit,) * self.walks,
        )


def is_route_file(file: Path) -> bool:
    """Whether a file is an instance, and no note or solution beside one."""
    if file.suffix == ".oplib":
        return True
    if file.suffix != ".txt":
        return False
    head = file.read_text(errors="replace")[:200].split()
    return len(head) > 2 and (head[0] == "n" or (_number(head[0]) and _number(head[1])))


def _number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def read_route_file(file: Path) -> RouteFile:
    """Read an instance. Raises OSError, or ValueError, KeyError, IndexError for what is none."""
    text = file.read_text()
    if file.suffix == ".oplib" or "DIMENSION" in text[:400]:
        return _oplib(file.stem, text)
    rows = [line.split() for line in text.splitlines() if line.split()]
    if rows[0][0] == "n":
        head = {row[0].lower(): row[1] for row in rows[:3]}
        points = np.array([[float(v) for v in row[:3]] for row in rows[3 : 3 + int(head["n"])]])
        return _flat(file.stem, points, float(head["tmax"]), int(head["m"]), len(points) - 1)
    points = np.array([[float(v) for v in row[:3]] for row in rows[1:]])
    walks = int(float(rows[0][1])) if len(rows[0]) > 1 else 1
    return _flat(file.stem, points, float(rows[0][0]), walks, 1)


def _flat(name: str, points: NDArray[np.float64], limit: float, walks: int, end: int) -> RouteFile:
    distance = np.hypot(*(points[:, None, :2] - points[None, :, :2]).transpose(2, 0, 1))
    return RouteFile(name, distance, points[:, 2].copy(), limit, walks, 0, end)


def _oplib(name: str, text: str) -> RouteFile:
    head: dict[str, str] = {}
    sections: dict[str, list[list[str]]] = {}
    into: list[list[str]] | None = None
    for line in text.splitlines():
        words = line.split()
        if not words or words == ["EOF"]:
            continue
        if words[0].endswith("_SECTION"):
            into = sections.setdefault(words[0], [])
        elif ":" in line and not _number(words[0]):
            key, _, value = line.partition(":")
            head[key.strip()] = value.strip()
        elif into is not None:
            into.append(words)
    n = int(head["DIMENSION"])
    score = np.zeros(n)
    for words in sections["NODE_SCORE_SECTION"]:
        score[int(words[0]) - 1] = float(words[1])
    depot = int(sections["DEPOT_SECTION"][0][0]) - 1
    limit = float(head["COST_LIMIT"])
    return RouteFile(name, _distances(head, sections, n), score, limit, 1, depot, depot)


def _distances(
    head: dict[str, str], sections: dict[str, list[list[str]]], n: int
) -> NDArray[np.float64]:
    """Return TSPLIB's distances: whole numbers, rounded as each kind asks for."""
    kind = head["EDGE_WEIGHT_TYPE"]
    if kind == "EXPLICIT":
        flat = [float(v) for row in sections["EDGE_WEIGHT_SECTION"] for v in row]
        return _explicit(flat, head["EDGE_WEIGHT_FORMAT"], n)
    places = np.zeros((n, 2))
    for words in sections["NODE_COORD_SECTION"]:
        places[int(words[0]) - 1] = [float(words[1]), float(words[2])]
    if kind == "GEO":
        return _geo(places)
    apart = np.hypot(*(places[:, None] - places[None, :]).transpose(2, 0, 1))
    if kind == "EUC_2D":
        return np.asarray(np.floor(apart + 0.5), np.float64)
    if kind == "CEIL_2D":
        return np.asarray(np.ceil(apart), np.float64)
    if kind == "ATT":
        return np.asarray(np.ceil(apart / math.sqrt(10.0)), np.float64)
    raise ValueError(f"EDGE_WEIGHT_TYPE {kind}")


def _geo(places: NDArray[np.float64]) -> NDArray[np.float64]:
    whole = np.trunc(places)
    angle = 3.141592 * (whole + 5.0 * (places - whole) / 3.0) / 180.0
    lat, lon = angle[:, 0], angle[:, 1]
    q1 = np.cos(lon[:, None] - lon[None, :])
    q2 = np.cos(lat[:, None] - lat[None, :])
    q3 = np.cos(lat[:, None] + lat[None, :])
    found = np.floor(EARTH_KM * np.arccos(0.5 * ((1 + q1) * q2 - (1 - q1) * q3)) + 1.0)
    np.fill_diagonal(found, 0.0)
    return np.asarray(found)


def _explicit(flat: list[float], form: str, n: int) -> NDArray[np.float64]:
    found = np.zeros((n, n))
    if form == "FULL_MATRIX":
        return np.array(flat).reshape(n, n)
    shift = 0 if "DIAG" in form else 1
    if form.startswith("UPPER"):
        pairs = [(i, j) for i in range(n) for j in range(i + shift, n)]
    elif form.startswith("LOWER"):
        pairs = [(i, j) for i in range(n) for j in range(i + 1 - shift)]
    else:
        raise ValueError(f"EDGE_WEIGHT_FORMAT {form}")
    for (i, j), value in zip(pairs, flat, strict=True):
        found[i, j] = found[j, i] = value
    return found


def write_tours(file: RouteFile, routes: list[list[int]], out: Path) -> None:
    """Write tours: one node id per line from start to end, several separated by a blank line."""
    tours = [[file.start, *route, file.end] for route in routes]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join("".join(f"{node + 1}\n" for node in tour) for tour in tours))
