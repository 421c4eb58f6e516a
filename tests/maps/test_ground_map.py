"""A map of things shows them, and nothing in their names can break it or get out of it."""

import os
import re

import pytest
from shapely.geometry import Point, box, mapping

from grid.shapes import Basemap, Shape
from maps.ground_map import Thing, ThingLayer, ground_map

HERE = box(104.77, 29.33, 104.78, 29.34)
GROUND = Basemap(boundary=Shape(mapping(HERE), "社区"))


@pytest.mark.parametrize(
    "name",
    [
        '<img src="//evil.example/x" onerror="alert(1)">',
        "src=//evil.example/x",
        "</script><script>alert(1)</script>",
        "{{ 7 * 7 }} {% raw %} {# x",
        "{{{ 7 * 7 }}}",
        "{{ cycler.__init__.__globals__.os.getpid() }}",
        "url(//evil.example) @import x;",
    ],
)
def test_a_name_is_only_ever_a_word(name, monkeypatch):
    # A real process id may be as short as "7" and stand in the page by chance.
    monkeypatch.setattr(os, "getpid", lambda: 314159265358979)
    thing = Thing(mapping(Point(104.775, 29.335)), (name,))
    html = ground_map(
        Basemap(boundary=GROUND.boundary, places=[Shape(mapping(Point(104.775, 29.335)), name)]),
        [ThingLayer("重点部位", [thing])],
        title=name,
    )
    assert "<img src" not in html and "</script><script>alert" not in html
    # Carried out as a template, the expression would be gone and its value here.
    for expression in re.findall(r"7 \* 7|getpid\(\)|raw", name):
        assert html.split("</head>")[1].count(expression) >= 2
    assert "314159265358979" not in html


def test_layers_can_be_switched_and_the_view_is_the_one_asked_for():
    layers = [ThingLayer(n, [Thing(mapping(HERE), (n,))]) for n in ("楼栋", "步行道")]
    html = ground_map(GROUND, layers, title="x", bounds=(104.771, 29.331, 104.772, 29.332))
    assert "29.331" in html and html.count("L.geoJson(") >= 2
    assert "L.control.layers(" in html
    assert "L.control.layers(" not in ground_map(GROUND, layers[:1], title="x")
