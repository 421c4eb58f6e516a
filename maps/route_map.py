"""The map of one patrol's walk: the line, numbered stops, the zone around it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import folium
from folium.map import CustomPane
from shapely.geometry import shape

from grid.shapes import Basemap, Geometry, Shape
from maps.basemap import basemap_page
from maps.folium_page import feature, fit, note, panel, render, shapes_layer

Translate = Callable[..., str]

LINE = {False: "#d6336c", True: "#ffd166"}
STOP = {False: "#0f4c81", True: "#6db3f2"}
OPTIONAL = {False: "#6d7b8a", True: "#a9b6c3"}


@dataclass(frozen=True)
class RouteStop:
    """A numbered stop: degrees WGS 84, and the clock times as they are shown."""

    number: int
    name: str
    lon: float
    lat: float
    arrive: str
    dwell_min: int
    required: bool


@dataclass(frozen=True)
class RoutePicture:
    """What is drawn of a walk."""

    title: str
    facts: tuple[str, ...]
    line: Geometry | None
    stops: Sequence[RouteStop]
    zone: Shape | None = None
    explained: bool = True
    """Whether the map says itself what it shows; a page that says it around the map needs none."""


def route_map(
    picture: RoutePicture, base: Basemap, *, night: bool, _: Translate, locale: str
) -> str:
    """Return the walk's map as one page that needs no network."""
    page = basemap_page(base, title=picture.title, night=night, locale=locale, cells=False)
    if picture.zone is not None:
        style = {"color": STOP[night], "weight": 2, "dashArray": "8 5", "fill": False}
        zone = feature(picture.zone.geometry, style)
        page.add_child(shapes_layer("zone", [zone], control=False, interactive=False))
    if picture.line is not None:
        page.add_child(_way(picture.line, night))
    # Above the words of the ground: a number that a name covers cannot be read.
    page.add_child(CustomPane("stops", z_index=640))
    for stop in picture.stops:
        page.add_child(_marker(stop, night, _))
    _zoom(page, picture)
    if picture.explained:
        legend = [
            (LINE[night], _("路线")),
            ("o" + STOP[night], _("必到点")),
            ("o" + OPTIONAL[night], _("顺路查看")),
        ]
        page.add_child(panel(picture.title, picture.facts, legend))
    return render(page)


def _way(line: Geometry, night: bool) -> folium.GeoJson:
    casing = feature(line, {"color": "#000" if night else "#fff", "weight": 8, "opacity": 0.8})
    way = feature(line, {"color": LINE[night], "weight": 4.5, "opacity": 1})
    return shapes_layer("route", [casing, way], control=False, interactive=False)


def _marker(stop: RouteStop, night: bool, _: Translate) -> folium.Marker:
    colour = (STOP if stop.required else OPTIONAL)[night]
    ink = "#06131f" if night else "#fff"
    marker = folium.Marker(
        [stop.lat, stop.lon],
        pane="stops",
        icon=folium.DivIcon(
            icon_size=(28, 28),
            icon_anchor=(14, 14),
            html=(
                f'<div style="width:28px;height:28px;border-radius:50%;background:{colour};'
                f"color:{ink};font:700 14px/28px sans-serif;text-align:center;"
                f'box-shadow:0 0 0 2px {ink}">{stop.number}</div>'
            ),
        ),
    )
    marker.add_child(
        note(
            f"{stop.number}. {stop.name}",
            stop.arrive,
            _("停留 %(n)s 分钟", n=stop.dwell_min),
        )
    )
    return marker


def _zoom(page: folium.Map, picture: RoutePicture) -> None:
    drawn = [shape(picture.line)] if picture.line is not None else []
    if not drawn and picture.zone is not None:
        drawn = [shape(picture.zone.geometry)]
    if drawn:
        west, south, east, north = drawn[0].bounds
        fit(page, (south, west), (north, east))
