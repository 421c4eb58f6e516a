"""Year on year (同比): base, difference, percentage only where there is a base, exact interval.

Two counts of rare events in two spans of time are taken as Poisson. Given their sum, the later
one is binomial with a probability that is a plain function of the ratio of the two rates, so the
Clopper–Pearson interval of that probability is an exact interval of the ratio.

Sources: J. Przyborowski and H. Wilenski, Biometrika 31 (1940) 313–323, for the conditional test;
C. J. Clopper and E. S. Pearson, Biometrika 26 (1934) 404–413, for the interval.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv
from scipy.stats import binom

CONFIDENCE = 0.95

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Change:
    """How one count stands to its base."""

    base: int
    """n of the period before."""
    n: int
    """n of this period."""
    ratio_low: float
    ratio_high: float
    """The 95 % interval of this period's rate ÷ the rate before; high may be infinite."""
    p: float

    @property
    def difference(self) -> int:
        """How many more (or fewer) than before."""
        return self.n - self.base

    @property
    def percent(self) -> float | None:
        """The change in per cent; None from a base of 0, which has no percentage."""
        return 100.0 * self.difference / self.base if self.base else None

    @property
    def percent_interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the change in per cent; None from a base of 0."""
        if not self.base:
            return None
        return 100.0 * (self.ratio_low - 1.0), 100.0 * (self.ratio_high - 1.0)

    @property
    def significant(self) -> bool:
        """Whether chance alone would seldom (1 in 20) move the count this far."""
        return self.p <= 1.0 - CONFIDENCE


def rate_ratio(
    base: Ints, n: Ints, *, base_days: float = 1.0, days: float = 1.0
) -> tuple[Floats, Floats, Floats]:
    """Return the exact interval of the rate ratio and the p-value of no change.

    Parameters
    ----------
    base, n
        Shape (places,): counts of the period before and of this one.
    base_days, days
        Lengths of the two periods, in the same unit.

    Returns
    -------
    low, high, p
        Each shape (places,). Interval and p agree: the interval leaves out 1 where p < 0.05.
        Two zeros give (0, ∞, 1): nothing is known.
    """
    base = np.asarray(base, np.int64)
    n = np.asarray(n, np.int64)
    total = base + n
    tail = (1.0 - CONFIDENCE) / 2.0
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(n > 0, betaincinv(np.maximum(n, 1), base + 1, tail), 0.0)
        high = np.where(base > 0, betaincinv(n + 1, np.maximum(base, 1), 1.0 - tail), 1.0)
        scale = base_days / days
        ratio_low = low / (1.0 - low) * scale
        ratio_high = np.where(high >= 1.0, np.inf, high / (1.0 - high) * scale)
    even = days / (days + base_days)
    p = 2.0 * np.minimum(binom.cdf(n, total, even), binom.sf(n - 1, total, even))
    return ratio_low, ratio_high, np.minimum(p, 1.0)


def change(base: int, n: int, *, base_days: float = 1.0, days: float = 1.0) -> Change:
    """Return how one count stands to its base."""
    low, high, p = rate_ratio(np.array([base]), np.array([n]), base_days=base_days, days=days)
    return Change(int(base), int(n), float(low[0]), float(high[0]), float(p[0]))
