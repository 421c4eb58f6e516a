"""The ground that routes are measured on: real walkways where they are at hand, else made streets."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.data import ROOT
from scheduling.core.network import WalkNetwork
from scheduling.core.route import Place, Stop

Lines = tuple[tuple[tuple[float, float], ...], ...]


@dataclass(frozen=True)
class Ground:
    """Walkways in metres, what they are, and the network they make."""

    name: str
    lines: Lines
    network: WalkNetwork

    def draw(
        self, stops: int, around_m: float, drawn: np.random.Generator, middle: int | None = None
    ) -> tuple[Place, tuple[Stop, ...]]:
        """Return a police room and stops on corners within a distance of a node, or of the middle.

        Few places hold most of the risk, as everywhere.
        """
        main = self.network.nodes[self.network.component == 0]
        centre = np.median(main, axis=0) if middle is None else main[middle]
        away = np.linalg.norm(main - centre, axis=1)
        near = main[np.argsort(away, kind="stable")[: max(stops + 1, int((away < around_m).sum()))]]
        spots = near[drawn.choice(len(near), min(stops + 1, len(near)), replace=False)]
        risk = np.maximum(1, np.round(40 / np.arange(1, len(spots)) ** 0.6)).astype(int)
        return Place(name="警务室", x=float(spots[0, 0]), y=float(spots[0, 1])), tuple(
            Stop(
                key=str(n), name=str(n), x=float(x), y=float(y),
                dwell_min=int(drawn.integers(2, 6)), required=False, prize=int(risk[n]),
            )
            for n, (x, y) in enumerate(spots[1:])
        )  # fmt: skip


def bench_ground() -> Ground:
    """Return the map extract beside the project (``XUNGE_REAL_DATA``), or a grid of streets."""
    data = Path(os.environ.get("XUNGE_REAL_DATA") or ROOT.parent / "shared" / "data")
    file = data / "chengdu-xipu.osm"
    if file.is_file():
        from grid.imports.osm import read_osm
        from grid.metric import Metric

        metric = Metric(4544)
        shapes = [metric.to(shape) for shape in read_osm(file).walkways.shapes()]
        lines: Lines = tuple(tuple((x, y) for x, y, *_ in shape.coords) for shape in shapes)
        return Ground(file.stem, lines, WalkNetwork.from_lines(lines))
    marks = [100.0 * k for k in range(15)]
    made: Lines = tuple(((0.0, mark), (1400.0, mark)) for mark in marks)
    made += tuple(((mark, 0.0), (mark, 1400.0)) for mark in marks)
    return Ground("grid", made, WalkNetwork.from_lines(made))
