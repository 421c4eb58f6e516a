"""Is a place hot, or is it chance? An exact Poisson test of each place, with false discoveries held.

A place is expected to have its share of the community's incidents, by its exposure (households,
metres of walkway). Its count is tested against that expectation with the upper tail of the
Poisson distribution, and the p-values of all places tested together are adjusted by
Y. Benjamini and Y. Hochberg, J. R. Statist. Soc. B 57 (1995) 289–300: of the places called hot,
about one in twenty is so by chance. The interval of a place's ratio is Garwood's (F. Garwood,
Biometrika 28 (1936) 437–442).

Getis–Ord z-scores are not used: at a community's counts they are not calibrated.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv
from scipy.stats import false_discovery_control, poisson

from maps.counts import LEAST_FOR_HOT

FALSE_DISCOVERIES = 0.05
"""The share of places called hot that may be so by chance."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Heat:
    """The test of every place, arrays of one shape."""

    n: Ints
    expected: Floats
    """What the community's rate would give the place."""
    p: Floats
    """P(at least n | expected)."""
    q: Floats
    """p adjusted over all places tested together."""
    low: Floats
    high: Floats
    """The 95 % interval of the place's rate ÷ the community's; infinite where nothing is expected."""

    @property
    def hot(self) -> NDArray[np.bool_]:
        """Which places are called hot."""
        return (self.q <= FALSE_DISCOVERIES) & (self.n >= LEAST_FOR_HOT)

    @property
    def ratio(self) -> Floats:
        """Count ÷ expectation; not a number where neither is there."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.n / self.expected, np.float64)


def expectation(n: Ints, exposure: Floats) -> Floats:
    """Return what each place would have if all incidents fell by exposure.

    Parameters
    ----------
    n
        Shape (categories, places).
    exposure
        Shape (places,): not negative, any unit. Where nobody has entered any, places are alike.

    Returns
    -------
    Shape (categories, places); each row sums to the row's incidents.
    """
    total = float(exposure.sum())
    share = exposure / total if total > 0 else np.full(exposure.shape, 1 / max(1, exposure.size))
    return np.asarray(n.sum(axis=1, keepdims=True) * share, np.float64)


def measure_heat(n: Ints, expected: Floats) -> Heat:
    """Test every place of every category at once: one family of tests.

    Parameters
    ----------
    n, expected
        Of one shape. A place where nothing is expected and something happened is left to
        judgement: its p is 1, because a test with no exposure says nothing.
    """
    n = np.asarray(n, np.int64)
    known = expected > 0
    p = np.where(known, poisson.sf(n - 1, np.where(known, expected, 1.0)), 1.0)
    q = false_discovery_control(p.ravel()).reshape(p.shape) if p.size else p.copy()
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(n > 0, gammaincinv(np.maximum(n, 1), 0.025), 0.0) / expected
        high = gammaincinv(n + 1.0, 0.975) / expected
    return Heat(n, expected, p, q, np.where(known, low, 0.0), np.where(known, high, np.inf))
