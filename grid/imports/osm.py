"""Read an OpenStreetMap extract (.osm or .pbf): buildings, walkable ways, gates, named estates.

OSM is WGS 84 by definition. Data © OpenStreetMap contributors, ODbL 1.0: an import says so.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import osmium
import shapely
from shapely.geometry.base import BaseGeometry

from grid.coordinates import WGS84
from grid.imports.errors import FileBroken, FileEmpty, FormatUnknown, Note, XmlUnsafe
from grid.imports.files import DEFAULT_LIMIT_MB, FileKind, check_size, kind_of
from grid.imports.layers import Feature, Layer
from grid.imports.tables import Value

WALKABLE = frozenset(
    {
        "footway", "path", "steps", "pedestrian", "living_street", "residential", "service",
        "unclassified", "road", "track", "cycleway", "corridor", "tertiary", "tertiary_link",
        "secondary", "secondary_link", "primary", "primary_link",
    }
)  # fmt: skip
"""Highways that can be walked, on the way or on its pavement; motorways and trunks cannot."""
GATES = frozenset({"gate", "lift_gate", "swing_gate", "sliding_gate", "turnstile", "entrance"})
NO_BUILDING = frozenset({"no", "construction", "demolished", "ruins"})
USES = {
    **dict.fromkeys(
        ("apartments", "residential", "house", "dormitory", "terrace", "detached", "bungalow"),
        "residential",
    ),
    **dict.fromkeys(("commercial", "retail", "office", "hotel", "supermarket", "kiosk"), "commercial"),
    **dict.fromkeys(("industrial", "warehouse", "factory", "manufacture"), "industrial"),
    **dict.fromkeys(("school", "kindergarten", "university", "college"), "school"),
    **dict.fromkeys(("hospital", "public", "civic", "government", "transportation"), "public"),
}  # fmt: skip
"""What a building's tag says of its use; the rest is ``other``, and plain ``yes`` is not known."""
ATTRIBUTION = Note(
    "数据 © OpenStreetMap 贡献者，ODbL 1.0；公开使用时须注明。",
    "Data © OpenStreetMap contributors, ODbL 1.0; say so wherever they are shown in public.",
)


@dataclass(frozen=True)
class OsmExtract:
    """An extract's layers, all in WGS 84; ``columns`` are named as the targets' own fields.

    ``buildings``: source_key, name, number, use, floors, households; multipolygons.
    ``walkways``: source_key, kind, name; lines. ``gates``: source_key, kind, name; points.
    ``estates``: source_key, name, kind; multipolygons.
    """

    buildings: Layer
    walkways: Layer
    gates: Layer
    estates: Layer


def read_osm(path: Path, *, limit_mb: int = DEFAULT_LIMIT_MB) -> OsmExtract:
    """Return what an .osm or .osm.pbf extract holds of use to a patrol.

    Raises FileMissing, FileTooLarge, FormatUnknown, FileBroken, XmlUnsafe or FileEmpty.
    """
    check_size(path, limit_mb)
    kind = kind_of(path)
    if kind not in {FileKind.OSM_XML, FileKind.OSM_PBF}:
        raise FormatUnknown(name=path.name)
    reader = _Reader()
    try:
        # The format is told by content; a file named .xml or .bin reads all the same.
        source = osmium.io.File(str(path), "osm" if kind is FileKind.OSM_XML else "pbf")
        for thing in osmium.FileProcessor(source).with_areas(
            osmium.filter.KeyFilter("building", "landuse")
        ):
            reader.take(thing)
    except RuntimeError as error:
        if "entities" in str(error):
            raise XmlUnsafe(name=path.name) from error
        raise FileBroken(name=path.name, where=str(error)[:80]) from error
    extract = reader.extract()
    if not (extract.buildings.features or extract.walkways.features or extract.gates.features):
        raise FileEmpty(name=path.name)
    return extract


