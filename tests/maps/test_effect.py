"""Whether a place got better is said only where chance, season and regression cannot say it."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from maps.effect import Counts, Verdict, against, effect, shrunken, wait

MANY = np.array([2, 3, 1, 0, 4, 2, 3, 60, 1, 2, 5, 40, 3, 2, 1])


def measured(place, ring=(20, 20), elsewhere=(400, 400), days=(365, 365), others=MANY):
    return effect(
        Counts(*place),
        Counts(*ring),
        Counts(*elsewhere),
        before_days=days[0],
        after_days=days[1],
        others_before=others,
    )


def test_a_season_that_falls_everywhere_is_no_effect():
    found = measured((60, 30), elsewhere=(400, 200))
    assert found.place.expected == 30.0
    assert found.place.ratio == 1.0
    assert found.verdict is Verdict.UNCLEAR


def test_a_place_that_falls_alone_fell():
    found = measured((60, 20))
    assert found.verdict is Verdict.FELL
    assert found.place.high < 1 < found.ring.high
    assert found.p_anyway < 0.001


def test_a_place_that_rises_alone_rose():
    assert measured((20, 60)).verdict is Verdict.ROSE


def test_the_worst_of_equal_places_falls_by_itself():
    """All places have the same rate; the one that chance put on top goes back to it."""
    equal = np.array([9, 8, 12, 10, 11, 9, 10, 22, 9, 10, 8, 12])
    found = measured((22, 9), elsewhere=(1100, 1080), others=equal)
    assert found.place.p < 0.05
    assert found.anyway < 14
    assert found.verdict is Verdict.FELL_AS_EXPECTED


def test_two_weeks_after_it_is_too_early_to_tell():
    found = measured((12, 0), elsewhere=(400, 15), days=(365, 14))
    assert found.verdict is Verdict.TOO_EARLY
    assert found.wait_days is not None and found.wait_days > 14


def test_the_days_to_wait_are_the_first_at_which_a_complete_end_would_be_told():
    days = wait(12, Counts(400, 0), 365)
    assert days is not None
    for after, told in ((days, True), (days - 7, False)):
        there = round(400 * after / 365)
        found = against(Counts(12, 0), Counts(400, there))
        assert (found.p <= 0.05) is told


def test_a_place_without_a_past_never_tells():
    found = measured((0, 0), others=np.zeros(5, np.int64))
    assert found.verdict is Verdict.TOO_EARLY
    assert found.wait_days is None
    assert math.isnan(found.place.expected)


def test_nothing_elsewhere_tells_nothing():
    found = measured((10, 2), elsewhere=(0, 0))
    assert (found.place.low, found.place.high, found.place.p) == (0.0, math.inf, 1.0)
    assert found.verdict is Verdict.TOO_EARLY


def test_what_moves_next_door_is_seen():
    found = measured((60, 20), ring=(20, 60))
    assert found.quotient == pytest.approx(-1.0)
    assert found.ring.low > 1
    assert measured((60, 20), ring=(20, 10)).quotient > 0
    assert measured((20, 60)).quotient is None


def test_equal_places_shrink_to_their_mean_and_different_ones_keep_what_they_are():
    assert shrunken(12, np.array([10, 9, 11, 10, 12]))[0] == pytest.approx(10.4)
    assert shrunken(60, MANY)[0] == pytest.approx(60, rel=0.06)


def test_of_places_left_alone_at_most_one_in_twenty_is_said_to_have_changed():
    """Poisson counts with a common season: nothing was done anywhere."""
    rng = np.random.default_rng(7)
    wrong, runs = 0, 400
    for _ in range(runs):
        rates = rng.gamma(2.0, 5.0, 40)
        before = rng.poisson(rates)
        after = rng.poisson(rates * 0.7)
        chosen = int(before.argmax())  # as a hotspot is: at its worst
        rest_before, rest_after = before.sum() - before[chosen], after.sum() - after[chosen]
        found = effect(
            Counts(int(before[chosen]), int(after[chosen])),
            Counts(0, 0),
            Counts(int(rest_before), int(rest_after)),
            before_days=365,
            after_days=256,
            others_before=before,
        )
        wrong += found.verdict in (Verdict.FELL, Verdict.ROSE)
    assert binomtest(wrong, runs, 0.05, alternative="greater").pvalue > 0.01


def test_of_places_that_fell_by_two_thirds_most_are_found():
    rng = np.random.default_rng(8)
    found_it, runs = 0, 200
    for _ in range(runs):
        rates = rng.gamma(2.0, 5.0, 40)
        rates[0] = 40.0
        before = rng.poisson(rates)
        after = rng.poisson(np.where(np.arange(40) == 0, rates / 3, rates))
        found = effect(
            Counts(int(before[0]), int(after[0])),
            Counts(0, 0),
            Counts(int(before[1:].sum()), int(after[1:].sum())),
            before_days=365,
            after_days=365,
            others_before=before,
        )
        found_it += found.verdict is Verdict.FELL
    assert found_it >= 0.8 * runs
