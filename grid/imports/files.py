"""What a file really is, by its first bytes and not its name; and archives that do no harm."""

import shutil
import stat
import zipfile
import zlib
from enum import StrEnum
from pathlib import Path, PurePosixPath

from grid.imports.errors import (
    FileBroken,
    FileEmpty,
    FileMissing,
    FileTooLarge,
    FormatUnknown,
    ZipUnsafe,
)

DEFAULT_LIMIT_MB = 50
MB = 1024 * 1024
ZIP_MEMBERS = 2000
ZIP_GROWTH = 5
"""An archive may unpack to this many times the size limit. No limit on how tight it is packed:
the padded text of a .dbf honestly reaches 1:500."""


class FileKind(StrEnum):
    """A format, named as people name it."""

    GEOJSON = "GeoJSON"
    GEOPACKAGE = "GeoPackage"
    SHAPEFILE_ZIP = "Shapefile (.zip)"
    KML = "KML"
    KMZ = "KMZ"
    XLSX = "Excel (.xlsx)"
    XLS = "Excel (.xls)"
    CSV = "CSV"
    OSM_XML = "OSM XML"
    OSM_PBF = "OSM PBF"
    BARE_SHAPEFILE = "Shapefile (.shp)"
    SQLITE = "SQLite"
    ZIP = "ZIP"
    GZIP = "gzip"
    RAR = "RAR/7z"
    PDF = "PDF"
    IMAGE = "image"
    WORD = "Word (.docx)"
    HTML = "HTML"
    XML = "XML"
    JSON = "JSON"


EXTENSIONS = {
    FileKind.GEOJSON: {".geojson", ".json"},
    FileKind.GEOPACKAGE: {".gpkg"},
    FileKind.SHAPEFILE_ZIP: {".zip"},
    FileKind.KML: {".kml"},
    FileKind.KMZ: {".kmz"},
    FileKind.XLSX: {".xlsx", ".xlsm"},
    FileKind.CSV: {".csv", ".txt", ".tsv"},
    FileKind.OSM_XML: {".osm", ".xml"},
    FileKind.OSM_PBF: {".pbf"},
}
"""The extensions each readable format usually has."""


