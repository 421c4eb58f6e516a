"""The hotspot map: counts at places, counts of grid cells, and the density, over the basemap.

Everything comes in as plain data and words; which places may be shown was decided before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from folium.map import CustomPane
from folium.raster_layers import ImageOverlay
from numpy.typing import NDArray

from grid.shapes import Basemap, Shape
from maps.basemap import basemap_page
from maps.folium_page import (
    OfflineMap,
    circles_layer,
    feature,
    layer_switch,
    lines,
    link,
    panel,
    shapes_layer,
)

Floats = NDArray[np.float64]

HEAT: tuple[tuple[float, tuple[int, int, int, int]], ...] = (
    (0.0, (255, 237, 160, 0)),
    (0.08, (255, 237, 160, 60)),
    (0.3, (254, 178, 76, 150)),
    (0.6, (240, 59, 32, 185)),
    (1.0, (140, 0, 38, 215)),
)
"""The density's colours from none to the highest, red, green, blue and opacity 0–255."""

STEPS = ("#eff3ff", "#bdd7e7", "#6baed6", "#3182bd", "#08519c")
"""A cell's colours from few to many: one hue, told apart without colour vision."""

HOT = "#b30021"
USUAL = "#2b6cb0"
FEWEST_PIXELS = 4.0
DENSITY_PANE = "density"
"""Above the ground, under the circles: a picture on top of them would dim them."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place with its count, as a circle whose area grows with n."""

    lat: float
    lon: float
    n: int
    hot: bool
    words: tuple[str, ...]
    """Lines of the note; the first is the place's name."""
    url: str = ""
    url_words: str = ""


@dataclass(frozen=True, slots=True)
class CountedCell:
    """A grid cell with its count."""

    shape: Shape
    n: int
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DensityPicture:
    """A density sampled for drawing: row 0 northernmost, column 0 westernmost, per km²."""

    per_km2: Floats
    south_west: tuple[float, float]
    """Latitude, longitude."""
    north_east: tuple[float, float]


@dataclass(frozen=True)
class Layers:
    """What is drawn, each with the name it has in the list of layers."""

    spots_name: str
    cells_name: str
    density_name: str
    spots: Sequence[Spot] = field(default=())
    cells: Sequence[CountedCell] = field(default=())
    density: DensityPicture | None = None


@dataclass(frozen=True, slots=True)
class Caption:
    """The words on the map."""

    title: str
    paragraphs: Sequence[str]
    hot: str
    usual: str
    density: str
    """A sentence with one ``{}`` for the highest density."""
    source: str


def sample_density(
    at: Callable[[Floats, Floats], Floats],
    to_metric: Callable[[Floats, Floats], tuple[Floats, Floats]],
    bounds: tuple[float, float, float, float],
    *,
    pixels: int = 320,
) -> DensityPicture:
    """Sample a density on a picture's pixels.

    Parameters
    ----------
    at
        Density per km² at points in metres.
    to_metric
        Longitude, latitude to metres.
    bounds
        West, south, east, north in degrees.
    pixels
        Of the longer side.
    """
    west, south, east, north = bounds
    wide = (east - west) * np.cos(np.radians((south + north) / 2))
    longer = max(wide, north - south) or 1.0
    columns = max(2, round(pixels * wide / longer))
    rows = max(2, round(pixels * (north - south) / longer))
    lon = west + (np.arange(columns) + 0.5) / columns * (east - west)
    lat = north - (np.arange(rows) + 0.5) / rows * (north - south)
    grid_lon, grid_lat = np.meshgrid(lon, lat)
    x, y = to_metric(grid_lon.ravel(), grid_lat.ravel())
    return DensityPicture(at(x, y).reshape(rows, columns), (south, west), (north, east))


