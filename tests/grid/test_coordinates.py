"""Whatever a file is in becomes WGS 84, or a sentence."""

import json
import warnings

import numpy as np
import prcoords
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Geod, Transformer

from grid.coordinates import (
    BD09,
    CGCS2000,
    GCJ02,
    MERCATOR,
    SYSTEMS,
    WGS84,
    CrsRefused,
    CrsUnknown,
    Doubt,
    fits,
    geometry_to_wgs84,
    metric_srid,
    source_system,
    suspect,
    system_of_wkt,
    to_wgs84,
)

GEOD = Geod(ellps="WGS84")
# Inhabited China, away from the edge where the shift formulas themselves break off.
LON = st.floats(74.0, 134.5)
LAT = st.floats(18.5, 53.0)
HERE = shapely.box(104.765, 29.335, 104.777, 29.346)
"""About 1.2 km each way, at the site."""


def apart_m(lon, lat, lon2, lat2):
    return float(GEOD.inv(lon, lat, lon2, lat2)[2])


def shifted(points, system):
    forward = prcoords.wgs_gcj if system is GCJ02 else prcoords.wgs_bd
    return np.array([forward((lat, lon))[::-1] for lon, lat in points])


@pytest.mark.parametrize("system", [GCJ02, BD09])
@settings(max_examples=200, deadline=None)
@given(lon=LON, lat=LAT)
def test_undoing_the_shift_returns_within_two_millimetres(system, lon, lat):
    (x, y) = shifted([(lon, lat)], system)[0]
    back_lon, back_lat = to_wgs84([x], [y], system)
    assert apart_m(lon, lat, back_lon[0], back_lat[0]) <= 0.002


def test_the_shift_at_the_site_is_411_m():
    x, y = shifted([(104.771, 29.34)], GCJ02)[0]
    assert apart_m(104.771, 29.34, x, y) == pytest.approx(411, abs=1)


@settings(max_examples=15, deadline=None)
@given(lon=LON, lat=LAT)
def test_a_3_degree_zone_round_trips_and_its_prefix_names_it(lon, lat):
    plain = metric_srid(lon)
    prefixed = SYSTEMS[f"EPSG:{plain - 21}"]
    assert abs(CRS.from_epsg(plain).to_cf()["longitude_of_central_meridian"] - lon) <= 1.5
    for system in (SYSTEMS[f"EPSG:{plain}"], prefixed):
        x, y = Transformer.from_crs(4326, system.epsg, always_xy=True).transform(lon, lat)
        assert fits(x, y, system)
        back = to_wgs84([x], [y], system)
        assert apart_m(lon, lat, back[0][0], back[1][0]) <= 0.001
    assert str(int(x))[:2] in prefixed.zh


def test_the_site_is_measured_in_4544_and_its_prefixed_twin_is_4523():
    assert metric_srid(104.77) == 4544
    assert "第35带" in SYSTEMS["EPSG:4523"].zh


def test_every_system_offered_is_the_one_its_words_say():
    for system in SYSTEMS.values():
        if system.epsg and 4491 <= system.epsg <= 4554:
            crs = CRS.from_epsg(system.epsg)
            meridian = crs.to_cf()["longitude_of_central_meridian"]
            assert f"{meridian:.0f}°" in system.zh
            easting = crs.to_cf()["false_easting"]
            assert (easting > 1_000_000) == ("带号 " in system.zh)
            assert "CGCS2000" in crs.name
            assert ("3-degree" in crs.name) == ("3-degree" in system.en)


def test_what_does_not_fit_becomes_nan_and_never_a_place():
    lon, lat = to_wgs84([104.77, 29.34, np.nan], [29.34, 104.77, 29.0], GCJ02)
    assert np.isfinite(lon[0]) and np.isnan(lon[1:]).all() and np.isnan(lat[1:]).all()


def test_nothing_warns_about_points_outside_china():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        to_wgs84([-90.2], [38.6], GCJ02)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("4490", "EPSG:4490"),
        ("epsg:4523", "EPSG:4523"),
        ("urn:ogc:def:crs:EPSG::4490", "EPSG:4490"),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326"),
        ("gcj02", "GCJ-02"),
        ("百度", "BD-09"),
        ("CGCS2000", "EPSG:4490"),
    ],
)
def test_a_system_is_known_by_its_usual_names(name, code):
    assert source_system(name).code == code


@pytest.mark.parametrize("name", ["EPSG:4214", "2433", "EPSG:21418", "北京54", "Beijing 1954"])
def test_beijing_54_is_refused_with_the_way_out(name):
    with pytest.raises(CrsRefused, match=r"北京54.*转换为 CGCS2000"):
        source_system(name)


@pytest.mark.parametrize("epsg", [4214, 2433, 4610, 2363])
def test_an_old_datum_is_refused_in_a_prj_too(epsg):
    for version in ("WKT1_ESRI", "WKT2_2019"):
        with pytest.raises(CrsRefused):
            system_of_wkt(CRS.from_epsg(epsg).to_wkt(version))


@pytest.mark.parametrize("epsg", [4326, 4490, 4523, 4544, 4502, 3857])
def test_a_prj_of_ours_is_recognised(epsg):
    for version in ("WKT1_ESRI", "WKT2_2019"):
        assert system_of_wkt(CRS.from_epsg(epsg).to_wkt(version)).epsg == epsg