class _Reader:
    """Collects features as they pass by."""

    def __init__(self) -> None:
        self.buildings: list[Feature] = []
        self.walkways: list[Feature] = []
        self.gates: list[Feature] = []
        self.estates: list[Feature] = []
        self.torn = 0
        self._wkb = osmium.geom.WKBFactory()

    def take(self, thing: osmium.osm.OSMObject) -> None:
        tags = {tag.k: tag.v for tag in thing.tags}
        if thing.is_area():
            if tags.get("building", "no") not in NO_BUILDING:
                self._add_area(self.buildings, thing, _building(tags))
            elif tags.get("landuse") == "residential" and tags.get("name"):
                self._add_area(self.estates, thing, {"name": _name(tags), "kind": "other"})
        elif thing.is_way():
            if _can_be_walked(tags):
                self._add_way(thing, tags)
        elif thing.is_node() and tags.get("barrier") in GATES and thing.location.valid():
            point = shapely.Point(thing.location.lon, thing.location.lat)
            # Most gates are nameless; the number at the end tells them apart on a list.
            name = _name(tags) or f"出入口{thing.id % 10000:04d}"
            self._add(self.gates, f"node/{thing.id}", {"name": name, "kind": "gate"}, point)

    def _add_area(
        self, to: list[Feature], area: osmium.osm.Area, values: Mapping[str, Value]
    ) -> None:
        origin = f"{'way' if area.from_way() else 'relation'}/{area.orig_id()}"
        try:
            shape = shapely.from_wkb(self._wkb.create_multipolygon(area))
        except RuntimeError:
            self.torn += 1
            return
        self._add(to, origin, values, shape)

    def _add_way(self, way: osmium.osm.Way, tags: Mapping[str, str]) -> None:
        # A clipped extract names nodes it does not hold: keep the longest known stretch.
        known: list[tuple[float, float]] = []
        run: list[tuple[float, float]] = []
        for node in way.nodes:
            run = [*run, (node.lon, node.lat)] if node.location.valid() else []
            known = max(known, run, key=len)
        if len(set(known)) < 2:
            self.torn += 1
            return
        values = {"kind": tags["highway"], "name": _name(tags)}
        self._add(self.walkways, f"way/{way.id}", values, shapely.LineString(known))

    def _add(
        self, to: list[Feature], origin: str, values: Mapping[str, Value], shape: BaseGeometry
    ) -> None:
        key: dict[str, Value] = {"source_key": f"osm:{origin}"}
        to.append(Feature(len(to) + 1, {**key, **values}, shape))

    def extract(self) -> OsmExtract:
        notes = [ATTRIBUTION]
        if self.torn:
            notes.append(
                Note(
                    f"{self.torn} 个要素在裁剪范围边上不完整，未读取。",
                    f"{self.torn} things at the extract's edge are incomplete and were left out.",
                )
            )

        def layer(name: str, features: list[Feature]) -> Layer:
            columns = tuple(features[0].values) if features else ()
            return Layer(columns, tuple(features), WGS84, name, notes=tuple(notes))

        return OsmExtract(
            layer("buildings", self.buildings),
            layer("walkways", self.walkways),
            layer("gates", self.gates),
            layer("estates", self.estates),
        )


def _can_be_walked(tags: Mapping[str, str]) -> bool:
    return (
        tags.get("highway") in WALKABLE and tags.get("foot") != "no" and tags.get("area") != "yes"
    )


def _name(tags: Mapping[str, str]) -> str | None:
    return tags.get("name:zh") or tags.get("name") or None


def _whole(text: str | None) -> int | None:
    found = re.match(r"\s*(\d{1,4})", text or "")
    return int(found.group(1)) if found else None


def _building(tags: Mapping[str, str]) -> dict[str, Value]:
    kind = tags["building"].split(";")[0]
    return {
        "name": _name(tags),
        "number": tags.get("addr:housenumber") or tags.get("ref"),
        "use": USES.get(kind, "unknown" if kind == "yes" else "other"),
        "floors": _whole(tags.get("building:levels")),
        "households": _whole(tags.get("building:flats")),
    }