def colours(values: Floats) -> NDArray[np.uint8]:
    """Return RGBA bytes, shape (rows, columns, 4), of values scaled to their own maximum."""
    top = float(values.max(initial=0.0))
    scaled = values / top if top > 0 else np.zeros_like(values)
    at = [level for level, _ in HEAT]
    channels = [np.interp(scaled, at, [rgba[c] for _, rgba in HEAT]) for c in range(4)]
    return np.asarray(np.round(np.stack(channels, axis=-1)), np.uint8)


def radius(n: int, most: int) -> float:
    """Return a circle's radius in pixels: its area grows with n, up to 26 pixels for the most."""
    return max(FEWEST_PIXELS, 26.0 * float(np.sqrt(n / max(most, 25))))


def steps_of(counts: Sequence[int]) -> list[int]:
    """Return ascending upper bounds of up to five classes with whole-number limits."""
    most = max(counts, default=0)
    if most < len(STEPS):
        return list(range(1, most + 1)) or [1]
    bounds = np.unique(np.ceil(np.linspace(0, most, len(STEPS) + 1)[1:]).astype(int))
    return [int(bound) for bound in bounds]


def hotspot_map(
    base: Basemap,
    layers: Layers,
    caption: Caption,
    *,
    night: bool = False,
    locale: str = "zh",
) -> OfflineMap:
    """Return the hotspot map, ready to render."""
    page = basemap_page(base, title=caption.title, night=night, locale=locale)
    legend: list[tuple[str, str]] = []
    if layers.density is not None and layers.density.per_km2.any():
        page.add_child(CustomPane(DENSITY_PANE, z_index=300))
        page.add_child(_density_overlay(layers.density_name, layers.density))
        top = float(layers.density.per_km2.max())
        legend.append(("#8c0026", caption.density.format(f"{top:,.0f}")))
    bounds = steps_of([cell.n for cell in layers.cells])
    page.add_child(
        shapes_layer(
            layers.cells_name,
            [_cell(cell, bounds) for cell in layers.cells],
            show=False,
        )
    )
    # Large circles first, so that a small one on top of them can still be touched.
    spots = sorted(layers.spots, key=lambda spot: (-spot.n, spot.lat, spot.lon))
    most = max((spot.n for spot in spots), default=1)
    page.add_child(circles_layer(layers.spots_name, [_circle(spot, most) for spot in spots]))
    legend += [(f"o{HOT}", caption.hot), (f"o{USUAL}", caption.usual)]
    if layers.cells:
        low = 0
        for colour, high in zip(STEPS, bounds, strict=False):
            legend.append((colour, f"{layers.cells_name} {low}–{high}"))
            low = high + 1
    page.add_child(panel(caption.title, caption.paragraphs, legend, source=caption.source))
    layer_switch(page)
    return page


def _density_overlay(name: str, picture: DensityPicture) -> ImageOverlay:
    return ImageOverlay(
        colours(picture.per_km2),
        [list(picture.south_west), list(picture.north_east)],
        name=name,
        pixelated=False,
        opacity=0.85,
        pane=DENSITY_PANE,
    )


def _cell(cell: CountedCell, bounds: Sequence[int]) -> dict[str, object]:
    step = int(np.searchsorted(bounds, cell.n)) if cell.n else 0
    style = {
        "color": "#08306b",
        "weight": 1,
        "fillColor": STEPS[min(step, len(STEPS) - 1)],
        "fillOpacity": 0.72,
    }
    return feature(cell.shape.geometry, style, hint=lines(*cell.words))


def _circle(spot: Spot, most: int) -> tuple[float, float, float, dict[str, object], str, str]:
    colour = HOT if spot.hot else USUAL
    style: dict[str, object] = {
        "color": "#ffffff",
        "weight": 1.2,
        "fillColor": colour,
        "fillOpacity": 0.8 if spot.hot else 0.55,
    }
    words = lines(*spot.words)
    if spot.url:
        words += "<br>" + link(spot.url, spot.url_words)
    return spot.lat, spot.lon, radius(spot.n, most), style, lines(*spot.words[:2]), words
