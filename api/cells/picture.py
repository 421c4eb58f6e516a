"""The map of cells, stored or proposed: each in a colour its neighbours do not have."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import shapely
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from api.i18n import translate
from grid.shapes import Basemap
from maps.basemap import basemap_page
from maps.folium_page import feature, lines, panel, render, shapes_layer, words
from maps.ground_map import PALETTE

ROOMY = 28
"""Cells whose inscribed circle is narrower than twice this share of the map are small."""


@dataclass(frozen=True)
class PicturedCell:
    """A cell to draw: its shape in WGS 84, its short number and what it holds."""

    number: str
    shape: BaseGeometry
    households: int
    notes: tuple[str, ...]


def cells_map(
    base: Basemap,
    cells: Sequence[PicturedCell],
    *,
    title: str,
    paragraphs: Sequence[str],
    locale: str,
) -> str:
    """Return the map as one HTML text that reaches nowhere."""
    ground = replace(base, cells=(), estates=[replace(one, label="") for one in base.estates])
    page = basemap_page(ground, title=title, locale=locale, cells=False)
    shades = colours([cell.shape for cell in cells])
    page.add_child(
        shapes_layer(
            translate(locale, "网格"),
            [
                feature(
                    mapping(cell.shape),
                    {"color": "#1d2733", "weight": 2, "fillColor": shade, "fillOpacity": 0.28},
                    hint=lines(*cell.notes),
                )
                for cell, shade in zip(cells, shades, strict=True)
            ],
        )
    )
    # Where a cell is too small on the whole map for its figures, they are seen from nearer by.
    rooms = [shapely.maximum_inscribed_circle(cell.shape) for cell in cells]
    west, south, east, north = shapely.total_bounds([cell.shape for cell in cells] or [None])
    roomy = max(east - west, north - south) / ROOMY
    for kind, wanted in (("cell", True), ("street", False)):
        spots = [
            (
                round(room.coords[0][1], 6),
                round(room.coords[0][0], 6),
                f"{cell.number}·{cell.households:,}",
            )
            for cell, room in zip(cells, rooms, strict=True)
            if bool(room.length >= roomy) is wanted
        ]
        page.add_child(words(kind, spots))
    legend = translate(locale, "图上数字：网格编号末位·户数")
    page.add_child(panel(title, [*paragraphs, legend]))
    return render(page)


def colours(shapes: Sequence[BaseGeometry]) -> list[str]:
    """Return a colour for each shape that no earlier neighbour has, while there are enough."""
    if not shapes:
        return []
    tree = shapely.STRtree(list(shapes))
    beside: list[set[int]] = [set() for _ in shapes]
    for a, b in zip(*tree.query(list(shapes), predicate="intersects"), strict=True):
        if a != b:
            beside[int(a)].add(int(b))
    chosen: list[int] = []
    for number in range(len(shapes)):
        taken = {chosen[other] for other in beside[number] if other < number}
        free = [c for c in range(len(PALETTE)) if c not in taken] or [number % len(PALETTE)]
        # Of the free colours the one used least, so that the map is not all of one hue.
        chosen.append(min(free, key=lambda c: (chosen.count(c), c)))
    return [PALETTE[c] for c in chosen]
