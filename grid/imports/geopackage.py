"""Read a layer of a GeoPackage.

A lost page is an error of GDAL's own, never fewer rows: tried with each page of a file zeroed.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pyogrio.raw
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from grid.coordinates import CrsUnknown, SourceSystem, system_of_wkt
from grid.imports.errors import FileBroken, FileEmpty, LayerNotChosen, Note, RowError
from grid.imports.layers import Feature, Layer
from grid.imports.tables import Value


def read_geopackage(path: Path, *, layer: str | None = None) -> Layer:
    """Return the layer named, or the only one with geometry.

    Raises FileBroken, FileEmpty, LayerNotChosen or CrsRefused.
    """
    try:
        names = [str(n) for n, kind in pyogrio.list_layers(path) if kind is not None]
        if layer in names:
            names = [str(layer)]
        if not names:
            raise FileEmpty(name=path.name)
        if len(names) > 1:
            raise LayerNotChosen(name=path.name, layers="、".join(names))
        meta, fids, shapes, columns = pyogrio.raw.read(path, layer=names[0], return_fids=True)
    except (DataSourceError, DataLayerError) as error:
        raise FileBroken(name=path.name, where=str(error)[:80]) from error
    fields = [str(f) for f in meta["fields"]]
    declared, notes = _declared(meta.get("crs"))
    features, errors = [], []
    for i, fid in enumerate(np.asarray(fids).tolist()):
        values = {field: _value(column[i]) for field, column in zip(fields, columns, strict=True)}
        shape = shapely.from_wkb(shapes[i]) if shapes[i] is not None else None
        if shape is None or shape.is_empty:
            shape = None
            errors.append(RowError(fid, "没有几何图形", "it has no geometry"))
        features.append(Feature(fid, values, shape))
    if not features:
        raise FileEmpty(name=path.name)
    return Layer(
        tuple(fields), tuple(features), declared, names[0], errors=tuple(errors), notes=tuple(notes)
    )


def _declared(crs: Any) -> tuple[SourceSystem | None, list[Note]]:  # noqa: ANN401
    if not crs or "undefined" in str(crs).lower():
        return None, []
    try:
        return system_of_wkt(str(crs)), []
    except CrsUnknown as unknown:
        return None, [Note(unknown.sentence("zh"), unknown.sentence("en"))]


def _value(value: Any) -> Value:  # noqa: ANN401 - a numpy scalar, a str, None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and np.isnan(value):
        return None
    if isinstance(value, str):
        return value.strip() or None
    return value if isinstance(value, int | float | bool) else (str(value) if value else None)
