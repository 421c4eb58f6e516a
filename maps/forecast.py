"""Where next week's incidents will fall: an ensemble of decayed densities, fitted on what it foresaw.

Every member of the ensemble is one kernel in space and one in time over past weeks: a Gaussian of
some bandwidth, and an exponential decay of some half-life (or the same season of last year, or
all history alike). Short bandwidths with long half-lives are long-run counts, short half-lives
are near repeats. Each member says what share of next week's incidents falls into each cell; the
ensemble is their mixture. The weights are those under which the incidents that came were most
likely, in weeks each foreseen from the weeks before it alone (stacking by predictive likelihood:
D. H. Wolpert, Neural Networks 5 (1992) 241–259), found by expectation–maximisation
(A. P. Dempster, N. M. Laird and D. B. Rubin, J. R. Statist. Soc. B 39 (1977) 1–38).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from maps.density import Raster

BANDWIDTHS_M = (15.0, 40.0, 80.0, 150.0, 300.0, 800.0)
HALF_LIVES_WEEKS = (1.0, 4.0, 12.0, 30.0, 60.0, 150.0)
FINE = 5
"""A cell is divided into this many by this many for smoothing: the kernel is integrated over it."""
SEASON_WEEKS = 52
SEASON_SPREAD_WEEKS = 3.0
MIXTURE_ROUNDS = 300
FLOOR = 1e-9
"""The least share a mixture gives a cell, so that no incident is impossible."""

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the ensemble."""

    bandwidth_m: float
    half_life_weeks: float
    """Infinite: all history alike."""
    seasonal: bool = False
    """Only the same weeks of earlier years, the half-life then unused."""


def all_members() -> tuple[Member, ...]:
    """Return the members an ensemble is made of."""
    decayed = [Member(h, life) for h in BANDWIDTHS_M for life in HALF_LIVES_WEEKS]
    return (*decayed, *(Member(h, np.inf, seasonal=True) for h in (40.0, 150.0, 300.0)))


def smooth_weeks(
    x: Floats, y: Floats, week: Ints, weeks: int, raster: Raster, area: Bools, bandwidth_m: float
) -> Singles:
    """Return the kernel mass of each week's incidents in each cell of the area.

    Parameters
    ----------
    x, y
        Shape (incidents,): metres in the raster's coordinates.
    week
        Shape (incidents,): 0 is the first; those outside 0 … weeks − 1 are left out.
    weeks
        How many weeks there are.
    raster
        The analysis cells.
    area
        Shape (rows, columns): the cells asked about, K of them.
    bandwidth_m
        Standard deviation of the Gaussian.

    Returns
    -------
    Shape (weeks, K): linear in the incidents, so any decay in time is a matrix product of it.
    """
    fine = Raster(
        raster.west, raster.south, raster.cell_m / FINE, raster.rows * FINE, raster.columns * FINE
    )
    sigma = bandwidth_m / fine.cell_m
    mass = np.zeros((weeks, int(area.sum())), np.float32)
    for w in range(weeks):
        of_week = week == w
        spread = gaussian_filter(
            fine.bin(x[of_week], y[of_week]).astype(np.float32), sigma, mode="constant"
        )
        blocks = spread.reshape(raster.rows, FINE, raster.columns, FINE).sum(axis=(1, 3))
        mass[w] = blocks[area]
    return mass


def lag_weights(weeks: int, member: Member) -> Singles:
    """Return the weight of each week in the forecast of each: shape (weeks, weeks).

    Row t is the forecast of week t; it is 0 from column t on: no week sees itself or a later one.
    """
    lag = np.arange(weeks)[:, None] - np.arange(weeks)[None, :]
    if member.seasonal:
        off = (lag + SEASON_WEEKS // 2) % SEASON_WEEKS - SEASON_WEEKS // 2
        weight = np.exp(-0.5 * (off / SEASON_SPREAD_WEEKS) ** 2) * (lag > SEASON_WEEKS // 2)
    else:
        weight = 0.5 ** ((np.maximum(lag, 1) - 1) / member.half_life_weeks)
    return np.where(lag >= 1, weight, 0.0).astype(np.float32)


def shares(forecast: Singles) -> Singles:
    """Return each row as shares of its sum; a row of nothing is even."""
    total = forecast.sum(axis=-1, keepdims=True)
    even = np.float32(1.0 / forecast.shape[-1])
    return np.where(total > 0, forecast / np.where(total > 0, total, 1.0), even).astype(np.float32)


def mixture_weights(members: Singles, came: NDArray[np.float32]) -> Floats:
    """Return the weights under which what came was most likely.

    Parameters
    ----------
    members
        Shape (members, weeks, K): each member's shares for each week, from earlier weeks alone.
    came
        Shape (weeks, K): incidents of these weeks.

    Returns
    -------
    Shape (members,): not negative, of sum 1.
    """
    where = came > 0
    said = members[:, where].astype(np.float64) + FLOOR
    n = came[where].astype(np.float64)
    weight = np.full(len(members), 1.0 / len(members))
    if not n.size:
        return weight
    for _ in range(MIXTURE_ROUNDS):
        mixed = weight @ said
        weight = weight * (said @ (n / mixed)) / n.sum()
    return np.asarray(weight / weight.sum(), np.float64)


def hits(score: Floats, came: Floats, most: int) -> float:
    """Return how many incidents fall into the `most` cells of highest score; ties in cell order."""
    top = np.argsort(-score, kind="stable")[:most]
    return float(came[top].sum())
