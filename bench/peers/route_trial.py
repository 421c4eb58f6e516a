"""What every route peer's command takes: a file, seconds, a seed, and where its tours go."""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.route_files import RouteFile, read_route_file, write_tours

FINE = 1000
"""Peers count in whole numbers: real distances in thousandths, rounded up as the limit is down."""


class RouteTrial:
    """One run of one peer on one file."""

    def __init__(self) -> None:
        parser = argparse.ArgumentParser()
        parser.add_argument("file", type=Path)
        parser.add_argument("--seconds", type=float, default=20.0)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--out", type=Path, required=True)
        asked = parser.parse_args()
        self.instance: RouteFile = read_route_file(asked.file)
        self.seconds: float = asked.seconds
        self.seed: int = asked.seed
        self.out: Path = asked.out
        distance = self.instance.distance
        scale = 1 if np.array_equal(distance, np.round(distance)) else FINE
        self.distance: NDArray[np.int64] = np.ceil(distance * scale - 1e-9).astype(np.int64)
        self.limit = int(np.floor(self.instance.limit * scale + 1e-9))
        ends = {self.instance.start, self.instance.end}
        self.stops = [node for node in range(len(self.instance.score)) if node not in ends]
        self.started = time.monotonic()

    def finish(self, routes: list[list[int]]) -> None:
        """Write the tours and say how long they took."""
        seconds = time.monotonic() - self.started
        write_tours(self.instance, routes, self.out)
        print(json.dumps({"seconds": round(seconds, 2)}))
