"""What can be drawn of a community, as plain values: GeoJSON geometries in WGS 84 with their names.

The room between the database and the pictures: ``grid.basemap`` fills it from the tables,
``maps`` draws it, and neither needs the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Geometry = Mapping[str, Any]
"""A GeoJSON geometry, longitude before latitude, WGS 84."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One thing on the ground. ``label`` is what people call it; ``kind`` decides how it looks."""

    geometry: Geometry
    label: str = ""
    kind: str = ""
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Basemap:
    """Everything that stands still: what every map of the community is drawn on."""

    boundary: Shape | None = None
    estates: Sequence[Shape] = field(default=())
    cells: Sequence[Shape] = field(default=())
    buildings: Sequence[Shape] = field(default=())
    walkways: Sequence[Shape] = field(default=())
    places: Sequence[Shape] = field(default=())
