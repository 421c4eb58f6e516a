"""A map page carries everything inside and asks nobody for anything."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import folium
import pytest
from folium.plugins import HeatMap

from grid.shapes import Basemap
from maps.basemap import basemap_page
from maps.folium_page import (
    MapAssetsMissing,
    ReachesOutside,
    circles_layer,
    configure_assets,
    feature,
    layer_switch,
    lines,
    link,
    note,
    panel,
    render,
    shapes_layer,
    words,
    write,
)


def full_page(ground: Basemap, **options):
    page = basemap_page(ground, title="热点图 <b>", **options)
    cell = ground.cells[0]
    page.add_child(
        shapes_layer(
            "网格件数",
            [feature(cell.geometry, {"fillColor": "#c00"}, hint=lines(cell.label, "n = 7"))],
        )
    )
    page.add_child(
        circles_layer(
            "楼栋件数",
            [(29.3622, 104.7822, 9.0, {"color": "#a00"}, "", lines("3栋") + link("/x", "提出"))],
        )
    )
    marker = folium.Marker([29.364, 104.784], icon=folium.DivIcon(html="1"))
    marker.add_child(note("东门 <i>", "停留 5 分钟"))
    folium.PolyLine([[29.361, 104.781], [29.364, 104.784]]).add_to(page)
    page.add_child(marker)
    page.add_child(words("place", [(29.365, 104.785, "桥")]))
    page.add_child(panel("热点", ["n = 7"], [("#c00", "热"), ("o#00c", "点")], source="台账"))
    layer_switch(page)
    return page


@pytest.mark.parametrize("night", [False, True])
def test_a_full_page_makes_no_outside_request_and_no_error(ground, opened, night):
    page, noted = opened(render(full_page(ground, night=night)))
    assert page.locator("canvas").count() >= 2
    assert page.locator(".word.cell").inner_text() == "一号网格"
    assert page.locator(".leaflet-control-layers-overlays label").count() == 2
    assert page.evaluate("document.body.classList.contains('night')") is night
    page.evaluate("xungeMap.setZoom(18); 1")
    page.wait_for_timeout(400)
    assert noted == []


def test_words_that_look_like_script_are_only_words(ground, opened):
    html = render(full_page(ground))
    page, noted = opened(html)
    assert "<script>alert(1)" not in html
    page.evaluate("xungeMap.setZoom(18); 1")
    page.wait_for_timeout(300)
    assert "alert(1)" in page.locator(".word.building").last.text_content()
    page.locator(".leaflet-marker-icon:not(.word)").click(force=True)
    assert page.locator(".leaflet-popup-content").inner_text() == "东门 <i>\n停留 5 分钟"
    assert noted == []


def test_an_empty_community_still_gives_a_page(opened):
    _, noted = opened(render(basemap_page(Basemap(), title="空")))
    assert noted == []


def test_the_same_map_is_the_same_file(ground):
    assert render(full_page(ground)) == render(full_page(ground))


def test_an_element_that_brings_an_outside_asset_is_refused(ground):
    page = basemap_page(ground, title="x")
    HeatMap([[29.36, 104.78]]).add_to(page)
    with pytest.raises(ReachesOutside, match="jsdelivr"):
        render(page)


def test_tiles_from_elsewhere_are_not_fetched_even_if_asked_for(ground, opened):
    served = []

    class Tiles(BaseHTTPRequestHandler):
        def do_GET(self):
            served.append(self.path)
            self.send_error(404)

    with HTTPServer(("127.0.0.1", 0), Tiles) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = basemap_page(ground, title="x")
        address = f"http://127.0.0.1:{server.server_port}/{{z}}/{{x}}/{{y}}.png"
        folium.TileLayer(address, attr="x").add_to(page)
        _, noted = opened(render(page))
        assert any("Content Security Policy" in one for one in noted)
        server.shutdown()
    assert served == []


def test_a_folder_without_leaflet_is_named(tmp_path: Path):
    with pytest.raises(MapAssetsMissing, match=r"leaflet\.js"):
        configure_assets(tmp_path)


def test_a_page_is_written_as_one_file_under_a_megabyte(ground, tmp_path: Path):
    write(full_page(ground), tmp_path / "out" / "map.html")
    assert 150_000 < (tmp_path / "out" / "map.html").stat().st_size < 1_000_000
