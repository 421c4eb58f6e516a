"""Did it work? A place before and after patrols were asked for, against what happened elsewhere.

Four questions are kept apart: did the count fall more than the same trouble fell elsewhere (exact
conditional test of the cross ratio, which holds for small counts and takes season and reporting
habits of the whole community into account); would it have fallen anyway, because a place is chosen
when it is at its worst (the forecast of a gamma–Poisson model, shrunken towards the other places);
did it move next door (the same test on the ring around, and the weighted displacement quotient); and
could anything be told by now at all.

Sources: R. A. Fisher, J. R. Statist. Soc. 98 (1935) 39–82 for the exact test and the conditional
interval; K. J. Bowers and S. D. Johnson, J. Quant. Criminol. 19 (2003) 275–301 for the quotient;
E. Hauer, Observational Before–After Studies in Road Safety (1997) for the shrinkage.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.stats import fisher_exact, nbinom
from scipy.stats.contingency import odds_ratio

CONFIDENCE = 0.95
LONGEST_WAIT_DAYS = 730

Ints = NDArray[np.int64]


class Verdict(StrEnum):
    """What can be said."""

    TOO_EARLY = "too_early"
    """Even none at all since would not be told from chance."""
    FELL = "fell"
    FELL_AS_EXPECTED = "fell_as_expected"
    """Fell against elsewhere, but no more than places at their worst fall by themselves."""
    ROSE = "rose"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Counts:
    """Incidents in the days before and after."""

    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Against:
    """One area's change against the comparison's."""

    counts: Counts
    expected: float
    """What the days after would have had if it had gone as elsewhere; nan without a base."""
    ratio: float
    """After ÷ expected; nan without a base."""
    low: float
    high: float
    """The exact 95 % interval of the ratio."""
    p: float


@dataclass(frozen=True, slots=True)
class Effect:
    """What happened at a place, next to it and elsewhere."""

    verdict: Verdict
    before_days: int
    after_days: int
    comparison: Counts
    place: Against
    ring: Against
    anyway: float
    """What was to be expected at the place without doing anything: shrunken towards the others."""
    p_anyway: float
    """P(no more than seen), had nothing been done, by the forecast around ``anyway``."""
    quotient: float | None
    """Weighted displacement quotient: below −1 more moved next door than was gained, above 0 the
    ring gained too. None where the place did not fall."""
    wait_days: int | None
    """Days after the start from which a complete end of it could be told from chance; None when
    never within two years."""


def against(area: Counts, comparison: Counts) -> Against:
    """Return how an area fared against the comparison.

    The counts are taken as Poisson; given the four sums, the cross ratio
    (after ÷ before) ÷ (after ÷ before elsewhere) has Fisher's noncentral hypergeometric law.
    """
    if area.before and comparison.before:
        expected = area.before * comparison.after / comparison.before
    else:
        expected = float("nan")
    table = [[area.after, area.before], [comparison.after, comparison.before]]
    if min(sum(table[0]), sum(table[1])) == 0 or min(map(sum, zip(*table, strict=True))) == 0:
        return Against(area, expected, float("nan"), 0.0, float("inf"), 1.0)
    found = odds_ratio(np.array(table), kind="conditional").confidence_interval(CONFIDENCE)
    p = float(fisher_exact(table).pvalue)
    ratio = area.after / expected if expected and expected == expected else float("nan")
    return Against(area, expected, ratio, float(found.low), float(found.high), p)


def shrunken(n: int, others: Ints) -> tuple[float, float]:
    """Return a place's rate per period and the weight of what it knows, shrunken to the others.

    ``others``: shape (places,), the counts of all comparable places in the same days, this one
    among them. The true rates are taken as gamma with the counts' mean and the variance they have
    beyond Poisson's (method of moments). Returns (expected count, shape of the posterior).
    """
    mean = float(others.mean()) if others.size else float(n)
    beyond = float(others.var(ddof=1)) - mean if others.size > 1 else 0.0
    if mean <= 0.0:
        return float(n), n + 0.5
    if beyond <= 0.0:
        # The places differ no more than chance: each is as the mean.
        return mean, np.inf
    shape, rate = mean**2 / beyond, mean / beyond
    return (shape + n) / (rate + 1.0), shape + n


def _forecast(mean: float, shape: float, seen: int) -> float:
    """Return P(at most ``seen``) for a Poisson count whose rate is gamma of a mean and shape."""
    if mean <= 0.0:
        return 1.0
    if not np.isfinite(shape):
        shape = 1e9
    return float(nbinom.cdf(seen, shape, shape / (shape + mean)))


def _tellable(place: int, comparison: Counts, share: float) -> bool:
    """Say whether none at all at the place, elsewhere as before by ``share``, is beyond chance."""
    there = round(comparison.before * share)
    if not place or not there:
        return False
    return float(fisher_exact([[0, place], [there, comparison.before]]).pvalue) <= 1 - CONFIDENCE


def wait(place_before: int, comparison: Counts, before_days: int) -> int | None:
    """Return the days until a complete end could be told from chance, elsewhere going on as before."""
    for days in range(7, LONGEST_WAIT_DAYS + 1, 7):
        if _tellable(place_before, comparison, days / before_days):
            return days
    return None


def effect(
    place: Counts,
    ring: Counts,
    comparison: Counts,
    *,
    before_days: int,
    after_days: int,
    others_before: Ints,
) -> Effect:
    """Return what happened since patrols were asked for at a place.

    Parameters
    ----------
    place, ring, comparison
        Incidents of the requirement's category at the place, around it, and elsewhere in the
        community. Incidents that patrols found themselves must be left out: more patrols find more.
    before_days, after_days
        How many days each of the two counts took.
    others_before
        Shape (places,): counts before of all places of the same kind, this one among them.
    """
    at_place, around = against(place, comparison), against(ring, comparison)
    trend = comparison.after / comparison.before if comparison.before else after_days / before_days
    base, shape = shrunken(place.before, others_before)
    anyway = base * trend
    p_anyway = _forecast(anyway, shape, place.after)
    return Effect(
        verdict=_verdict(at_place, p_anyway, place, comparison),
        before_days=before_days,
        after_days=after_days,
        comparison=comparison,
        place=at_place,
        ring=around,
        anyway=anyway,
        p_anyway=p_anyway,
        quotient=_quotient(place, ring, comparison),
        wait_days=wait(place.before, comparison, before_days),
    )


def _verdict(at_place: Against, p_anyway: float, place: Counts, comparison: Counts) -> Verdict:
    told = at_place.p <= 1 - CONFIDENCE
    if told and at_place.ratio > 1:
        return Verdict.ROSE
    if told and at_place.ratio < 1:
        return Verdict.FELL if p_anyway <= 1 - CONFIDENCE else Verdict.FELL_AS_EXPECTED
    share = comparison.after / comparison.before if comparison.before else 0.0
    if not _tellable(place.before, comparison, share):
        return Verdict.TOO_EARLY
    return Verdict.UNCLEAR


def _quotient(place: Counts, ring: Counts, comparison: Counts) -> float | None:
    if not (comparison.before and comparison.after):
        return None
    gained = place.after / comparison.after - place.before / comparison.before
    if gained >= 0:
        return None
    moved = ring.after / comparison.after - ring.before / comparison.before
    return moved / gained
