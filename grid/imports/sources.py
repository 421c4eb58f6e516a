"""Open any file that can be imported as one layer, by what it is and not by its name."""

import re
from pathlib import Path

from grid.imports.errors import FormatUnknown, Note, WrongKind
from grid.imports.files import (
    DEFAULT_LIMIT_MB,
    EXTENSIONS,
    FileKind,
    check_size,
    has_chinese,
    kind_of,
)
from grid.imports.geojson import read_geojson
from grid.imports.geopackage import read_geopackage
from grid.imports.kml import read_kml, read_kmz
from grid.imports.layers import Layer
from grid.imports.lonlat import with_shapes
from grid.imports.shapefile import read_shapefile
from grid.imports.tables import read_table

CURES = {
    FileKind.BARE_SHAPEFILE: (
        "请把同名的 .shp、.shx、.dbf、.prj 一起压缩成 .zip。",
        "Zip the .shp, .shx, .dbf and .prj of the same name together.",
    ),
    FileKind.XLS: (
        "请在 Excel/WPS 里另存为 .xlsx（并去掉密码）。",
        "Save it as .xlsx without a password.",
    ),
    FileKind.RAR: ("请改用 .zip 压缩。", "Pack it as .zip."),
    FileKind.GZIP: ("请先解压。", "Unpack it first."),
    FileKind.ZIP: (
        "压缩包里没有 .shp；其他格式请解压后直接上传。",
        "It holds no .shp; unpack other formats first.",
    ),
}
PLAIN_CURE = (
    "请导出为 GeoJSON、GeoPackage、Shapefile（.zip）、KML、Excel 或 CSV。",
    "Export it as GeoJSON, GeoPackage, a zipped Shapefile, KML, Excel or CSV.",
)


def read_layer(
    path: Path,
    *,
    layer: str | None = None,
    x_column: str | None = None,
    y_column: str | None = None,
    limit_mb: int = DEFAULT_LIMIT_MB,
) -> Layer:
    """Return the features of a file in its own coordinates.

    ``layer`` names a layer or sheet where there are several; ``x_column`` and ``y_column`` the
    coordinate columns of a table. Raises what the readers raise, or WrongKind.
    """
    check_size(path, limit_mb)
    kind = kind_of(path)
    if kind is FileKind.GEOJSON:
        found = read_geojson(path)
    elif kind is FileKind.GEOPACKAGE:
        found = read_geopackage(path, layer=layer)
    elif kind is FileKind.SHAPEFILE_ZIP:
        found = read_shapefile(path, layer=layer, limit_mb=limit_mb)
    elif kind is FileKind.KML:
        found = read_kml(path)
    elif kind is FileKind.KMZ:
        found = read_kmz(path, limit_mb=limit_mb)
    elif kind in {FileKind.XLSX, FileKind.CSV}:
        table = read_table(path, limit_mb=limit_mb, sheet=layer if kind is FileKind.XLSX else None)
        found = with_shapes(table, path.name, x_column=x_column, y_column=y_column)
    elif kind in {FileKind.OSM_XML, FileKind.OSM_PBF}:
        raise FormatUnknown(name=path.name)
    else:
        cure, cure_en = CURES.get(kind, PLAIN_CURE)
        raise WrongKind(name=path.name, found=kind.value, cure=cure, cure_en=cure_en)
    return found.noting(*_misnamed(path, kind), *_garbled(found))


def _misnamed(path: Path, kind: FileKind) -> list[Note]:
    suffix = path.suffix.lower()
    if suffix in EXTENSIONS.get(kind, {suffix}):
        return []
    return [
        Note(
            f"文件名后缀是“{suffix or '无'}”，内容其实是 {kind.value}，已按 {kind.value} 读取。",
            f"The file is named “{suffix}” but is really {kind.value}, and was read as that.",
        )
    ]


def _garbled(layer: Layer) -> list[Note]:
    """Find text that was spoilt before it came to us: GBK or UTF-8 once read as Latin-1."""
    for feature in layer.features[:200]:
        for value in feature.values.values():
            healed = _healed(value) if isinstance(value, str) else None
            if healed:
                return [
                    Note(
                        f"文字有乱码：“{str(value)[:20]}”原本应是“{healed[:20]}”。文件导出时编码选错了，请改用 UTF-8 重新导出。",
                        f"Text is garbled: “{str(value)[:20]}” should be “{healed[:20]}”. The file was exported in a wrong encoding: export it as UTF-8.",
                    )
                ]
    return []


def _healed(text: str) -> str | None:
    if not re.search(r"[\u0080-\u00ff]{2}", text) or has_chinese(text):
        return None
    for wrong in ("latin-1", "cp1252"):
        for right in ("utf-8", "gb18030"):
            try:
                healed = text.encode(wrong).decode(right)
            except (UnicodeEncodeError, UnicodeDecodeError):
                continue
            if has_chinese(healed):
                return healed
    return None
