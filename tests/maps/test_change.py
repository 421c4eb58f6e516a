"""Change is shown with its base and an exact interval; from nothing there is no percentage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, poisson

from maps.change import change, rate_ratio


def test_the_community_figures_come_out_with_their_bases():
    calls = change(433, 338)
    assert (calls.base, calls.n, calls.difference) == (433, 338, -95)
    assert round(calls.percent) == -22
    low, high = calls.percent_interval
    assert low < -22 < high < 0
    assert calls.significant
    cases = change(53, 41)
    assert round(cases.percent) == -23
    assert not cases.significant
    assert cases.ratio_low < 1 < cases.ratio_high


def test_from_a_base_of_zero_there_is_no_percentage():
    new = change(0, 9)
    assert new.percent is None
    assert new.percent_interval is None
    assert new.difference == 9
    assert new.significant
    assert new.ratio_high == np.inf


def test_two_zeros_say_nothing():
    nothing = change(0, 0)
    assert (nothing.ratio_low, nothing.ratio_high, nothing.p) == (0.0, np.inf, 1.0)
    assert not nothing.significant


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 400), st.integers(0, 400), st.sampled_from([1.0, 0.5, 12.0]))
def test_the_interval_is_clopper_and_pearsons(base, n, days):
    low, high, p = rate_ratio(np.array([base]), np.array([n]), base_days=1.0, days=days)
    if base + n == 0:
        return
    exact = binomtest(n, base + n).proportion_ci(0.95, method="exact")
    assert low[0] == pytest.approx(exact.low / (1 - exact.low) / days, rel=1e-6)
    if base:
        assert high[0] == pytest.approx(exact.high / (1 - exact.high) / days, rel=1e-6)
    assert (p[0] < 0.05) == (low[0] > 1 or high[0] < 1)


def test_with_equal_spans_p_is_the_two_sided_binomial_test():
    for base, n in ((3, 9), (10, 2), (7, 7), (0, 5)):
        assert change(base, n).p == pytest.approx(binomtest(n, base + n).pvalue, rel=1e-6)


def test_the_interval_holds_the_true_ratio_at_least_as_often_as_it_claims():
    rng = np.random.default_rng(5)
    base, n = rng.poisson(6, 4000), rng.poisson(9, 4000)
    low, high, _ = rate_ratio(base, n)
    held = np.mean((low <= 1.5) & (high >= 1.5))
    assert 0.95 <= held < 0.995


def test_few_significant_changes_where_nothing_changed():
    rng = np.random.default_rng(7)
    rate = rng.gamma(1, 3, 5000)
    _, _, p = rate_ratio(rng.poisson(rate), rng.poisson(rate))
    assert np.mean(p <= 0.05) <= 0.05
    assert poisson.sf(0, 3) > 0.9  # the places are not all empty
