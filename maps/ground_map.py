"""A map of what is where: chosen things of the community over its own ground."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import folium

from grid.shapes import Basemap, Geometry
from maps.basemap import basemap_page
from maps.folium_page import feature, fit, lines, render, shapes_layer

PALETTE = ("#b3541e", "#1f6f54", "#27548a", "#8a2f62", "#6b6a1d", "#5a3f9e", "#0f7c8a")
POINT_RADIUS_PX = 7


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing on the map: its geometry in WGS 84, and the words a click shows, first one strong."""

    geometry: Geometry
    words: tuple[str, ...] = ()
    group: int = 0
    """Things of one group share a colour."""


@dataclass(frozen=True, slots=True)
class ThingLayer:
    """Things that are switched on and off together."""

    name: str
    things: Sequence[Thing]
    show: bool = True


def ground_map(
    base: Basemap,
    layers: Sequence[ThingLayer],
    *,
    title: str,
    locale: str = "zh",
    bounds: tuple[float, float, float, float] | None = None,
    cells: bool = True,
) -> str:
    """Return the map as one HTML text that reaches nowhere.

    ``bounds`` are west, south, east, north in degrees; without them the community is shown.
    """
    page = basemap_page(base, title=title, locale=locale, cells=cells)
    for number, layer in enumerate(layers):
        if layer.things:
            page.add_child(
                shapes_layer(
                    layer.name,
                    [_feature(thing, number) for thing in layer.things],
                    show=layer.show,
                    radius=POINT_RADIUS_PX,
                )
            )
    if sum(bool(layer.things) for layer in layers) > 1:
        folium.LayerControl(collapsed=True).add_to(page)
    if bounds is not None:
        west, south, east, north = bounds
        fit(page, (south, west), (north, east))
    return render(page)


def _feature(thing: Thing, layer: int) -> dict[str, Any]:
    colour = PALETTE[(layer + thing.group) % len(PALETTE)]
    area = thing.geometry["type"] in {"Polygon", "MultiPolygon"}
    style = {
        "color": colour,
        "weight": 2 if area else 3,
        "fill": area or thing.geometry["type"] == "Point",
        "fillColor": colour,
        "fillOpacity": 0.22 if area else 0.85,
    }
    return feature(thing.geometry, style, hint=lines(*thing.words[:1]), note=lines(*thing.words))
