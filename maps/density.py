"""Kernel density of incidents on a raster of analysis cells, true at the edge, summing to n.

Binning and a separable Gaussian filter: the kernel sum at every analysis cell, exact for
incidents at cell centres. At the edge of the community the kernel is scaled on both sides so that
it is doubly stochastic on the inside (R. Sinkhorn and P. Knopp, Pacific J. Math. 21 (1967)
343–348; as a smoother: P. Milanfar, SIAM J. Imaging Sci. 6 (2013) 263–284). Two things follow:
the density integrates to the number of incidents, and an even community looks even up to its
edge. Dividing by the kernel's mass inside gives only one of the two, whichever way it is done.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

BALANCE_ROUNDS = 40
BALANCE_TOLERANCE = 1e-4
"""When the scaling of the kernel is even enough: the density of an even community, relative."""

TRUNCATE = 4.0
"""The kernel is cut off at this many bandwidths: 0.006 % of it lies beyond."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Raster:
    """A raster of square analysis cells in metric coordinates (EPSG:4544 or its like)."""

    west: float
    south: float
    """The south-west corner, metres."""
    cell_m: float
    rows: int
    columns: int
    """Row 0 is the southernmost, column 0 the westernmost."""

    @staticmethod
    def over(bounds: tuple[float, float, float, float], cell_m: float) -> "Raster":
        """Return the raster that covers (west, south, east, north) in metres."""
        west, south, east, north = bounds
        columns = max(1, int(np.ceil((east - west) / cell_m)))
        rows = max(1, int(np.ceil((north - south) / cell_m)))
        return Raster(west, south, cell_m, rows, columns)

    def inside(self, area: shapely.Geometry) -> Bools:
        """Return which analysis cells an area reaches into, shape (rows, columns)."""
        column, row = np.meshgrid(np.arange(self.columns), np.arange(self.rows))
        # A millimetre less all round: sharing an edge is not reaching into.
        west = self.west + column * self.cell_m + 1e-3
        south = self.south + row * self.cell_m + 1e-3
        side = self.cell_m - 2e-3
        shapely.prepare(area)
        touched = shapely.intersects(area, shapely.box(west, south, west + side, south + side))
        return np.asarray(touched, bool)

    def bin(self, x: Floats, y: Floats, weight: Floats | None = None) -> Floats:
        """Return the weight of the points in each cell, shape (rows, columns).

        Points off the raster, and points with no place (nan), are left out.
        """
        with np.errstate(invalid="ignore"):
            column = np.floor((np.asarray(x) - self.west) / self.cell_m)
            row = np.floor((np.asarray(y) - self.south) / self.cell_m)
            on = (column >= 0) & (column < self.columns) & (row >= 0) & (row < self.rows)
        flat = row[on].astype(np.int64) * self.columns + column[on].astype(np.int64)
        kept = None if weight is None else np.asarray(weight)[on]
        binned = np.bincount(flat, weights=kept, minlength=self.rows * self.columns)
        return binned.reshape(self.rows, self.columns).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Density:
    """Incidents per km² at every analysis cell; 0 outside the community."""

    raster: Raster
    per_km2: Floats
    """Shape (rows, columns)."""
    n: float
    """Incidents inside the community: what the density integrates to."""
    bandwidth_m: float

    def at(self, x: Floats, y: Floats) -> Floats:
        """Return the density at points in metres, bilinear between cell centres."""
        rows = (np.asarray(y) - self.raster.south) / self.raster.cell_m - 0.5
        columns = (np.asarray(x) - self.raster.west) / self.raster.cell_m - 0.5
        found = map_coordinates(self.per_km2, [rows, columns], order=1, mode="constant", cval=0.0)
        return np.asarray(found, np.float64)


def kernel_density(
    x: Floats,
    y: Floats,
    raster: Raster,
    inside: Bools,
    bandwidth_m: float,
    weight: Floats | None = None,
) -> Density:
    """Return the density of incidents inside a community.

    Parameters
    ----------
    x, y
        Shape (incidents,): metres, the raster's coordinate system; nan where unplaced.
    raster
        The analysis cells.
    inside
        Shape (rows, columns): the analysis cells of the community. Incidents elsewhere are left
        out.
    bandwidth_m
        The Gaussian's standard deviation. A rule of thumb smooths far too much on incidents:
        choose it by what it predicts, 40–80 m within a community.
    weight
        Shape (incidents,), such as a decay with age; 1 each where absent.
    """
    binned = np.where(inside, raster.bin(x, y, weight), 0.0)
    sigma = bandwidth_m / raster.cell_m

    def spread(values: Floats) -> Floats:
        return np.asarray(
            gaussian_filter(values, sigma, mode="constant", cval=0.0, truncate=TRUNCATE),
            np.float64,
        )

    scale, given = _balance(spread, inside)
    per_cell = scale * spread(np.divide(binned, given, out=np.zeros_like(binned), where=inside))
    cell_km2 = (raster.cell_m / 1000.0) ** 2
    return Density(raster, per_cell / cell_km2, float(binned.sum()), bandwidth_m)


def _balance(spread: Callable[[Floats], Floats], inside: Bools) -> tuple[Floats, Floats]:
    """Return the kernel's scaling s, and what to divide a cell's incidents by.

    With K the spreading, s·K·s sums to 1 over targets and over sources, to the tolerance; the
    divisor makes the sum over targets exact: (K s) = 1/s but for what is left of the iteration.
    """
    within = inside.astype(np.float64)
    scale = within.copy()
    reached = within
    for _ in range(BALANCE_ROUNDS):
        reached = spread(scale)
        total = scale * reached
        if np.abs(total[inside] - 1.0).max(initial=0.0) < BALANCE_TOLERANCE:
            break
        scale = np.sqrt(np.divide(scale, reached, out=np.zeros_like(scale), where=inside))
    return scale, np.where(inside, spread(scale), 1.0)