@pytest.mark.parametrize("name", ["EPSG:32648", "EPSG:999999", "本地坐标系", ""])
def test_a_system_not_ours_is_named_in_the_refusal(name):
    with pytest.raises(CrsUnknown, match="请从列表中选择"):
        source_system(name)


def test_a_geometry_keeps_its_shape_and_loses_its_height():
    ring = shapely.Polygon([(104.77, 29.34, 5), (104.771, 29.34, 5), (104.771, 29.341, 5)])
    moved = geometry_to_wgs84(shapely.transform(ring, lambda p: shifted(p, GCJ02)), GCJ02)
    assert not moved.has_z
    assert shapely.hausdorff_distance(moved, shapely.force_2d(ring)) < 1e-7


# --- Doubt ---


def scattered(n=60, seed=1):
    dice = np.random.default_rng(seed)
    west, south, east, north = HERE.bounds
    return np.column_stack([dice.uniform(west, east, n), dice.uniform(south, north, n)])


def projected(points, epsg):
    return np.column_stack(
        Transformer.from_crs(4326, epsg, always_xy=True).transform(points[:, 0], points[:, 1])
    )


def test_points_where_they_should_be_raise_no_doubt():
    assert suspect(scattered(), HERE) == []
    assert suspect(scattered(), HERE, chosen=CGCS2000) == []


@pytest.mark.parametrize("system", [GCJ02, BD09])
def test_a_shifted_file_is_suspected_by_name(system):
    (doubt,) = suspect(shifted(scattered(), system), HERE)
    assert (doubt.doubt, doubt.likely, doubt.swap) == (Doubt.SHIFTED, system, False)
    assert doubt.inside < doubt.inside_if == 1.0
    assert system.code in doubt.zh and "请核对来源" in doubt.zh


def test_a_true_file_declared_as_shifted_is_suspected_the_other_way():
    (doubt,) = suspect(scattered(), HERE, chosen=GCJ02)
    assert doubt.likely is WGS84


def test_swapped_axes_are_said():
    (doubt,) = suspect(scattered()[:, ::-1], HERE)
    assert (doubt.doubt, doubt.swap) == (Doubt.SWAPPED, True)
    assert "放反" in doubt.zh and doubt.inside_if == 1.0
    assert suspect(scattered()[:, ::-1], HERE, chosen=WGS84, swap=True) == []


def test_swapped_and_shifted_are_seen_together():
    (doubt,) = suspect(shifted(scattered(), GCJ02)[:, ::-1], HERE)
    assert (doubt.doubt, doubt.swap, doubt.likely) == (Doubt.SWAPPED, True, GCJ02)


def test_zone_prefixed_eastings_name_their_zone():
    (doubt,) = suspect(projected(scattered(), 4523), HERE)
    assert (doubt.doubt, doubt.likely.code) == (Doubt.PREFIXED, "EPSG:4523")
    assert "带号 35" in doubt.zh


def test_prefixed_eastings_in_a_file_that_declares_none_are_said():
    (doubt,) = suspect(projected(scattered(), 4523), HERE, chosen=SYSTEMS["EPSG:4544"])
    assert doubt.likely.code == "EPSG:4523"


def test_the_survey_order_north_before_east_is_seen():
    (doubt,) = suspect(projected(scattered(), 4523)[:, ::-1], HERE)
    assert (doubt.likely.code, doubt.swap) == ("EPSG:4523", True)
    assert "北坐标在前" in doubt.zh


def test_metres_without_a_system_are_said_and_tried_against_the_community():
    (doubt,) = suspect(projected(scattered(), 4544), HERE)
    assert (doubt.doubt, doubt.likely.code) == (Doubt.METRES, "EPSG:4544")
    (doubt,) = suspect(projected(scattered(), 4544), None)
    assert doubt.likely is None and "无法从数字判断" in doubt.zh


def test_web_mercator_is_known():
    (doubt,) = suspect(projected(scattered(), 3857), HERE)
    assert doubt.likely is MERCATOR


def test_another_town_is_said_with_its_distance():
    (doubt,) = suspect(scattered() + np.array([1.0, 0.5]), HERE)
    assert doubt.doubt is Doubt.ELSEWHERE
    assert "112" in doubt.zh or "111" in doubt.zh


def test_numbers_of_no_system_are_said():
    (doubt,) = suspect(np.full((5, 2), 7.0), HERE)
    assert doubt.doubt is Doubt.NOT_IN_CHINA and doubt.likely is None
    assert suspect(np.empty((0, 2)), HERE) == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(allow_nan=True), st.floats(allow_nan=True)), min_size=0, max_size=5
    )
)
def test_no_numbers_break_the_doubt(points):
    for doubt in suspect(np.array(points, dtype=float).reshape(-1, 2), HERE):
        assert doubt.zh.endswith("。") and doubt.en.endswith(".")


@pytest.mark.real_data
def test_real_boundaries_in_gcj02_are_suspected(real_data):
    districts = json.loads((real_data / "zigong-districts-gcj02.json").read_text())
    shape = next(
        shapely.geometry.shape(f["geometry"])
        for f in districts["features"]
        if f["properties"]["adcode"] == 510304
    )
    true = geometry_to_wgs84(shape, GCJ02)
    (doubt,) = suspect(shapely.get_coordinates(shape), true)
    assert doubt.likely is GCJ02
    assert suspect(shapely.get_coordinates(true), true) == []
