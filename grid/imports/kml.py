"""Read KML and KMZ with a parser that expands no entity and follows no reference."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import (
    Element,
    ParseError,
)

import defusedxml.ElementTree
import shapely
from defusedxml.common import DefusedXmlException
from shapely.geometry.base import BaseGeometry

from grid.imports.errors import FileBroken, FileEmpty, RowError, XmlUnsafe
from grid.imports.files import DEFAULT_LIMIT_MB, unpack
from grid.imports.layers import Feature, Layer
from grid.imports.tables import Value


def read_kmz(path: Path, *, limit_mb: int = DEFAULT_LIMIT_MB) -> Layer:
    """Return the placemarks of the first .kml in a KMZ archive."""
    with tempfile.TemporaryDirectory(prefix="xunge-kmz-") as folder:
        inside = sorted(
            p for p in unpack(path, Path(folder), limit_mb) if p.suffix.lower() == ".kml"
        )
        if not inside:
            raise FileEmpty(name=path.name)
        return read_kml(inside[0], name=path.name)


def read_kml(path: Path, *, name: str | None = None) -> Layer:
    """Return the placemarks of a KML file, with their extended data as columns.

    Raises XmlUnsafe, FileBroken or FileEmpty.
    """
    name = name or path.name
    features: list[Feature] = []
    errors: list[RowError] = []
    columns: dict[str, None] = {}
    try:
        with path.open("rb") as stream:
            for event in defusedxml.ElementTree.iterparse(stream, forbid_dtd=True):
                element: Element = event[1]
                if _tag(element) != "Placemark":
                    continue
                row = len(features) + 1
                values = _values(element)
                columns.update(dict.fromkeys(values))
                shape = None
                try:
                    shape = _shape_under(element)
                except (ValueError, shapely.GEOSException):
                    errors.append(RowError(row, "坐标写得不对", "its coordinates are malformed"))
                else:
                    if shape is None:
                        errors.append(RowError(row, "没有几何图形", "it has no geometry"))
                features.append(Feature(row, values, shape))
                element.clear()
    except DefusedXmlException as error:
        raise XmlUnsafe(name=name) from error
    except ParseError as error:
        line = error.position[0]
        raise FileBroken(name=name, where=f"第 {line} 行 / line {line}") from error
    if not features:
        raise FileEmpty(name=name)
    return Layer(tuple(columns), tuple(features), None, Path(name).stem, errors=tuple(errors))


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _children(element: Element, *tags: str) -> Iterator[Element]:
    return (child for child in element if _tag(child) in tags)


def _text(element: Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""


def _values(placemark: Element) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for child in _children(placemark, "name"):
        values["name"] = _text(child) or None
    if placemark.get("id"):
        values["id"] = placemark.get("id")
    for element in placemark.iter():
        if _tag(element) == "Data" and element.get("name"):
            values[element.get("name", "")] = _text(next(_children(element, "value"), None)) or None
        elif _tag(element) == "SimpleData" and element.get("name"):
            values[element.get("name", "")] = _text(element) or None
    return values


def _shape_under(parent: Element) -> BaseGeometry | None:
    shapes = [
        shape
        for child in _children(
            parent, "Point", "LineString", "LinearRing", "Polygon", "MultiGeometry"
        )
        if (shape := _shape(child)) is not None
    ]
    if not shapes:
        return None
    return shapes[0] if len(shapes) == 1 else _together(shapes)


def _together(shapes: list[BaseGeometry]) -> BaseGeometry:
    kinds = {shape.geom_type for shape in shapes}
    if kinds <= {"Polygon", "MultiPolygon"}:
        return shapely.multipolygons([p for s in shapes for p in shapely.get_parts(s)])
    if kinds <= {"LineString", "MultiLineString"}:
        return shapely.multilinestrings([p for s in shapes for p in shapely.get_parts(s)])
    return shapely.geometrycollections(shapes)


def _shape(element: Element) -> BaseGeometry | None:
    kind = _tag(element)
    if kind == "MultiGeometry":
        return _shape_under(element)
    if kind == "Polygon":
        rings = {"outerBoundaryIs": [], "innerBoundaryIs": []}  # type: dict[str, list[list[tuple[float, float]]]]
        for side in _children(element, *rings):
            rings[_tag(side)] += [_coordinates(ring) for ring in _children(side, "LinearRing")]
        if not rings["outerBoundaryIs"]:
            return None
        return shapely.Polygon(rings["outerBoundaryIs"][0], rings["innerBoundaryIs"])
    points = _coordinates(element)
    if kind == "Point":
        return shapely.Point(points[0]) if points else None
    return shapely.LineString(points) if points else None


def _coordinates(element: Element) -> list[tuple[float, float]]:
    text = _text(next(_children(element, "coordinates"), None))
    points = []
    for triple in text.split():
        lon, lat, *_ = triple.split(",")
        points.append((float(lon), float(lat)))
    return points
