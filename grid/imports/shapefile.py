"""Read a zipped Shapefile: shapes through GDAL, attributes through our own .dbf reader."""

import struct
import tempfile
from pathlib import Path

import numpy as np
import pyogrio.raw
import shapely
from pyogrio.errors import DataSourceError

from grid.coordinates import CrsUnknown, SourceSystem, system_of_wkt
from grid.imports.dbf import read_dbf
from grid.imports.errors import (
    FileBroken,
    FileEmpty,
    LayerNotChosen,
    Note,
    RowError,
    ShapefileIncomplete,
)
from grid.imports.files import DEFAULT_LIMIT_MB, unpack
from grid.imports.layers import Feature, Layer


def read_shapefile(
    path: Path, *, layer: str | None = None, limit_mb: int = DEFAULT_LIMIT_MB
) -> Layer:
    """Return the shapefile in a .zip; of several the one named ``layer``.

    Raises ZipUnsafe, FileBroken, FileEmpty, ShapefileIncomplete, LayerNotChosen or CrsRefused.
    """
    with tempfile.TemporaryDirectory(prefix="xunge-shp-") as folder:
        parts = {p.name.lower(): p for p in unpack(path, Path(folder), limit_mb)}
        stems = sorted(name[:-4] for name in parts if name.endswith(".shp"))
        if layer is not None:
            stems = [stem for stem in stems if stem == layer.lower()] or stems
        if len(stems) > 1:
            raise LayerNotChosen(name=path.name, layers="、".join(stems))
        stem = stems[0]
        missing = [ext for ext in (".shx", ".dbf") if f"{stem}{ext}" not in parts]
        if missing:
            raise ShapefileIncomplete(name=path.name, missing="、".join(missing))
        return _read(path.name, stem, parts)


def _read(name: str, stem: str, parts: dict[str, Path]) -> Layer:
    shp = parts[f"{stem}.shp"]
    _check_whole(shp)
    cpg = parts.get(f"{stem}.cpg")
    attributes = read_dbf(
        parts[f"{stem}.dbf"], cpg.read_text("ascii", errors="replace") if cpg else None
    )
    try:
        # Latin-1 never fails: GDAL's own reading of the names and texts is not used.
        _, numbers, shapes, _ = pyogrio.raw.read(
            shp, columns=[], encoding="ISO-8859-1", return_fids=True
        )
    except DataSourceError as error:
        raise FileBroken(name=name, where=str(error)[:80]) from error
    declared, notes = _declared(parts.get(f"{stem}.prj"))
    features, errors = [], []
    for number, wkb in zip(np.asarray(numbers).tolist(), shapes, strict=True):
        values = attributes.records[number] if number < len(attributes.records) else {}
        if values is None:
            continue
        shape = shapely.from_wkb(wkb) if wkb is not None else None
        if shape is None or shape.is_empty:
            shape = None
            errors.append(RowError(number + 1, "没有几何图形", "it has no geometry"))
        features.append(Feature(number + 1, values, shape))
    if not features:
        raise FileEmpty(name=name)
    return Layer(
        attributes.columns,
        tuple(features),
        declared,
        stem,
        errors=tuple(errors),
        notes=(*attributes.notes, *notes),
    )


def _check_whole(shp: Path) -> None:
    """Compare the length a .shp says it has (in 16-bit words) with the bytes that came."""
    with shp.open("rb") as stream:
        head = stream.read(100)
    said = 2 * struct.unpack(">i", head[24:28])[0] if len(head) == 100 else -1
    if said != shp.stat().st_size:
        raise FileBroken(
            name=shp.name,
            where=f"应有 {max(said, 0)} 字节，只有 {shp.stat().st_size} / bytes missing",
        )


def _declared(prj: Path | None) -> tuple[SourceSystem | None, list[Note]]:
    text = prj.read_text("utf-8", errors="replace").strip() if prj else ""
    if not text:
        return None, [
            Note(
                "没有 .prj，坐标系须由您选择。",
                "There is no .prj: the coordinate system is yours to choose.",
            )
        ]
    try:
        return system_of_wkt(text), []
    except CrsUnknown as unknown:
        return None, [Note(unknown.sentence("zh"), unknown.sentence("en"))]
