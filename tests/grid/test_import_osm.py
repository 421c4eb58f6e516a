"""An OpenStreetMap extract gives buildings, walkable ways, gates and named estates."""

import osmium
import pytest

from grid.imports.errors import FileBroken, FileEmpty, FormatUnknown, XmlUnsafe
from grid.imports.osm import read_osm

EXTRACT = """<?xml version="1.0"?>
<osm version="0.6">
 <node id="1" lat="29.3400" lon="104.7700"/><node id="2" lat="29.3400" lon="104.7702"/>
 <node id="3" lat="29.3402" lon="104.7702"/><node id="4" lat="29.3402" lon="104.7700"/>
 <node id="5" lat="29.3401" lon="104.7701"><tag k="barrier" v="gate"/><tag k="name" v="东门"/></node>
 <node id="6" lat="29.3403" lon="104.7701"><tag k="barrier" v="bollard"/></node>
 <way id="10"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/>
  <tag k="building" v="apartments"/><tag k="building:levels" v="18"/><tag k="name" v="3栋"/></way>
 <way id="11"><nd ref="1"/><nd ref="2"/><tag k="highway" v="footway"/></way>
 <way id="12"><nd ref="1"/><nd ref="3"/><tag k="highway" v="motorway"/></way>
 <way id="13"><nd ref="1"/><nd ref="99"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="path"/></way>
 <way id="14"><nd ref="1"/><nd ref="2"/><tag k="highway" v="service"/><tag k="foot" v="no"/></way>
 <way id="15"><nd ref="98"/><nd ref="99"/><tag k="building" v="yes"/></way>
</osm>"""


def written(tmp_path, text=EXTRACT, name="x.osm"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_buildings_ways_and_gates_are_told_apart(tmp_path):
    extract = read_osm(written(tmp_path))
    (building,) = extract.buildings.features
    assert building.values == {
        "source_key": "osm:way/10", "name": "3栋", "number": None, "use": "residential",
        "floors": 18, "households": None,
    }  # fmt: skip
    assert building.shape.geom_type == "MultiPolygon"
    (gate,) = extract.gates.features
    assert gate.values["name"] == "东门" and gate.shape.x == pytest.approx(104.7701)


def test_only_ways_a_person_may_walk_are_taken(tmp_path):
    keys = [f.values["source_key"] for f in read_osm(written(tmp_path)).walkways.features]
    assert keys == ["osm:way/11", "osm:way/13"]


def test_a_way_with_a_missing_node_is_not_bridged_over_the_hole(tmp_path):
    way = read_osm(written(tmp_path)).walkways.features[1]
    assert list(way.shape.coords) == [(104.7702, 29.34), (104.7702, 29.3402)]


def test_a_pbf_reads_as_the_xml_does(tmp_path):
    path = written(tmp_path)
    with osmium.SimpleWriter(str(tmp_path / "x.osm.pbf")) as writer:
        for thing in osmium.FileProcessor(str(path)):
            writer.add(thing)
    one, other = read_osm(path), read_osm(tmp_path / "x.osm.pbf")
    assert [f.values for f in one.walkways.features] == [f.values for f in other.walkways.features]
    assert len(other.buildings.features) == 1
    # by content, whatever its name
    (tmp_path / "x.osm.pbf").rename(tmp_path / "extract.bin")
    assert len(read_osm(tmp_path / "extract.bin").buildings.features) == 1


def test_a_cut_off_extract_is_broken_not_half_imported(tmp_path):
    with pytest.raises(FileBroken, match="重新导出"):
        read_osm(written(tmp_path, EXTRACT[: len(EXTRACT) // 2]))


def test_entities_are_refused(tmp_path):
    bomb = EXTRACT.replace("<osm ", '<!DOCTYPE osm [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><osm ')
    with pytest.raises(XmlUnsafe):
        read_osm(written(tmp_path, bomb.replace("东门", "&b;")))


def test_an_extract_of_nothing_useful_and_a_file_of_another_kind_are_refused(tmp_path):
    with pytest.raises(FileEmpty):
        read_osm(written(tmp_path, '<osm version="0.6"><node id="1" lat="29" lon="104"/></osm>'))
    with pytest.raises(FormatUnknown):
        read_osm(written(tmp_path, '{"type": "FeatureCollection", "features": []}'))


@pytest.mark.real_data
def test_the_chengdu_extract_reads_whole(real_data):
    extract = read_osm(real_data / "chengdu-xipu.osm")
    assert len(extract.buildings.features) >= 380
    assert len(extract.walkways.features) > 500
    assert len(extract.gates.features) >= 33
    assert "怡景城市花苑" in {f.values["name"] for f in extract.estates.features}
