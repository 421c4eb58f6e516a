"""The forecast sees nothing of the week it foresees, and mixes its members by what they foresaw."""

import numpy as np

from maps.density import Raster
from maps.forecast import all_members, hits, lag_weights, mixture_weights, shares, smooth_weeks


def test_no_week_sees_itself_or_a_later_one() -> None:
    for member in all_members():
        weight = lag_weights(120, member)
        assert not np.triu(weight).any(), member
        assert weight[119].any(), member


def test_a_half_life_halves() -> None:
    member = next(m for m in all_members() if m.half_life_weeks == 12.0)
    weight = lag_weights(60, member)
    assert np.isclose(weight[40, 39 - 12], weight[40, 39] / 2)


def test_smoothing_keeps_every_incident_of_the_week_and_of_no_other() -> None:
    raster = Raster(0.0, 0.0, 100.0, 20, 20)
    rng = np.random.default_rng(3)
    x, y = rng.uniform(800, 1200, (2, 50))
    week = rng.integers(0, 3, 50)
    mass = smooth_weeks(x, y, week, 3, raster, np.ones((20, 20), bool), 40.0)
    assert np.allclose(mass.sum(axis=1), np.bincount(week, minlength=3), rtol=1e-4)


def test_the_mixture_prefers_who_foresaw_better() -> None:
    rng = np.random.default_rng(5)
    truth = rng.dirichlet(np.full(200, 0.2))
    came = rng.multinomial(300, truth, size=10).astype(np.float32)
    right = np.broadcast_to(truth, (10, 200))
    even = np.full((10, 200), 1 / 200)
    weight = mixture_weights(np.stack([right, even]).astype(np.float32), came)
    assert weight[0] > 0.9
    assert np.isclose(weight.sum(), 1.0)


def test_a_week_without_history_is_foreseen_even() -> None:
    assert np.allclose(shares(np.zeros((1, 4), np.float32)), 0.25)


def test_hits_count_the_cells_of_highest_score() -> None:
    assert hits(np.array([0.1, 0.9, 0.5]), np.array([5.0, 2.0, 1.0]), 2) == 3.0
