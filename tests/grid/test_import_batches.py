"""A file is looked at, committed as one, and undone as one; nothing is guessed in silence."""

import json
import threading
from datetime import date

import geopandas
import openpyxl
import prcoords
import pytest
import shapely
import shapely.affinity
from geoalchemy2.shape import from_shape, to_shape
from pyproj import Transformer
from shapely.geometry import mapping
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from grid.cells import GridCell
from grid.communities import Building, Community, Employer, Estate, ImportBatch, StreetOffice
from grid.coordinates import BD09, GCJ02, CrsNotChosen, Doubt
from grid.errors import NotFound
from grid.imports.batches import batches, commit, undo
from grid.imports.errors import (
    BatchHeld,
    BatchUndone,
    DoubtOpen,
    NoBoundaryYet,
    NoSuchColumn,
    PersonalColumn,
    RowsWrong,
)
from grid.imports.preview import look
from grid.incidents import Incident
from grid.people import Steward
from grid.places import Checkpoint, KeyPlace
from grid.walkways import Walkway

TODAY = date(2026, 11, 23)
CODE = "510304901001"
WEST, SOUTH, EAST, NORTH = 104.765, 29.335, 104.777, 29.346
MIDDLE = (WEST + EAST) / 2
# With the corners of both halves on it: a straight side on the map is not one on the ground.
BOUNDARY = shapely.Polygon(
    [(WEST, SOUTH), (MIDDLE, SOUTH), (EAST, SOUTH), (EAST, NORTH), (MIDDLE, NORTH), (WEST, NORTH)]
)
WGS = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}


def found(session, boundary=BOUNDARY):
    office = StreetOffice(code="510304901", name="试验街道")
    session.add(office)
    session.flush()
    shape = from_shape(shapely.multipolygons([boundary]), 4326) if boundary else None
    community = Community(
        street_office_id=office.id, code=CODE, name="试验社区", boundary=shape, metric_srid=4544
    )
    session.add(community)
    session.flush()
    return community.id


@pytest.fixture
def here(db):
    return found(db)


def house(i, j, size=0.0002):
    """The i-th house from the west and j-th from the south."""
    x, y = WEST + 0.0006 + i * 0.0009, SOUTH + 0.0006 + j * 0.0009
    return shapely.box(x, y, x + size, y + size)


def written(tmp_path, features, crs=WGS, name="x.geojson"):
    path = tmp_path / name
    content = {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": p, "geometry": mapping(s)} for p, s in features
        ],
    }
    if crs:
        content["crs"] = crs
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


