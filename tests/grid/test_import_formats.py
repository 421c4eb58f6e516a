"""Every format is read for what it is, and every trap is a sentence."""

import json
import sqlite3
import struct
import zipfile

import geopandas
import numpy as np
import openpyxl
import pytest
import shapely
from shapely.geometry import mapping

from grid.coordinates import CrsRefused
from grid.imports.errors import (
    CoordinateColumnsUnknown,
    FileBroken,
    FileEmpty,
    FileTooLarge,
    FormatUnknown,
    LayerNotChosen,
    NoSuchColumn,
    NotSpatial,
    ShapefileIncomplete,
    WrongKind,
    XmlUnsafe,
    ZipUnsafe,
)
from grid.imports.lonlat import coordinate
from grid.imports.sources import read_layer

NAMES = ["铸钢花园1栋", "铸钢花园2栋"]
SHAPES = [
    shapely.box(104.770, 29.340, 104.7703, 29.3402),
    shapely.box(104.771, 29.341, 104.7713, 29.3412),
]


def frame(crs="EPSG:4490"):
    return geopandas.GeoDataFrame(
        {"名称": NAMES, "户数": [60, 72]}, geometry=SHAPES, crs=4326
    ).to_crs(crs)


def shapefile(tmp_path, *, crs="EPSG:4490", encoding="UTF-8", leave_out=(), rename=None):
    folder = tmp_path / "shp"
    folder.mkdir()
    made = frame(crs).rename(columns=rename or {})
    # written with an ASCII stand-in for the name, then patched: GDAL will not cut a character
    made.to_file(folder / "楼栋.shp", encoding=encoding)
    path = tmp_path / "楼栋.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(folder.iterdir()):
            if part.suffix not in leave_out:
                archive.write(part, part.name)
    return path


def geojson(tmp_path, features=None, name="x.geojson", **top):
    features = features or [
        {"type": "Feature", "properties": {"名称": n}, "geometry": mapping(s)}
        for n, s in zip(NAMES, SHAPES, strict=True)
    ]
    path = tmp_path / name
    content = {"type": "FeatureCollection", "features": features, **top}
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


