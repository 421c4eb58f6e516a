"""The density is the kernel sum, gives back what the edge would lose, and integrates to n."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from maps.density import Raster, kernel_density

L_SHAPE = shapely.Polygon([(0, 0), (600, 0), (600, 300), (300, 300), (300, 600), (0, 600)])


def density_of(x, y, area=L_SHAPE, bandwidth=60.0, cell=10.0):
    raster = Raster.over(area.bounds, cell)
    inside = raster.inside(area)
    return kernel_density(np.array(x, float), np.array(y, float), raster, inside, bandwidth), inside


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-50, 650), st.floats(-50, 650)), max_size=40),
    st.floats(15, 200),
)
def test_it_integrates_to_the_incidents_inside(points, bandwidth):
    x, y = [p[0] for p in points], [p[1] for p in points]
    found, inside = density_of(x, y, bandwidth=bandwidth)
    binned = found.raster.bin(np.array(x), np.array(y))
    assert found.n == binned[inside].sum()
    assert found.per_km2.sum() * 1e-4 == pytest.approx(found.n, rel=1e-9, abs=1e-12)
    assert (found.per_km2[~inside] == 0).all()
    assert (found.per_km2 >= 0).all()


def test_far_from_the_edge_it_is_the_gaussian_kernel_sum():
    square = shapely.box(0, 0, 2000, 2000)
    points = np.array([[995.0, 1005.0], [1105.0, 945.0], [1005.0, 1005.0]])
    found, _ = density_of(*points.T, area=square, bandwidth=60)
    x, y = np.meshgrid(np.arange(5, 2000, 10), np.arange(5, 2000, 10))
    brute = sum(np.exp(-((x - px) ** 2 + (y - py) ** 2) / 7200) for px, py in points)
    assert found.per_km2 == pytest.approx(brute / (7200 * np.pi) * 1e6, abs=0.2)


def test_an_even_community_is_not_cooler_at_its_edge():
    x, y = np.meshgrid(np.arange(5, 600, 10), np.arange(5, 600, 10))
    keep = shapely.contains_xy(L_SHAPE, x, y)
    found, inside = density_of(x[keep], y[keep])
    assert found.per_km2[inside] == pytest.approx(10_000, rel=1e-3)


def test_everything_at_one_point_and_everything_outside():
    found, _ = density_of([105.0] * 500, [105.0] * 500)
    assert found.n == 500
    assert np.unravel_index(found.per_km2.argmax(), found.per_km2.shape) == (10, 10)
    nothing, _ = density_of([500.0, np.nan], [500.0, np.nan])
    assert nothing.n == 0
    assert not nothing.per_km2.any()


def test_weights_count_as_fractions():
    raster = Raster.over(L_SHAPE.bounds, 10)
    inside = raster.inside(L_SHAPE)
    x, y = np.array([100.0, 200.0]), np.array([100.0, 200.0])
    found = kernel_density(x, y, raster, inside, 40, np.array([0.25, 0.5]))
    assert found.n == pytest.approx(0.75)


def test_the_density_at_a_point_is_that_of_its_cell():
    found, _ = density_of([105.0], [105.0])
    assert found.at(np.array([105.0]), np.array([105.0]))[0] == pytest.approx(found.per_km2.max())
    assert found.at(np.array([-500.0]), np.array([0.0]))[0] == 0


def test_a_cell_the_boundary_only_touches_counts_as_inside():
    raster = Raster.over((0, 0, 100, 100), 10)
    inside = raster.inside(shapely.box(0, 0, 42, 100))
    assert inside[:, :5].all()
    assert not inside[:, 5:].any()
