"""What is given out states its coordinates, hides small counts, and comes in again unchanged."""

import json

import geopandas
import openpyxl
import pytest
import shapely
from geoalchemy2.shape import to_shape
from sqlalchemy import select, update

from grid.communities import Building, Community, StreetOffice
from grid.export import (
    LABELS,
    ExportCrsUnknown,
    Format,
    Kind,
    NothingToExport,
    OneKindPerFile,
    count,
    read,
    write,
)
from grid.imports.batches import commit
from grid.imports.preview import look
from grid.imports.targets import BUILDING_USES, ESTATE_KINDS, PLACE_KINDS
from grid.imports.values import choice
from tests.conftest import SAMPLE_UNTIL as TODAY

AGAIN = [Kind.BUILDINGS, Kind.ESTATES, Kind.CELLS, Kind.WALKWAYS, Kind.PLACES, Kind.CHECKPOINTS]
"""The kinds that can be imported; zones are drawn from cells."""


def home(session):
    return session.scalars(select(Community)).one()


def twin(session, original):
    """An empty community with the same code and boundary, in another database."""
    office = StreetOffice(code=original.code[:9], name="x")
    session.add(office)
    session.flush()
    made = Community(
        street_office_id=office.id,
        code=original.code,
        name=original.name,
        boundary=original.boundary,
        metric_srid=original.metric_srid,
    )
    session.add(made)
    session.flush()
    return made


@pytest.mark.parametrize("form", list(Format))
@pytest.mark.parametrize("kind", AGAIN)
def test_an_export_is_found_unchanged_when_imported_again(sample, tmp_path, kind, form):
    community = home(sample)
    path = tmp_path / f"x.{form.value}"
    (n,) = write(sample, community.id, [kind], path, day=TODAY).values()
    preview = look(sample, path, kind.value, community.id)
    assert (preview.errors, preview.doubts) == ((), ())
    (part,) = preview.parts
    assert (part.unchanged, part.new, part.changed) == (n, (), ())
    assert preview.declared.code == "EPSG:4326"


@pytest.mark.parametrize("srid", [4490, 4544])
@pytest.mark.parametrize("form", list(Format))
def test_an_export_in_another_system_states_it_and_returns_to_the_same_place(
    sample, tmp_path, form, srid
):
    community = home(sample)
    path = tmp_path / f"x.{form.value}"
    write(sample, community.id, [Kind.BUILDINGS], path, day=TODAY, srid=srid)
    preview = look(sample, path, "buildings", community.id)
    assert preview.declared.epsg == srid
    assert preview.parts[0].changed == () and preview.new == 0


def test_one_geopackage_carries_the_ground_to_another_machine(sample, db, tmp_path):
    here, path = home(sample), tmp_path / "all.gpkg"
    written = write(sample, here.id, list(Kind), path, day=TODAY)
    there = twin(db, here)
    for kind in (
        Kind.ESTATES,
        Kind.BUILDINGS,
        Kind.CELLS,
        Kind.WALKWAYS,
        Kind.PLACES,
        Kind.CHECKPOINTS,
    ):
        preview = look(db, path, kind.value, there.id, layer=kind.value)
        assert commit(db, preview, today=TODAY).rows == written[kind]
        one, other = read(sample, here.id, kind, TODAY), read(db, there.id, kind, TODAY)
        names = [f.name for f in one.fields]
        skip = names.index("valid_from") if "valid_from" in names else None
        assert [[v for i, v in enumerate(r) if i != skip] for r in one.rows] == [
            [v for i, v in enumerate(r) if i != skip] for r in other.rows
        ]
        assert shapely.hausdorff_distance(one.shapes, other.shapes).max() < 1e-9


def test_a_count_of_one_to_four_residents_leaves_no_trace(sample, tmp_path):
    community = home(sample)
    ids = sample.scalars(select(Building.id).order_by(Building.id).limit(3)).all()
    for key, residents in zip(ids, (4, 5, 0), strict=True):
        sample.execute(update(Building).where(Building.id == key).values(residents=residents))
    rows = read(sample, community.id, Kind.BUILDINGS, TODAY)
    at = [f.name for f in rows.fields].index("residents")
    shown = {key: row[at] for key, row in zip(rows.ids, rows.rows, strict=True)}
    assert [shown[key] for key in ids] == [None, 5, 0]