def houses(n=12, move=None):
    return [
        (
            {"编码": f"B{i:03d}", "楼号": f"{i + 1}栋", "户数": 10 + i, "人数": 30 + i},
            shapely.transform(house(i % 10, i // 10), move) if move else house(i % 10, i // 10),
        )
        for i in range(n)
    ]


def by(system):
    forward = prcoords.wgs_gcj if system is GCJ02 else prcoords.wgs_bd
    return lambda points: [forward((y, x))[::-1] for x, y in points]


def count(session, table):
    return session.scalar(select(func.count()).select_from(table))


# --- Look, commit, again, undo ---


def test_a_look_stores_nothing_and_a_commit_stores_all_of_it(db, here, tmp_path):
    preview = look(db, written(tmp_path, houses()), "buildings", here)
    assert (preview.new, preview.errors, preview.doubts) == (12, (), ())
    assert count(db, Building) == 0 and batches(db, here) == []
    batch = commit(db, preview, today=TODAY, by="lead")
    assert (batch.rows, batch.source_crs, batch.imported_by) == (12, "EPSG:4326", "lead")
    stored = db.scalars(select(Building).where(Building.source_key == "B003")).one()
    assert (stored.number, stored.households, stored.residents, stored.use) == (
        "4",
        13,
        33,
        "residential",
    )
    assert to_shape(stored.footprint).equals(shapely.multipolygons([house(3, 0)]))


def test_importing_the_same_file_again_changes_nothing(db, here, tmp_path):
    path = written(tmp_path, houses())
    commit(db, look(db, path, "buildings", here), today=TODAY)
    again = look(db, path, "buildings", here)
    assert (again.new, again.unchanged) == (0, 12)
    assert commit(db, again, today=TODAY) is None
    assert count(db, Building) == 12 and len(batches(db, here)) == 1


def test_rows_without_a_key_are_known_again_by_their_place(db, here, tmp_path):
    path = written(tmp_path, [({"楼号": "1"}, house(0, 0)), ({"楼号": "2"}, house(1, 0))])
    commit(db, look(db, path, "buildings", here), today=TODAY)
    assert look(db, path, "buildings", here).unchanged == 2


def test_a_known_key_with_other_content_is_left_alone_and_said(db, here, tmp_path):
    commit(db, look(db, written(tmp_path, houses()), "buildings", here), today=TODAY)
    changed = houses()
    changed[4][0]["户数"] = 999
    preview = look(db, written(tmp_path, changed), "buildings", here)
    assert preview.parts[0].changed == (5,)
    assert any("第 5 行" in n.zh and "先撤销" in n.zh for n in preview.notes)
    assert commit(db, preview, today=TODAY) is None
    assert db.scalar(select(Building.households).where(Building.source_key == "B004")) == 14


def test_a_batch_is_undone_as_one_and_only_once(db, here, tmp_path):
    batch = commit(db, look(db, written(tmp_path, houses()), "buildings", here), today=TODAY)
    assert undo(db, batch.id, here) == 12
    assert count(db, Building) == 0
    assert batches(db, here)[0].undone
    with pytest.raises(BatchUndone):
        undo(db, batch.id, here)
    assert look(db, written(tmp_path, houses()), "buildings", here).new == 12


def test_a_batch_of_another_community_is_not_found(db, here, tmp_path):
    batch = commit(db, look(db, written(tmp_path, houses()), "buildings", here), today=TODAY)
    with pytest.raises(NotFound):
        undo(db, batch.id, here + 1)


def test_undo_is_refused_while_an_incident_refers_to_a_building(db, here, tmp_path):
    batch = commit(db, look(db, written(tmp_path, houses()), "buildings", here), today=TODAY)
    building = db.scalar(select(Building.id).where(Building.source_key == "B001"))
    db.add(Steward(community_id=here, building_id=building, number="S1", name="甲某"))
    db.execute(
        text(
            "INSERT INTO incident (community_id, source, ticket_number, incident_class, category, urgency,"
            " state, description, address, provenance, source_crs, building_id, occurred_at, reported_at)"
            " VALUES (:c, 'hotline', 'T1', 'request', '噪音扰民', 'routine', 'reported', '', '', 'none',"
            " 'EPSG:4326', :b, now(), now())"
        ),
        {"c": here, "b": building},
    )
    with pytest.raises(BatchHeld, match="1 条事件、 1 条小管家"):
        undo(db, batch.id, here)
    assert count(db, Building) == 12
    db.execute(text("DELETE FROM incident"))
    db.execute(text("DELETE FROM steward"))
    assert undo(db, batch.id, here) == 12
    assert count(db, Incident) == 0


def test_an_estate_is_held_by_buildings_that_came_later(db, here, tmp_path):
    estate = written(
        tmp_path,
        [({"小区": "铸钢花园", "物业公司": "嘉通", "类型": "公租房"}, BOUNDARY)],
        name="e.geojson",
    )
    first = commit(db, look(db, estate, "estates", here), today=TODAY)
    second = commit(db, look(db, written(tmp_path, houses()), "buildings", here), today=TODAY)
    row = db.scalars(select(Estate)).one()
    assert row.kind == "public_rental"
    assert db.scalar(select(Employer.name).where(Employer.id == row.employer_id)) == "嘉通"
    # no estate was named: the one they stand in is taken
    assert set(db.scalars(select(Building.estate_id))) == {row.id}
    with pytest.raises(BatchHeld, match="12 条楼栋"):
        undo(db, first.id, here)
    undo(db, second.id, here)
    assert undo(db, first.id, here) == 1
    assert count(db, Employer) == 0


def test_two_commits_of_one_look_at_once_store_it_once(database, tmp_path):
    with Session(database.engine) as session, session.begin():
        here = found(session)
    path = written(tmp_path, [({}, house(i, 0)) for i in range(5)])
    cells = written(tmp_path, [({}, BOUNDARY)], name="cells.geojson")
    ready = threading.Barrier(3)
    made = []

    def work():
        with Session(database.engine) as session, session.begin():
            previews = look(session, path, "buildings", here), look(session, cells, "cells", here)
            ready.wait(10)
            made.extend(commit(session, p, today=TODAY) for p in previews)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Session(database.engine) as session:
        assert (count(session, Building), count(session, GridCell)) == (5, 1)
        assert len(batches(session, here)) == 2
    assert sum(b is not None for b in made) == 2


def test_two_files_of_cells_at_once_both_come_in_with_codes_of_their_own(database, tmp_path):
    with Session(database.engine) as session, session.begin():
        here = found(session)
    paths = [written(tmp_path, [half], name=f"{i}.geojson") for i, half in enumerate(halves())]
    ready = threading.Barrier(2)

    def work(path):
        with Session(database.engine) as session, session.begin():
            preview = look(session, path, "cells", here)
            ready.wait(10)
            commit(session, preview, today=TODAY)

    threads = [threading.Thread(target=work, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Session(database.engine) as session:
        assert set(session.scalars(select(GridCell.code))) == {CODE + "001", CODE + "002"}


def test_ten_thousand_buildings_come_in_fast(db, here, tmp_path):
    import time

    many = [({"编码": str(i)}, house(i % 100 / 10, i // 100 / 10, 0.00005)) for i in range(10_000)]
    path = written(tmp_path, many)
    started = time.perf_counter()
    told = []
    batch = commit(db, look(db, path, "buildings", here), today=TODAY, progress=told.append)
    assert batch.rows == 10_000
    assert time.perf_counter() - started < 20
    assert len(told) == 10 and told[-1] == 1.0


# --- Coordinate traps ---


def test_a_file_without_a_system_waits_for_a_person(db, here, tmp_path):
    preview = look(db, written(tmp_path, houses(100), crs=None), "buildings", here)
    assert preview.system is None and preview.suggested.code == "EPSG:4326"
    assert preview.inside[0][1] == 1.0 > preview.inside[1][1]
    assert preview.parts[0].total == 100 and preview.new == 0
    assert preview.parts[0].sample[0][1]["number"] == "1栋"
    with pytest.raises(CrsNotChosen, match="请先选择"):
        commit(db, preview, today=TODAY)


def test_a_cluster_that_lies_inside_however_it_is_read_is_not_guessed_at(db, here, tmp_path):
    middle = [({}, house(5 + i, 5)) for i in range(3)]
    preview = look(db, written(tmp_path, middle, crs=None), "buildings", here)
    assert preview.doubts == () and preview.suggested is None
    with pytest.raises(CrsNotChosen, match="仅凭位置判断不了"):
        commit(db, preview, today=TODAY)


def test_buildings_on_top_of_others_are_said(db, here, tmp_path):
    commit(db, look(db, written(tmp_path, houses()), "buildings", here), today=TODAY)
    shifted = [
        ({"编码": f"S{i}"}, shapely.affinity.translate(house(i, 0), 0.00005, 0)) for i in range(3)
    ]
    preview = look(db, written(tmp_path, shifted), "buildings", here)
    assert any("3 栋与库中已有的楼栋重叠" in n.zh for n in preview.notes)


@pytest.mark.parametrize("system", [GCJ02, BD09])
def test_a_shifted_file_is_suspected_and_right_once_chosen(db, here, tmp_path, system):
    path = written(tmp_path, houses(60, by(system)), crs=None)
    preview = look(db, path, "buildings", here)
    assert preview.suggested is system
    wrong = look(db, path, "buildings", here, source_crs="EPSG:4326")
    assert wrong.doubts[0].doubt is Doubt.SHIFTED
    with pytest.raises(DoubtOpen, match=system.code):
        commit(db, wrong, today=TODAY, skip_errors=True)
    right = look(db, path, "buildings", here, source_crs=system.code)
    assert right.doubts == ()
    batch = commit(db, right, today=TODAY)
    assert batch.source_crs == system.code
    stored = to_shape(db.scalar(select(Building.footprint).where(Building.source_key == "B000")))
    assert shapely.hausdorff_distance(stored, house(0, 0)) < 1e-8


@pytest.mark.parametrize("swap", [False, True])
def test_zone_prefixed_eastings_are_named_and_read(db, here, tmp_path, swap):
    move = Transformer.from_crs(4326, 4523, always_xy=True)

    def project(points):
        x, y = move.transform(points[:, 0], points[:, 1])
        return list(zip(y, x, strict=True) if swap else zip(x, y, strict=True))

    path = written(tmp_path, houses(20, project), crs=None)
    preview = look(db, path, "buildings", here)
    assert (preview.suggested.code, preview.suggested_swap) == ("EPSG:4523", swap)
    assert "带号 35" in preview.doubts[0].zh
    right = look(db, path, "buildings", here, source_crs="EPSG:4523", swap=swap)
    assert (right.new, right.doubts) == (20, ())


def test_swapped_axes_are_said_and_swapped_back_on_demand(db, here, tmp_path):
    path = written(tmp_path, houses(20, lambda p: p[:, ::-1]))
    preview = look(db, path, "buildings", here)
    assert preview.doubts[0].doubt is Doubt.SWAPPED
    assert len(preview.errors) == 20 and "不是有效的" in preview.errors[0].zh
    assert look(db, path, "buildings", here, swap=True).new == 20


# --- Row traps ---


BOWTIE = shapely.Polygon(
    [(104.770, 29.340), (104.771, 29.341), (104.771, 29.340), (104.770, 29.341)]
)


def test_an_invalid_polygon_is_named_with_its_row_and_the_place(db, here, tmp_path):
    path = written(tmp_path, [*houses(3), ({"编码": "X"}, BOWTIE)])
    preview = look(db, path, "buildings", here)
    (error,) = preview.errors
    assert error.row == 4
    assert "自相交" in error.zh and "104.770500, 29.340500" in error.zh
    with pytest.raises(RowsWrong, match="第 4 行"):
        commit(db, preview, today=TODAY)
    assert count(db, Building) == 0


def test_an_invalid_polygon_can_be_repaired_on_demand_and_that_is_said(db, here, tmp_path):
    preview = look(db, written(tmp_path, [({"编码": "X"}, BOWTIE)]), "buildings", here, repair=True)
    assert preview.errors == () and any("已尝试修复" in n.zh for n in preview.notes)
    commit(db, preview, today=TODAY)
    assert to_shape(db.scalar(select(Building.footprint))).is_valid


def test_a_polygon_outside_the_community_is_an_error_with_its_distance(db, here, tmp_path):
    far = shapely.box(104.79, 29.34, 104.7902, 29.3402)
    preview = look(db, written(tmp_path, [*houses(5), ({"编码": "F"}, far)]), "buildings", here)
    (error,) = preview.errors
    assert error.row == 6 and "不在本社区内，离边界 1,2" in error.zh


def test_one_across_the_boundary_comes_in_and_is_said(db, here, tmp_path):
    across = shapely.box(EAST - 0.0001, 29.34, EAST + 0.0001, 29.3402)
    preview = look(db, written(tmp_path, [({"编码": "A"}, across)]), "buildings", here)
    assert preview.new == 1 and any("跨越社区边界" in n.zh for n in preview.notes)


def test_all_row_errors_are_listed_together_and_can_be_passed_over(db, here, tmp_path):
    rows = houses(6)
    rows[0][0]["户数"] = "十二"
    rows[1][0]["户数"] = -3
    rows[2] = (rows[2][0], shapely.LineString([(104.77, 29.34), (104.771, 29.34)]))
    rows[3] = (rows[3][0], shapely.Point(104.77, 29.34))
    rows[4][0]["编码"] = rows[5][0]["编码"] = "同"
    preview = look(db, written(tmp_path, rows), "buildings", here)
    assert [e.row for e in preview.errors] == [1, 2, 3, 4, 6]
    assert "不是整数" in preview.errors[0].zh and "几何是线，这里需要面" in preview.errors[2].zh
    assert "与第 5 行重复" in preview.errors[4].zh
    batch = commit(db, preview, today=TODAY, skip_errors=True)
    assert (batch.rows, batch.warnings) == (1, 5)


def test_an_unknown_estate_is_an_error_that_says_what_to_do_first(db, here, tmp_path):
    preview = look(db, written(tmp_path, [({"小区": "无名小区"}, house(0, 0))]), "buildings", here)
    assert "请先导入小区" in preview.errors[0].zh


def test_a_house_number_that_excel_made_a_date_is_caught(db, here, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["楼号", "WKT"])
    book.active.append([date(2026, 3, 2), house(0, 0).wkt])
    book.save(tmp_path / "x.xlsx")
    preview = look(db, tmp_path / "x.xlsx", "buildings", here, source_crs="EPSG:4490")
    assert "是日期" in preview.errors[0].zh and preview.errors[0].row == 2


def test_personal_columns_are_neither_shown_nor_stored(db, here, tmp_path):
    rows = [
        (
            {"编码": "1", "户主姓名": "甲某", "联系电话": "13800000000", "身份证号": "5103"},
            house(0, 0),
        )
    ]
    preview = look(db, written(tmp_path, rows), "buildings", here)
    assert any("个人信息" in n.zh and "联系电话" in n.zh for n in preview.notes)
    assert "甲某" not in str(preview.parts[0].sample)
    assert preview.parts[0].columns == ("编码",)
    with pytest.raises(PersonalColumn, match="不能导入"):
        look(db, written(tmp_path, rows), "buildings", here, columns={"name": "户主姓名"})


def test_the_guessed_mapping_can_be_changed(db, here, tmp_path):
    rows = [({"名称": "甲", "别名": "乙"}, house(0, 0))]
    path = written(tmp_path, rows)
    assert look(db, path, "buildings", here).parts[0].mapping["name"] == "名称"
    preview = look(db, path, "buildings", here, columns={"name": "别名"})
    assert preview.parts[0].new[0].values["name"] == "乙"
    assert look(db, path, "buildings", here, columns={"name": ""}).parts[0].mapping["name"] is None
    with pytest.raises(NoSuchColumn):
        look(db, path, "buildings", here, columns={"name": "丙"})


def test_a_community_without_a_boundary_imports_and_says_what_was_not_checked(db, tmp_path):
    here = found(db, boundary=None)
    preview = look(db, written(tmp_path, houses()), "buildings", here)
    assert preview.new == 12 and any("还没有边界" in n.zh for n in preview.notes)


# --- Other targets ---


def halves():
    return [
        ({"名称": "东网格"}, shapely.box(MIDDLE, SOUTH, EAST, NORTH)),
        ({"名称": "西网格"}, shapely.box(WEST, SOUTH, MIDDLE, NORTH)),
    ]


def test_cells_without_codes_are_numbered_west_to_east_and_known_again(db, here, tmp_path):
    path = written(tmp_path, halves())
    preview = look(db, path, "cells", here)
    assert preview.notes == ()
    commit(db, preview, today=TODAY)
    rows = db.execute(select(GridCell.name, GridCell.code, GridCell.valid_from)).all()
    assert {(n, c) for n, c, _ in rows} == {("西网格", CODE + "001"), ("东网格", CODE + "002")}
    assert {day for _, _, day in rows} == {TODAY}
    assert look(db, path, "cells", here).unchanged == 2


def test_cells_that_leave_a_gap_are_said_before_they_are_stored(db, here, tmp_path):
    rows = halves()
    rows[0] = (rows[0][0], shapely.box((WEST + EAST) / 2 + 0.0005, SOUTH, EAST, NORTH))
    preview = look(db, written(tmp_path, rows), "cells", here)
    assert any("空隙" in n.zh for n in preview.notes)


@pytest.mark.parametrize(
    ("code", "words"),
    [("510304901999001", "不是本社区代码"), ("12345", "不是 15 位数字"), (5.10304901001001e14, "")],
)
def test_a_cell_code_must_be_the_communitys_own(db, here, tmp_path, code, words):
    preview = look(db, written(tmp_path, [({"网格编码": code}, BOUNDARY)]), "cells", here)
    assert (words in preview.errors[0].zh) if words else preview.errors == ()


def test_a_retired_code_does_not_come_back(db, here, tmp_path):
    commit(db, look(db, written(tmp_path, halves()), "cells", here), today=TODAY)
    db.execute(text("UPDATE grid_cell SET valid_to = '2027-01-01' WHERE code LIKE '%001'"))
    rows = [({"网格编码": CODE + "001"}, halves()[1][1])]
    preview = look(db, written(tmp_path, rows), "cells", here)
    assert "已停用" in preview.errors[0].zh
    rows[0][0].clear()
    commit(db, look(db, written(tmp_path, rows), "cells", here), today=TODAY)
    assert max(db.scalars(select(GridCell.code))) == CODE + "003"


def test_walkways_in_several_parts_become_several_lines(db, here, tmp_path):
    line = shapely.MultiLineString(
        [[(104.77, 29.34), (104.771, 29.34)], [(104.772, 29.34), (104.773, 29.34)]]
    )
    path = written(tmp_path, [({"osm_id": "w1", "highway": "footway", "name": "小路"}, line)])
    commit(db, look(db, path, "walkways", here), today=TODAY)
    assert set(db.scalars(select(Walkway.source_key))) == {"w1#1", "w1#2"}
    assert look(db, path, "walkways", here).unchanged == 2


def sheet(tmp_path, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    return tmp_path / "t.xlsx"


def test_key_places_and_checkpoints_come_from_a_spreadsheet(db, here, tmp_path):
    path = sheet(
        tmp_path,
        [
            ("重点部位", "类别", "经度", "纬度"),
            ("地下车库入口", "地下车库", 104.77, 29.34),
            ("东侧消防通道", "消防通道", 104.771, 29.341),
        ],
    )
    assert commit(db, look(db, path, "places", here, source_crs="4490"), today=TODAY).rows == 2
    assert dict(db.execute(select(KeyPlace.name, KeyPlace.kind)).all()) == {
        "地下车库入口": "garage",
        "东侧消防通道": "fire_lane",
    }
    path = sheet(
        tmp_path,
        [
            ("点位名称", "停留时间", "经度", "纬度"),
            ("东门岗", "5分钟", 104.77, 29.34),
            ("西门岗", None, 104.769, 29.34),
        ],
    )
    commit(db, look(db, path, "checkpoints", here, source_crs="4490"), today=TODAY)
    assert db.execute(
        select(Checkpoint.code, Checkpoint.name, Checkpoint.dwell_min).order_by(Checkpoint.code)
    ).all() == [("C01", "东门岗", 5), ("C02", "西门岗", 2)]
    assert look(db, path, "checkpoints", here, source_crs="4490").unchanged == 2


def test_buildings_given_as_points_are_refused_with_the_reason(db, here, tmp_path):
    path = sheet(tmp_path, [("楼号", "经度", "纬度"), ("3", 104.77, 29.34)])
    preview = look(db, path, "buildings", here, source_crs="4490")
    assert preview.errors[0].zh == "几何是点，这里需要面"


def test_a_shapefile_in_gbk_comes_in_whole(db, here, tmp_path):
    import zipfile

    frame = geopandas.GeoDataFrame(
        {"楼号": ["1", "2"], "名称": ["甲楼", "乙楼"]},
        geometry=[house(0, 0), house(1, 0)],
        crs=4490,
    )
    (tmp_path / "s").mkdir()
    frame.to_file(tmp_path / "s" / "x.shp", encoding="GBK")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for part in (tmp_path / "s").iterdir():
            if part.suffix != ".cpg":
                archive.write(part, part.name)
    commit(db, look(db, tmp_path / "x.zip", "buildings", here), today=TODAY)
    assert set(db.scalars(select(Building.name))) == {"甲楼", "乙楼"}


EXTRACT = """<osm version="0.6">
 <node id="1" lat="29.3400" lon="104.7700"/><node id="2" lat="29.3400" lon="104.7702"/>
 <node id="3" lat="29.3402" lon="104.7702"/><node id="4" lat="29.3402" lon="104.7700"/>
 <node id="5" lat="29.4000" lon="104.7700"/><node id="6" lat="29.4000" lon="104.7702"/>
 <node id="7" lat="29.4002" lon="104.7702"/>
 <node id="8" lat="29.3405" lon="104.7701"><tag k="barrier" v="gate"/></node>
 <way id="10"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/><tag k="building" v="yes"/></way>
 <way id="11"><nd ref="5"/><nd ref="6"/><nd ref="7"/><nd ref="5"/><tag k="building" v="yes"/></way>
 <way id="12"><nd ref="1"/><nd ref="5"/><tag k="highway" v="footway"/></way>
</osm>"""


def test_of_an_extract_only_what_touches_the_community_comes_in(db, here, tmp_path):
    (tmp_path / "x.osm").write_text(EXTRACT, encoding="utf-8")
    preview = look(db, tmp_path / "x.osm", "osm", here)
    assert preview.errors == ()
    assert {p.target.value: (len(p.new), p.outside) for p in preview.parts} == {
        "buildings": (1, 1), "walkways": (1, 0), "places": (1, 0),
    }  # fmt: skip
    assert commit(db, preview, today=TODAY).rows == 3
    assert look(db, tmp_path / "x.osm", "walkways", here).unchanged == 1
    with pytest.raises(NoBoundaryYet):
        db.execute(text("UPDATE community SET boundary = NULL"))
        db.expire_all()
        look(db, tmp_path / "x.osm", "osm", here)


# --- Real data ---


@pytest.mark.real_data
def test_the_chengdu_extract_fills_a_community_and_empties_it_again(db, real_data):
    here = found(db, shapely.box(103.975, 30.760, 103.990, 30.775))
    preview = look(db, real_data / "chengdu-xipu.osm", "osm", here)
    batch = commit(db, preview, today=TODAY, skip_errors=True)
    assert count(db, Building) > 150 and count(db, Walkway) > 300 and count(db, KeyPlace) >= 10
    assert any("OpenStreetMap" in n.zh for n in preview.notes)
    assert any("在本社区以外" in n.zh for n in preview.notes)
    assert look(db, real_data / "chengdu-xipu.osm", "osm", here).new == 0
    assert undo(db, batch.id, here) == batch.rows
    assert count(db, Building) == count(db, Walkway) == count(db, Estate) == 0


@pytest.mark.real_data
def test_the_real_districts_are_seen_to_be_gcj02(db, real_data):
    from grid.coordinates import geometry_to_wgs84

    districts = json.loads((real_data / "zigong-districts-gcj02.json").read_text())
    daan = next(f for f in districts["features"] if f["properties"]["adcode"] == 510304)
    true = geometry_to_wgs84(shapely.geometry.shape(daan["geometry"]), GCJ02)
    here = found(db, shapely.get_parts(true)[0])
    preview = look(db, real_data / "zigong-districts-gcj02.json", "estates", here)
    assert preview.system is None and len(preview.parts[0].sample) == 6
    with pytest.raises(CrsNotChosen):
        commit(db, preview, today=TODAY)
    assert isinstance(db.scalar(select(func.count()).select_from(ImportBatch)), int)
