"""The ground every map stands on, drawn from the community's own data: no tiles, by day or night."""

from collections.abc import Iterable
from typing import Any

from folium.map import CustomPane
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from grid.shapes import Basemap, Shape
from maps.folium_page import OfflineMap, feature, fit, shapes_layer, words

GROUND_PANE = "ground"

COLOURS = {
    False: {
        "inside": "#f5f5f0", "edge": "#7b3f98", "estate": "#e9eee2", "estate_edge": "#b9c4a8",
        "building": "#dcd8d2", "building_edge": "#b5aea4", "other": "#e3dde8", "cell": "#6d7b8a",
        "street": "#ffffff", "street_edge": "#c9ced3", "path": "#c7b9a3",
    },
    True: {
        "inside": "#18212b", "edge": "#c792ea", "estate": "#1d2a26", "estate_edge": "#3b4f45",
        "building": "#37424e", "building_edge": "#566472", "other": "#3d3a4a", "cell": "#8494a5",
        "street": "#2c3947", "street_edge": "#46566a", "path": "#4d473f",
    },
}  # fmt: skip
"""Colours by night (True) and by day."""

FEW_CELLS = 20
"""More names than this cover each other on the whole community's view; they appear closer up."""

STREETS = frozenset(
    {"primary", "secondary", "tertiary", "unclassified", "residential", "living_street"}
)
MAIN_STREETS = frozenset({"primary", "secondary", "tertiary"})


def basemap_page(
    base: Basemap,
    *,
    title: str,
    night: bool = False,
    locale: str = "zh",
    cells: bool = True,
) -> OfflineMap:
    """Return a map of the community with nothing on it yet.

    The ground lies in a pane of its own under everything and takes no clicks. ``cells`` draws the
    outlines and names of the grid cells too. An empty basemap gives an empty page.
    """
    page = OfflineMap(title=title, night=night, locale=locale)
    page.add_child(CustomPane(GROUND_PANE, z_index=250))
    page.add_child(CustomPane("words", z_index=620))
    colour = COLOURS[night]
    if base.boundary is not None:
        _area(page, [base.boundary], fill=colour["inside"], edge=None)
    _area(page, base.estates, fill=colour["estate"], edge=colour["estate_edge"])
    _walkways(page, base.walkways, colour)
    _area(
        page,
        [one for one in base.buildings if one.kind in {"", "residential"}],
        fill=colour["building"],
        edge=colour["building_edge"],
    )
    _area(
        page,
        [one for one in base.buildings if one.kind not in {"", "residential"}],
        fill=colour["other"],
        edge=colour["building_edge"],
    )
    if cells:
        _outline(page, base.cells, {"color": colour["cell"], "weight": 1.2, "dashArray": "5 4"})
        kind = "cell" if len(base.cells) <= FEW_CELLS else "cell dense"
        page.add_child(words(kind, _names(base.cells)))
    if base.boundary is not None:
        _outline(page, [base.boundary], {"color": colour["edge"], "weight": 3, "opacity": 0.8})
    if not cells:
        page.add_child(words("estate", _names(base.estates)))
    page.add_child(words("street", _street_names(base.walkways)))
    page.add_child(words("building", _names(base.buildings)))
    page.add_child(words("place", _names(base.places)))
    show_all(page, base)
    return page


def show_all(page: OfflineMap, base: Basemap) -> None:
    """Zoom to the community's boundary, or to whatever there is."""
    drawn = [base.boundary] if base.boundary is not None else []
    for shapes in (base.cells, base.estates, base.buildings, base.walkways):
        if not drawn:
            drawn = list(shapes)
    if drawn:
        west, south, east, north = unary_union([shape(one.geometry) for one in drawn]).bounds
        fit(page, (south, west), (north, east))


def _ground_layer(page: OfflineMap, features: list[dict[str, Any]]) -> None:
    if features:
        layer = shapes_layer("ground", features, control=False, pane=GROUND_PANE, interactive=False)
        page.add_child(layer)


def _area(page: OfflineMap, shapes: Iterable[Shape], *, fill: str, edge: str | None) -> None:
    style = {
        "stroke": edge is not None,
        "color": edge or fill,
        "weight": 0.8,
        "fillColor": fill,
        "fillOpacity": 1,
    }
    _ground_layer(page, [feature(one.geometry, style) for one in shapes])


def _outline(page: OfflineMap, shapes: Iterable[Shape], style: dict[str, object]) -> None:
    _ground_layer(page, [feature(one.geometry, {"fill": False, **style}) for one in shapes])


def _walkways(page: OfflineMap, walkways: Iterable[Shape], colour: dict[str, str]) -> None:
    paths, casings, streets = [], [], []
    for way in walkways:
        if way.kind in STREETS or way.label:
            width = 7 if way.kind in MAIN_STREETS else 4.5
            casings.append(feature(way.geometry, {"color": colour["street_edge"], "weight": width}))
            streets.append(feature(way.geometry, {"color": colour["street"], "weight": width - 2}))
        else:
            style = {"color": colour["path"], "weight": 1.1}
            if way.kind == "steps":
                style["dashArray"] = "2 3"
            paths.append(feature(way.geometry, style))
    for layer in (paths, casings, streets):
        _ground_layer(page, layer)


def _spot(geometry: BaseGeometry) -> tuple[float, float]:
    point = geometry.representative_point()
    return round(point.y, 6), round(point.x, 6)


def _names(shapes: Iterable[Shape]) -> list[tuple[float, float, str]]:
    return [(*_spot(shape(one.geometry)), one.label) for one in shapes if one.label]


def _street_names(walkways: Iterable[Shape]) -> list[tuple[float, float, str]]:
    """Each name once, in the middle of the longest piece that bears it."""
    longest: dict[str, BaseGeometry] = {}
    for way in walkways:
        line = shape(way.geometry)
        if way.label and line.length > getattr(longest.get(way.label), "length", 0.0):
            longest[way.label] = line
    found = []
    for name, line in longest.items():
        middle = line.interpolate(0.5, normalized=True)
        found.append((round(middle.y, 6), round(middle.x, 6), name))
    return found