def check_size(path: Path, limit_mb: int) -> None:
    """Refuse a file that is absent, empty or over the limit, without reading it.

    Raises FileMissing, FileEmpty or FileTooLarge.
    """
    if not path.is_file():
        raise FileMissing(path=str(path))
    size = path.stat().st_size
    if size == 0:
        raise FileEmpty(name=path.name)
    if size > limit_mb * MB:
        raise FileTooLarge(name=path.name, size_mb=-(-size // MB), limit_mb=limit_mb)


def kind_of(path: Path) -> FileKind:
    """Return what a file is by its content.

    Raises FormatUnknown, or FileBroken for an archive that was cut short.
    """
    with path.open("rb") as stream:
        head = stream.read(4096)
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return _kind_of_archive(path)
    if head.startswith(b"SQLite format 3\x00"):
        return FileKind.GEOPACKAGE if head[68:72] in _GEOPACKAGE_IDS else FileKind.SQLITE
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    if b"OSMHeader" in head[:64]:
        return FileKind.OSM_PBF
    return _kind_of_text(path, head)


_GEOPACKAGE_IDS = {b"GPKG", b"GP10", b"GP11"}
_MAGIC = {
    b"\xd0\xcf\x11\xe0": FileKind.XLS,
    b"\x00\x00\x27\x0a": FileKind.BARE_SHAPEFILE,
    b"\x1f\x8b": FileKind.GZIP,
    b"Rar!": FileKind.RAR,
    b"7z\xbc\xaf": FileKind.RAR,
    b"%PDF": FileKind.PDF,
    b"\x89PNG": FileKind.IMAGE,
    b"\xff\xd8\xff": FileKind.IMAGE,
}


def _kind_of_text(path: Path, head: bytes) -> FileKind:
    text = head.lstrip(b"\xef\xbb\xbf").lstrip()
    if text[:1] in {b"{", b"["}:
        return FileKind.GEOJSON if b'"type"' in head or len(head) < 4096 else FileKind.JSON
    if text[:1] == b"<":
        lowered = text.lower()
        for mark, kind in ((b"<osm", FileKind.OSM_XML), (b"<kml", FileKind.KML)):
            if mark in lowered:
                return kind
        if b"<html" in lowered or b"<!doctype html" in lowered:
            return FileKind.HTML
        # A DTD may stand before the root: the reader refuses it in its own sentence.
        return FileKind.KML if path.suffix.lower() == ".kml" else FileKind.XML
    if path.suffix.lower() in EXTENSIONS[FileKind.CSV] or _looks_tabular(head):
        return FileKind.CSV
    raise FormatUnknown(name=path.name)


def _looks_tabular(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    if b"\x00" in head:
        return False
    lines = [line for line in head.split(b"\n")[:-1] if line.strip()][:5]
    return len(lines) > 1 and any(
        all(line.count(mark) == lines[0].count(mark) > 0 for line in lines)
        for mark in (b",", b"\t", b";")
    )


def _kind_of_archive(path: Path) -> FileKind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.lower() for name in archive.namelist()]
    except zipfile.BadZipFile as error:
        raise FileBroken(
            name=path.name, where="压缩包结尾缺失 / the archive's end is gone"
        ) from error
    if "xl/workbook.xml" in names:
        return FileKind.XLSX
    if "word/document.xml" in names:
        return FileKind.WORD
    if any(name.endswith(".shp") for name in names):
        return FileKind.SHAPEFILE_ZIP
    if any(name.endswith(".kml") for name in names):
        return FileKind.KMZ
    return FileKind.ZIP


def safe_members(archive: zipfile.ZipFile, name: str, limit_mb: int) -> list[zipfile.ZipInfo]:
    """Return the files of an archive after looking at its directory only.

    Raises ZipUnsafe for paths that leave the folder, links, locked members, too many members or a
    content that would flood the disk.
    """
    members = [m for m in archive.infolist() if not m.is_dir()]
    if len(members) > ZIP_MEMBERS:
        raise ZipUnsafe(
            name=name,
            why=f"里面有 {len(members)} 个文件",
            why_en=f"it holds {len(members)} files",
        )
    for member in members:
        # Windows archivers write backslashes; zipfile keeps them inside names on Linux.
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or (path.parts and ":" in path.parts[0]):
            raise ZipUnsafe(
                name=name,
                why=f"文件路径“{member.filename}”指向压缩包以外",
                why_en=f"the path “{member.filename}” leads outside",
            )
        if stat.S_ISLNK(member.external_attr >> 16):
            raise ZipUnsafe(
                name=name,
                why=f"“{member.filename}”是链接",
                why_en=f"“{member.filename}” is a link",
            )
        if member.flag_bits & 0x1:
            raise ZipUnsafe(
                name=name, why="压缩包加了密码", why_en="the archive is locked with a password"
            )
    total = sum(m.file_size for m in members)
    if total > limit_mb * ZIP_GROWTH * MB:
        raise ZipUnsafe(
            name=name,
            why=f"解压后有 {-(-total // MB)} MB，可能是压缩炸弹",
            why_en=f"it unpacks to {-(-total // MB)} MB, as archive bombs do",
        )
    return members


def unpack(path: Path, into: Path, limit_mb: int) -> list[Path]:
    """Unpack an archive flat into a folder and return the files.

    Names are read as UTF-8 or GBK. A directory that lies about a size gains nothing: ``zipfile``
    stops at the size it declares and finds the checksum wrong. Raises ZipUnsafe or FileBroken.
    """
    made: list[Path] = []
    try:
        with zipfile.ZipFile(path) as archive:
            for member in safe_members(archive, path.name, limit_mb):
                target = into / PurePosixPath(_name(member).replace("\\", "/")).name
                if target.exists():
                    raise ZipUnsafe(
                        name=path.name,
                        why=f"不同文件夹里都有“{target.name}”",
                        why_en=f"two folders both hold “{target.name}”",
                    )
                with archive.open(member) as source, target.open("wb") as sink:
                    shutil.copyfileobj(source, sink)
                made.append(target)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, zlib.error) as error:
        raise FileBroken(name=path.name, where="压缩包损坏 / the archive is damaged") from error
    return made


def _name(member: zipfile.ZipInfo) -> str:
    if member.flag_bits & 0x800:
        return member.filename
    try:
        raw = member.filename.encode("cp437")
    except UnicodeEncodeError:
        return member.filename
    # 楼 in GBK (C2 A5) is also valid UTF-8 (¥): only Chinese proves a guess right.
    for encoding in ("utf-8", "gb18030"):
        try:
            name = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if has_chinese(name):
            return name
    return member.filename


def has_chinese(text: str) -> bool:
    """Say whether a text holds Chinese characters."""
    return any("㐀" <= c <= "鿿" or "豈" <= c <= "\ufaff" or c >= "\U00020000" for c in text)