KML = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>铸钢花园1栋</name>
<ExtendedData><Data name="户数"><value>60</value></Data></ExtendedData>
<Polygon><outerBoundaryIs><LinearRing><coordinates>104.770,29.340,0 104.7703,29.340,0
104.7703,29.3402,0 104.770,29.3402,0 104.770,29.340,0</coordinates></LinearRing></outerBoundaryIs></Polygon>
</Placemark><Placemark><name>空</name></Placemark></Document></kml>"""


# --- GeoJSON ---


def test_a_geojson_without_a_crs_declares_none(tmp_path):
    layer = read_layer(geojson(tmp_path))
    assert layer.declared is None
    assert [f.values["名称"] for f in layer.features] == NAMES


def test_a_geojson_crs_member_is_believed(tmp_path):
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}
    assert read_layer(geojson(tmp_path, crs=crs)).declared.code == "EPSG:4490"
    crs["properties"]["name"] = "EPSG:4610"
    with pytest.raises(CrsRefused, match="西安80"):
        read_layer(geojson(tmp_path, crs=crs))


def test_malformed_features_are_listed_together_by_row(tmp_path):
    bad = [
        {"type": "Feature", "properties": {}, "geometry": None},
        {"type": "Feature", "properties": None, "geometry": {"type": "Polygon", "coordinates": [[[1, 2]]]}},
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": ["东", "北"]}},
        {"type": "Feature", "geometry": {"type": "Curve", "coordinates": []}},
        {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": []}},
        "nonsense",
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [104.77, 29.34]}},
    ]  # fmt: skip
    layer = read_layer(geojson(tmp_path, bad))
    assert [e.row for e in layer.errors] == [1, 2, 3, 4, 5, 6]
    assert layer.features[6].shape is not None


def test_a_truncated_geojson_is_broken_with_its_line(tmp_path):
    path = geojson(tmp_path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(FileBroken, match="第 1 行"):
        read_layer(path)


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ('{"type": "FeatureCollection", "features": []}', FileEmpty),
        ('{"a": 1}', NotSpatial),
        ('{"type": "Topology", "objects": {}}', NotSpatial),
        ('{"type": "x", "a": ' + "[" * 100_000, FileBroken),
    ],
)
def test_json_that_is_no_map_is_refused(tmp_path, text, refusal):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(refusal):
        read_layer(tmp_path / "x.json")


# --- Shapefile ---


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK"])
@pytest.mark.parametrize("with_cpg", [True, False])
def test_chinese_reads_right_in_gbk_and_utf8_with_and_without_a_cpg(tmp_path, encoding, with_cpg):
    path = shapefile(tmp_path, encoding=encoding, leave_out=() if with_cpg else (".cpg",))
    layer = read_layer(path)
    assert [f.values["名称"] for f in layer.features] == NAMES
    assert layer.features[1].values["户数"] == 72
    assert layer.declared.code == "EPSG:4490"
    assert (
        any(".cpg" in n.zh and ("GBK" in n.zh) == (encoding == "GBK") for n in layer.notes)
        != with_cpg
    )


def test_gbk_without_a_cpg_would_be_mojibake_elsewhere(tmp_path):
    """The trap is real: if GDAL ever stops falling into it, our own reader can go."""
    path = shapefile(tmp_path, encoding="GBK", leave_out=(".cpg",))
    with zipfile.ZipFile(path) as archive:
        raw = archive.read("楼栋.dbf")
        # the writer left its language in the header; exporters in the field do not
        patched = raw[:29] + b"\x00" + raw[30:]
    folder = tmp_path / "shp"
    (folder / "楼栋.dbf").write_bytes(patched)
    (folder / "楼栋.cpg").unlink(missing_ok=True)
    assert list(geopandas.read_file(folder / "楼栋.shp").iloc[:, 0]) != NAMES


def test_a_wrong_cpg_is_seen_through_and_said(tmp_path):
    path = shapefile(tmp_path, encoding="GBK", leave_out=(".cpg",))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("楼栋.cpg", "UTF-8")
    layer = read_layer(path)
    assert layer.features[0].values["名称"] == NAMES[0]
    assert any("与实际不符" in n.zh for n in layer.notes)


def cut_field_name(tmp_path):
    """A UTF-8 field name cut at 10 bytes, in the middle of its fourth character."""
    path = shapefile(tmp_path, rename={"名称": "ascii"})
    with zipfile.ZipFile(path) as archive:
        parts = {n: archive.read(n) for n in archive.namelist()}
    dbf = bytearray(parts["楼栋.dbf"])
    dbf[32:43] = "建筑物名称".encode()[:10] + b"\x00"
    parts["楼栋.dbf"] = bytes(dbf)
    for name, content in parts.items():
        (tmp_path / "shp" / name).write_bytes(content)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def test_a_field_name_cut_inside_a_character_reads_and_is_said(tmp_path):
    path = cut_field_name(tmp_path)
    with pytest.raises(UnicodeDecodeError):
        geopandas.read_file(tmp_path / "shp" / "楼栋.shp")
    layer = read_layer(path)
    assert layer.columns[0] == "建筑物"
    assert layer.features[0].values["建筑物"] == NAMES[0]
    assert any("10 字节" in n.zh and "建筑物" in n.zh for n in layer.notes)


def test_a_shapefile_without_prj_declares_nothing(tmp_path):
    layer = read_layer(shapefile(tmp_path, leave_out=(".prj",)))
    assert layer.declared is None and any(".prj" in n.zh for n in layer.notes)


def test_a_projected_prj_names_its_zone(tmp_path):
    assert read_layer(shapefile(tmp_path, crs="EPSG:4523")).declared.code == "EPSG:4523"


def test_a_xian_80_shapefile_is_refused(tmp_path):
    with pytest.raises(CrsRefused, match="西安80"):
        read_layer(shapefile(tmp_path, crs="EPSG:4610"))


def test_a_shapefile_short_of_a_part_says_which(tmp_path):
    with pytest.raises(ShapefileIncomplete, match=r"\.dbf"):
        read_layer(shapefile(tmp_path, leave_out=(".dbf",)))


@pytest.mark.parametrize("part", [".shp", ".dbf"])
def test_a_shapefile_cut_short_inside_the_zip_is_broken(tmp_path, part):
    path = shapefile(tmp_path)
    with zipfile.ZipFile(path) as archive:
        parts = {n: archive.read(n) for n in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content[:-40] if name.endswith(part) else content)
    with pytest.raises(FileBroken):
        read_layer(path)


def test_a_cut_off_zip_is_broken(tmp_path):
    path = shapefile(tmp_path)
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(FileBroken, match="重新"):
        read_layer(path)


def test_several_shapefiles_in_a_zip_are_asked_about(tmp_path):
    path = shapefile(tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        for name in list(archive.namelist()):
            archive.writestr(name.replace("楼栋", "网格"), archive.read(name))
    with pytest.raises(LayerNotChosen, match="楼栋、网格"):
        read_layer(path)
    assert len(read_layer(path, layer="楼栋").features) == 2


def test_names_zipped_by_chinese_windows_are_read(tmp_path):
    path = shapefile(tmp_path)
    with zipfile.ZipFile(path) as archive:
        parts = {n: archive.read(n) for n in archive.namelist()}
    gbk = tmp_path / "gbk.zip"
    with zipfile.ZipFile(gbk, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name.encode("gbk").decode("cp437"), content)
    raw = gbk.read_bytes()
    assert "楼栋".encode("gbk") not in raw  # zipfile wrote UTF-8: patch the flag and the bytes
    plain = tmp_path / "plain.zip"
    with zipfile.ZipFile(plain, "w") as archive:
        for name, content in parts.items():
            archive.writestr("ab" + name[2:], content)
    plain.write_bytes(plain.read_bytes().replace(b"ab.", "楼".encode("gbk") + b"."))
    assert read_layer(plain).name == "楼"


@pytest.mark.parametrize(
    "name", ["../../evil.shp", "/etc/evil.shp", "..\\evil.shp", "C:\\evil.shp"]
)
def test_a_zip_that_leads_outside_is_refused(tmp_path, name):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(ZipUnsafe, match="以外"):
        read_layer(path)
    assert not (tmp_path.parent / "evil.shp").exists()


def test_a_link_in_a_zip_is_refused(tmp_path):
    path = tmp_path / "x.zip"
    link = zipfile.ZipInfo("a.shp")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ZipUnsafe, match="链接"):
        read_layer(path)


def bomb(path, megabytes):
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.shp", "w") as sink,
    ):
        for _ in range(megabytes):
            sink.write(bytes(1 << 20))
    return path


def test_a_zip_bomb_is_refused_by_its_directory(tmp_path):
    with pytest.raises(ZipUnsafe, match="压缩炸弹"):
        read_layer(bomb(tmp_path / "x.zip", 12), limit_mb=2)


def test_a_zip_bomb_that_lies_about_its_size_is_stopped_while_unpacking(tmp_path):
    path = bomb(tmp_path / "x.zip", 12)
    raw = path.read_bytes()
    small = struct.pack("<I", 1000)
    path.write_bytes(raw.replace(struct.pack("<I", 12 << 20), small))
    with pytest.raises(FileBroken):
        read_layer(path, limit_mb=2)


# --- GeoPackage ---


def test_a_geopackage_reads_clean(tmp_path):
    frame().to_file(tmp_path / "x.gpkg", layer="楼栋")
    layer = read_layer(tmp_path / "x.gpkg")
    assert layer.declared.code == "EPSG:4490" and layer.features[0].values["名称"] == NAMES[0]
    assert layer.features[1].values["户数"] == 72


def test_a_geopackage_of_two_layers_asks_which(tmp_path):
    for name in ("楼栋", "网格"):
        frame().to_file(tmp_path / "x.gpkg", layer=name)
    with pytest.raises(LayerNotChosen, match="楼栋、网格"):
        read_layer(tmp_path / "x.gpkg")
    assert read_layer(tmp_path / "x.gpkg", layer="网格").name == "网格"


def test_a_truncated_geopackage_is_broken(tmp_path):
    path = tmp_path / "x.gpkg"
    many = geopandas.GeoDataFrame(
        {"名称": [f"楼{i}" for i in range(3000)]}, geometry=SHAPES * 1500, crs=4490
    )
    many.to_file(path)
    whole = path.read_bytes()
    for kept in (0.3, 0.6, 0.9, 0.99):
        path.write_bytes(whole[: int(len(whole) * kept)])
        with pytest.raises(FileBroken):
            read_layer(path)


def test_a_page_of_a_geopackage_that_was_lost_is_noticed(tmp_path):
    path = tmp_path / "x.gpkg"
    many = geopandas.GeoDataFrame(
        {"名称": [f"楼{i}" for i in range(3000)]}, geometry=SHAPES * 1500, crs=4490
    )
    many.to_file(path)
    raw = bytearray(path.read_bytes())
    page = len(raw) // 4096 // 2 * 4096
    raw[page : page + 4096] = bytes(4096)
    path.write_bytes(raw)
    with pytest.raises(FileBroken):
        read_layer(path)


def test_a_plain_sqlite_file_is_not_a_geopackage(tmp_path):
    connection = sqlite3.connect(tmp_path / "x.gpkg")
    connection.execute("CREATE TABLE t (a)")
    connection.commit()
    connection.close()
    with pytest.raises(WrongKind, match="SQLite"):
        read_layer(tmp_path / "x.gpkg")


# --- KML ---


def test_kml_placemarks_keep_their_names_and_data(tmp_path):
    (tmp_path / "x.kml").write_text(KML, encoding="utf-8")
    layer = read_layer(tmp_path / "x.kml")
    assert layer.features[0].values == {"name": NAMES[0], "户数": "60"}
    assert layer.features[0].shape.equals(SHAPES[0])
    assert layer.declared is None and [e.row for e in layer.errors] == [2]


def test_kmz_is_kml_in_a_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.kmz", "w") as archive:
        archive.writestr("doc.kml", KML)
    assert len(read_layer(tmp_path / "x.kmz").features) == 2


@pytest.mark.parametrize(
    "dtd",
    [
        '<!DOCTYPE kml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE kml [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE kml SYSTEM "http://127.0.0.1:1/x.dtd">',
    ],
)
def test_kml_with_entities_is_refused(tmp_path, dtd):
    (tmp_path / "x.kml").write_text(KML.replace("<kml ", dtd + "<kml "), encoding="utf-8")
    with pytest.raises(XmlUnsafe, match="实体"):
        read_layer(tmp_path / "x.kml")


def test_a_cut_off_kml_is_broken_with_its_line(tmp_path):
    (tmp_path / "x.kml").write_text(KML[:400], encoding="utf-8")
    with pytest.raises(FileBroken, match="行"):
        read_layer(tmp_path / "x.kml")


# --- Tables with coordinates ---


def table(tmp_path, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "x.xlsx")
    return tmp_path / "x.xlsx"


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        (("名称", "经度", "纬度"), ("门", 104.77, 29.34)),
        (("name", "Lng", "Lat"), ("门", "104.77", "29.34")),
        (("名称", "东经（度）", "北纬（度）"), ("门", "104°46′12″", "29°20′24″")),
        (("名称", "经纬度"), ("门", "104.77，29.34")),
        (("名称", "WKT"), ("门", "POINT (104.77 29.34)")),
        (("名称", "纬度", "经度"), ("门", "２９.３４", "１０４.７７")),
    ],
)
def test_coordinate_columns_are_found_under_their_usual_names(tmp_path, header, cells):
    layer = read_layer(table(tmp_path, [header, cells]))
    assert layer.features[0].shape.equals_exact(shapely.Point(104.77, 29.34), 1e-9)
    assert layer.declared is None


def test_coordinates_that_are_not_numbers_are_errors_of_their_rows(tmp_path):
    layer = read_layer(
        table(
            tmp_path,
            [
                ("名称", "经度", "纬度"),
                ("a", None, 29.3),
                ("b", "见附图", 29.3),
                ("c", 104.7, 29.3),
            ],
        )
    )
    assert [(e.row, e.zh) for e in layer.errors] == [
        (2, "没有坐标"),
        (3, "坐标“见附图，29.3”不是数字"),
    ]


def test_unknown_coordinate_columns_are_asked_for_and_can_be_named(tmp_path):
    path = table(tmp_path, [("名称", "甲", "乙"), ("门", 104.77, 29.34)])
    with pytest.raises(CoordinateColumnsUnknown, match="名称、甲、乙"):
        read_layer(path)
    assert read_layer(path, x_column="甲", y_column="乙").features[0].shape.x == 104.77
    with pytest.raises(NoSuchColumn):
        read_layer(path, x_column="丙", y_column="乙")


@pytest.mark.parametrize("text", ["", "104°61′", "北", "1,2", "--"])
def test_what_is_no_coordinate_is_not_taken_for_one(text):
    with pytest.raises(ValueError, match=r".*"):
        coordinate(text)


# --- What a file really is ---


def test_a_wrong_extension_is_seen_through_and_said(tmp_path):
    path = geojson(tmp_path, name="x.csv")
    assert any("其实是 GeoJSON" in n.zh for n in read_layer(path).notes)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"%PDF-1.7 ...", "PDF"),
        (b"Rar!\x1a\x07\x00", "RAR"),
        (b"\x89PNG\r\n", "image"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "xls"),
        (b"\x00\x00\x27\x0a" + bytes(96), "Shapefile"),
        (b"<!DOCTYPE html><html></html>", "HTML"),
    ],
)
def test_files_of_other_kinds_are_named_and_the_way_out_given(tmp_path, content, found):
    (tmp_path / "x.geojson").write_bytes(content)
    with pytest.raises(WrongKind, match=f"实际是 .*{found}.*请"):
        read_layer(tmp_path / "x.geojson")


def test_noise_is_not_a_file_of_ours(tmp_path):
    (tmp_path / "x.bin").write_bytes(np.random.default_rng(1).bytes(5000))
    with pytest.raises(FormatUnknown):
        read_layer(tmp_path / "x.bin")


def test_a_100_mb_file_is_refused_unread(tmp_path):
    with (tmp_path / "x.geojson").open("wb") as stream:
        stream.truncate(100 << 20)
    with pytest.raises(FileTooLarge, match="100 MB，超过 50 MB"):
        read_layer(tmp_path / "x.geojson")


def test_text_garbled_before_it_came_is_said_with_its_cure(tmp_path):
    spoilt = NAMES[0].encode("gbk").decode("latin-1")
    features = [{"type": "Feature", "properties": {"名称": spoilt}, "geometry": mapping(SHAPES[0])}]
    assert any(
        "乱码" in n.zh and NAMES[0] in n.zh for n in read_layer(geojson(tmp_path, features)).notes
    )
