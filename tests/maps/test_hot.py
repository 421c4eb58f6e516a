"""Hot means more than chance, after all the places that were looked at."""

import numpy as np
import pytest
from scipy.stats import false_discovery_control, poisson

from maps.hot import expectation, measure_heat


def test_p_is_the_exact_upper_tail_and_q_is_benjamini_and_hochbergs():
    rng = np.random.default_rng(1)
    n = rng.poisson(2, (3, 40))
    expected = expectation(n, rng.uniform(1, 5, 40))
    heat = measure_heat(n, expected)
    brute = np.array(
        [
            [1 - sum(poisson.pmf(k, m) for k in range(c)) for c, m in zip(row, mu, strict=True)]
            for row, mu in zip(n, expected, strict=True)
        ]
    )
    assert heat.p == pytest.approx(brute, abs=1e-9)
    ranked = np.sort(heat.p.ravel())
    by_hand = np.minimum.accumulate((ranked * ranked.size / np.arange(1, ranked.size + 1))[::-1])
    assert np.sort(heat.q.ravel()) == pytest.approx(by_hand[::-1])
    assert heat.q == pytest.approx(false_discovery_control(heat.p.ravel()).reshape(n.shape))


def test_expectations_share_out_every_incident_by_exposure():
    n = np.array([[4, 0, 8], [1, 1, 1]])
    assert expectation(n, np.array([1.0, 2.0, 3.0])).tolist() == [[2, 4, 6], [0.5, 1, 1.5]]
    assert expectation(n, np.zeros(3)).tolist() == [[4, 4, 4], [1, 1, 1]]


def test_a_planted_place_is_hot_and_its_neighbours_are_not():
    n = np.full((1, 100), 1)
    n[0, 17] = 21
    heat = measure_heat(n, expectation(n, np.ones(100)))
    assert np.flatnonzero(heat.hot[0]).tolist() == [17]
    assert heat.low[0, 17] > 5
    assert heat.ratio[0, 17] == pytest.approx(21 / 1.2)


def test_under_five_nothing_is_hot_however_rare():
    n = np.zeros((1, 2000), int)
    n[0, 3] = 4
    heat = measure_heat(n, expectation(n, np.ones(2000)))
    assert heat.q[0, 3] < 1e-6
    assert not heat.hot.any()


def test_a_big_building_is_not_hot_for_being_big():
    households = np.array([500.0] + [50.0] * 10)
    n = np.array([[50] + [5] * 10])
    assert not measure_heat(n, expectation(n, households)).hot.any()


@pytest.mark.parametrize("rate", [0.02, 0.5, 5.0])
def test_a_community_without_hot_places_seldom_gets_one(rate):
    rng = np.random.default_rng(11)
    exposure = rng.uniform(20, 90, 130)
    share = exposure / exposure.sum()
    alarms = 0
    for _ in range(200):
        n = rng.poisson(rate * 130 * share, (8, 130))
        alarms += bool(measure_heat(n, expectation(n, exposure)).hot.any())
    assert alarms <= 0.06 * 200


def test_the_interval_is_garwoods():
    heat = measure_heat(np.array([[10, 0]]), np.array([[2.0, 1.0]]))
    # The classic table: 10 observed, 4.795 to 18.390; 0 observed, 0 to 3.689.
    assert (heat.low[0, 0] * 2, heat.high[0, 0] * 2) == pytest.approx((4.795, 18.390), abs=1e-3)
    assert (heat.low[0, 1], heat.high[0, 1]) == pytest.approx((0, 3.689), abs=1e-3)


def test_a_place_without_exposure_is_not_judged():
    heat = measure_heat(np.array([[9, 9]]), np.array([[0.0, 18.0]]))
    assert heat.p[0, 0] == 1
    assert not heat.hot.any()
    assert np.isinf(heat.high[0, 0])


def test_nothing_at_all_is_no_error():
    assert not measure_heat(np.zeros((0, 5), int), np.zeros((0, 5))).hot.any()
