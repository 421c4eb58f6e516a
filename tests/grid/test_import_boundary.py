"""A community's boundary comes from one area of a file, in a stated system."""

import json

import pytest
import shapely
from geoalchemy2.shape import to_shape
from shapely.geometry import mapping
from sqlalchemy import select

from grid.communities import Community, StreetOffice
from grid.coordinates import CrsNotChosen
from grid.imports.boundary import BadBoundary, SeveralAreas, set_boundary

HERE = shapely.box(104.765, 29.335, 104.777, 29.346)
CGCS = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}


@pytest.fixture
def home(db):
    office = StreetOffice(code="510304901", name="试验街道")
    db.add(office)
    db.flush()
    community = Community(
        street_office_id=office.id, code="510304901001", name="甲", metric_srid=4545
    )
    db.add(community)
    db.flush()
    return community


def written(tmp_path, shapes, crs=CGCS):
    path = tmp_path / "x.geojson"
    content = {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": {"名称": name}, "geometry": mapping(shape)}
            for name, shape in shapes.items()
        ],
    }
    if crs:
        content["crs"] = crs
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


def test_one_area_becomes_the_boundary_and_names_the_metric_zone(db, home, tmp_path):
    done = set_boundary(db, home, written(tmp_path, {"甲": HERE}))
    assert (done.metric_srid, done.source_crs, done.previous) == (4544, "EPSG:4490", None)
    assert 1.40e6 < done.area_m2 < 1.43e6
    assert to_shape(db.scalar(select(Community.boundary))).equals(shapely.multipolygons([HERE]))
    again = set_boundary(
        db, home, written(tmp_path, {"甲": shapely.box(104.765, 29.335, 104.77, 29.346)})
    )
    assert again.previous == shapely.multipolygons([HERE]).wkt


def test_of_several_areas_one_must_be_named(db, home, tmp_path):
    path = written(tmp_path, {"甲": HERE, "乙": shapely.box(104.777, 29.335, 104.78, 29.346)})
    with pytest.raises(SeveralAreas, match="甲、乙"):
        set_boundary(db, home, path)
    assert set_boundary(db, home, path, feature="乙").area_m2 < 0.5e6
    with pytest.raises(SeveralAreas):
        set_boundary(db, home, path, feature="丙")


def test_a_boundary_without_a_system_is_asked_about(db, home, tmp_path):
    path = written(tmp_path, {"甲": HERE}, crs=None)
    with pytest.raises(CrsNotChosen):
        set_boundary(db, home, path)
    moved = set_boundary(db, home, path, source_crs="GCJ-02")
    assert moved.source_crs == "GCJ-02"
    shift = to_shape(home.boundary).centroid.distance(HERE.centroid)
    assert 0.003 < shift < 0.005


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (
            shapely.Polygon(
                [(104.77, 29.34), (104.771, 29.341), (104.771, 29.34), (104.77, 29.341)]
            ),
            "自相交",
        ),
        (shapely.LineString([(104.77, 29.34), (104.771, 29.341)]), "几何是线"),
        (shapely.box(104, 29, 105, 30), "像区县"),
        (shapely.box(29.335, 104.765, 29.346, 104.777), "放反"),
    ],
)
def test_what_cannot_be_a_boundary_is_refused(db, home, tmp_path, shape, words):
    with pytest.raises(BadBoundary, match=words):
        set_boundary(db, home, written(tmp_path, {"甲": shape}))
    assert home.boundary is None


@pytest.mark.real_data
def test_a_real_district_is_not_taken_for_a_community(db, home, real_data):
    path = real_data / "zigong-districts-gcj02.json"
    with pytest.raises(BadBoundary, match="像区县"):
        set_boundary(db, home, path, source_crs="GCJ-02", feature="510304")