def test_zones_come_with_their_cells_and_one_outline(sample):
    zones = read(sample, home(sample).id, Kind.ZONES, TODAY)
    cells = read(sample, home(sample).id, Kind.CELLS, TODAY)
    listed = [code for row in zones.rows for code in row[3].split("、")]
    assert sorted(listed) == sorted(row[0] for row in cells.rows)
    assert sum(s.area for s in zones.shapes) == pytest.approx(sum(s.area for s in cells.shapes))


def test_the_cells_of_an_export_hold_every_building_once(sample):
    community = home(sample)
    cells = read(sample, community.id, Kind.CELLS, TODAY)
    at = [f.name for f in cells.fields].index("buildings")
    assert sum(row[at] for row in cells.rows) == count(sample, community.id, Kind.BUILDINGS, TODAY)
    assert 1.4e6 < sum(row[3] for row in cells.rows) < 1.6e6


def test_excel_is_chinese_and_a_name_never_becomes_a_formula(sample, tmp_path):
    community = home(sample)
    sample.execute(update(Building).values(name="=1+1"))
    write(sample, community.id, [Kind.BUILDINGS], tmp_path / "x.xlsx", day=TODAY)
    sheet = openpyxl.load_workbook(tmp_path / "x.xlsx")["楼栋"]
    header = [c.value for c in sheet[1]]
    assert header[:5] == ["唯一编码", "小区", "楼号", "名称", "用途"]
    assert header[-3:] == ["经度(EPSG:4326)", "纬度(EPSG:4326)", "几何(WKT, EPSG:4326)"]
    assert (sheet["D2"].value, sheet["D2"].data_type) == ("=1+1", "s")
    about = openpyxl.load_workbook(tmp_path / "x.xlsx")["说明"]
    assert any(r[0].value == "坐标系" and r[1].value == "EPSG:4326" for r in about.rows)


def test_the_words_of_an_export_are_read_back_as_the_same_codes():
    for labels, words in (
        ("use", BUILDING_USES),
        ("estate_kind", ESTATE_KINDS),
        ("place_kind", PLACE_KINDS),
    ):
        assert set(LABELS[labels]) == set(words)
        for code, label in LABELS[labels].items():
            assert choice(words, "other")(label) == code


def test_other_programs_read_the_geopackage_and_the_geojson(sample, tmp_path):
    community = home(sample)
    write(sample, community.id, [Kind.CELLS], tmp_path / "x.gpkg", day=TODAY, srid=4490)
    frame = geopandas.read_file(tmp_path / "x.gpkg")
    assert frame.crs.to_epsg() == 4490 and len(frame.iloc[0]["code"]) == 15
    write(sample, community.id, [Kind.CELLS], tmp_path / "x.geojson", day=TODAY)
    content = json.loads((tmp_path / "x.geojson").read_text())
    assert content["crs"]["properties"]["name"] == "urn:ogc:def:crs:OGC:1.3:CRS84"
    assert geopandas.read_file(tmp_path / "x.geojson").crs.to_epsg(min_confidence=20) == 4326


def test_what_cannot_be_written_is_refused_in_a_sentence(sample, db, tmp_path):
    community = home(sample)
    with pytest.raises(OneKindPerFile):
        write(sample, community.id, list(Kind), tmp_path / "x.geojson", day=TODAY)
    with pytest.raises(ExportCrsUnknown, match="EPSG:4544"):
        write(sample, community.id, [Kind.CELLS], tmp_path / "x.gpkg", day=TODAY, srid=3857)
    with pytest.raises(NothingToExport, match="还没有网格"):
        write(db, twin(db, community).id, [Kind.CELLS], tmp_path / "x.gpkg", day=TODAY)
    assert to_shape(community.boundary).is_valid
