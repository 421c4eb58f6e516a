"""Read the attributes of a shapefile (.dbf) whatever Chinese encoding they are in.

GDAL trusts the .cpg and otherwise guesses Latin-1: GBK without a .cpg becomes mojibake without any
error, and a UTF-8 field name cut at 10 bytes makes it fail. Here the bytes themselves decide.
Layout: dBASE III, https://www.loc.gov/preservation/digital/formats/fdd/fdd000325.shtml.
"""

import codecs
import datetime as dt
import struct
from dataclasses import dataclass
from pathlib import Path

from grid.imports.errors import FileBroken, Note
from grid.imports.files import has_chinese
from grid.imports.tables import Value

GBK_LANGUAGE_DRIVER = 0x4D
NAME_BYTES = 10
CODE_PAGES = {
    "UTF-8": "utf-8", "UTF8": "utf-8", "65001": "utf-8",
    "GBK": "gb18030", "GB2312": "gb18030", "GB18030": "gb18030", "936": "gb18030",
    "CP936": "gb18030", "ANSI 936": "gb18030", "MS936": "gb18030", "CHINESE": "gb18030",
}  # fmt: skip


@dataclass(frozen=True)
class Attributes:
    """The columns and records of a .dbf; a deleted record keeps its place as None."""

    columns: tuple[str, ...]
    records: tuple[dict[str, Value] | None, ...]
    encoding: str
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class _Field:
    name: bytes
    kind: str
    start: int
    length: int


def read_dbf(path: Path, code_page: str | None) -> Attributes:
    """Return the attributes; ``code_page`` is what the .cpg says, None where there is none.

    Raises FileBroken where records are missing at the end.
    """
    raw = path.read_bytes()
    if len(raw) < 33:
        raise FileBroken(name=path.name, where="表头不全 / the header is cut")
    count, header_size, record_size = struct.unpack_from("<IHH", raw, 4)
    fields = _fields(raw, header_size)
    if record_size < 1 or header_size + count * record_size > len(raw) + 1:
        held = max(0, len(raw) - header_size) // max(1, record_size)
        raise FileBroken(
            name=path.name, where=f"应有 {count} 条，只有 {held} 条 / {held} of {count} records"
        )
    rows = [
        raw[header_size + i * record_size : header_size + (i + 1) * record_size]
        for i in range(count)
    ]
    words = [f.name for f in fields] + [
        row[f.start : f.start + f.length].rstrip(b" \x00")
        for row in rows
        for f in fields
        if f.kind == "C"
    ]
    foreign = [w for w in words if not w.isascii()]
    declared = CODE_PAGES.get((code_page or "").strip().upper())
    if declared is None and raw[29] == GBK_LANGUAGE_DRIVER:
        declared = "gb18030"
    encoding, notes = _encoding(foreign, declared)
    columns, cut = _columns(fields, encoding)
    if cut:
        notes.append(
            Note(
                f"字段名在 .dbf 里最多 10 字节，以下可能被截断：{'、'.join(cut)}。请核对列的对应关系。",
                f"A .dbf keeps 10 bytes of a field name; these may be cut: {', '.join(cut)}. Check the column mapping.",
            )
        )
    records = tuple(
        None
        if row[:1] == b"*"
        else {
            column: _value(row[f.start : f.start + f.length], f.kind, encoding)
            for column, f in zip(columns, fields, strict=True)
        }
        for row in rows
    )
    return Attributes(tuple(columns), records, encoding, tuple(notes))


def _fields(raw: bytes, header_size: int) -> list[_Field]:
    fields, start = [], 1
    for at in range(32, min(header_size, len(raw)) - 1, 32):
        if raw[at] == 0x0D:
            break
        name = raw[at : at + 11].split(b"\x00")[0]
        kind = chr(raw[at + 11])
        # A text field may be longer than 255: its "decimals" byte is then the high byte.
        length = raw[at + 16] + (raw[at + 17] << 8 if kind == "C" else 0)
        fields.append(_Field(name, kind, start, length))
        start += length
    return fields


def _read(word: bytes, encoding: str) -> str | None:
    """Decode a word whose last character may have been cut in the middle."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(word, final=False)
    except UnicodeDecodeError:
        return None


def _all(words: list[bytes], encoding: str) -> bool:
    texts = [_read(w, encoding) for w in words]
    return None not in texts and any(has_chinese(t or "") for t in texts)


def _encoding(words: list[bytes], declared: str | None) -> tuple[str, list[Note]]:
    if not words:
        return declared or "utf-8", []
    # Text that is Chinese throughout as UTF-8 is UTF-8, whatever is declared: GBK text is not.
    for encoding, label in (("utf-8", "UTF-8"), ("gb18030", "GBK")):
        if _all(words, encoding):
            if declared == encoding:
                return encoding, []
            if declared is None:
                return encoding, [
                    Note(
                        f"压缩包里没有 .cpg（编码说明），属性文字已识别为 {label} 编码。请在预览里核对中文是否正确。",
                        f"There is no .cpg to say the encoding; the text was recognised as {label}. Check the Chinese in the preview.",
                    )
                ]
            return encoding, [
                Note(
                    f".cpg 写的编码与实际不符，属性文字已按 {label} 读取。请在预览里核对中文是否正确。",
                    f"The .cpg is wrong about the encoding; the text was read as {label}. Check the Chinese in the preview.",
                )
            ]
    return declared or "utf-8", [
        Note(
            "属性文字不是 UTF-8 或 GBK 中文，可能有乱码。请在预览里核对；有乱码时请重新导出为 UTF-8。",
            "The text is Chinese in neither UTF-8 nor GBK and may be garbled. Check the preview; export as UTF-8 if it is.",
        )
    ]


def _columns(fields: list[_Field], encoding: str) -> tuple[list[str], list[str]]:
    names: list[str] = []
    cut: list[str] = []
    for number, field in enumerate(fields, start=1):
        text = _read(field.name, encoding)
        name = (text if text is not None else field.name.decode("latin-1")).strip() or f"列{number}"
        if not field.name.isascii() and len(field.name) >= NAME_BYTES - 1:
            cut.append(name)
        unique, again = name, 1
        while unique in names:
            again += 1
            unique = f"{name} ({again})"
        names.append(unique)
    return names, cut


def _value(raw: bytes, kind: str, encoding: str) -> Value:
    if kind == "I" and len(raw) == 4:
        return int(struct.unpack("<i", raw)[0])
    if kind in "BO" and len(raw) == 8:
        return float(struct.unpack("<d", raw)[0])
    word = raw.strip(b" \x00")
    if not word or kind == "M":
        return None
    if kind in "NF":
        return _number(word)
    if kind == "L":
        return {b"T": True, b"Y": True, b"F": False, b"N": False}.get(word.upper())
    if kind == "D":
        try:
            return dt.date.fromisoformat(word.decode("ascii"))
        except ValueError:
            return None
    text = _read(word, encoding)
    return (text if text is not None else word.decode(encoding, errors="replace")).strip() or None


def _number(word: bytes) -> Value:
    try:
        number = float(word)
    except ValueError:
        return None
    return int(number) if number.is_integer() and b"." not in word else number
