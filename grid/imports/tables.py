"""Read a table from CSV or Excel as people really save them.

CSV may be UTF-8 (with or without BOM), UTF-16 or GBK, separated by comma, tab or semicolon.
Excel is .xlsx; dates come as ``date``/``datetime``, formulas as the value Excel last computed.
Nothing is read before the size is known to be within the limit.
"""

import csv
import datetime as dt
import io
import math
import re
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from grid.imports.errors import (
    FileBroken,
    FileEmpty,
    NotATable,
    Note,
    OldExcel,
    RowError,
    TextUnreadable,
    TooManyRows,
)
from grid.imports.files import (
    DEFAULT_LIMIT_MB,
    FileKind,
    check_size,
    has_chinese,
    kind_of,
    safe_members,
)

ROW_LIMIT = 200_000
EXCEL_ERRORS = frozenset({"#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"})

Value = str | int | float | bool | dt.date | dt.datetime | dt.time | None


@dataclass(frozen=True)
class TableRow:
    """One row under its header.

    ``number`` is the spreadsheet's own row number: the header is 1, so the first row is mostly 2.
    """

    number: int
    values: dict[str, Value]

    def text(self, column: str | None) -> str:
        """Return a cell as trimmed text: 12.0 is ``12``, a date is ISO, nothing is ``""``."""
        return as_text(self.values.get(column)) if column else ""


@dataclass(frozen=True)
class Table:
    """A header and the rows under it; wholly empty rows are left out.

    ``errors`` are cells that could not be read (a formula never computed, ``#REF!``); their value
    is None. ``notes`` say what was decided about the file: its encoding, the sheet taken.
    """

    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]
    errors: tuple[RowError, ...] = ()
    notes: tuple[Note, ...] = ()


def as_text(value: Value) -> str:
    """Return a cell's value as trimmed text in half-width characters."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return unicodedata.normalize("NFKC", str(value)).strip()


def read_table(path: Path, *, limit_mb: int = DEFAULT_LIMIT_MB, sheet: str | None = None) -> Table:
    """Return the table in a CSV or .xlsx file; of a workbook the named sheet, or the first filled.

    Raises FileMissing, FileTooLarge, FileEmpty, FileBroken, OldExcel, NotATable, TextUnreadable,
    ZipUnsafe or TooManyRows.
    """
    check_size(path, limit_mb)
    kind = kind_of(path)
    if kind is FileKind.XLS:
        raise OldExcel(name=path.name)
    if kind is FileKind.XLSX:
        return _read_excel(path, sheet, limit_mb)
    if kind is not FileKind.CSV:
        raise NotATable(name=path.name, found=kind.value)
    return _read_csv(path)


# --- CSV ----------------------------------------------------------------------------------------


def decode(raw: bytes, name: str) -> tuple[str, str]:
    """Return text and the encoding it was in: a BOM's, UTF-8, or GBK (as GB 18030).

    A short GBK text can happen to be valid UTF-8, but then as Greek or Arabic letters, never as
    Chinese characters: those take three bytes.
    """
    if raw.startswith(b"\xef\xbb\xbf"):
        return raw[3:].decode("utf-8", errors="replace"), "utf-8-sig"
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace"), "utf-16"
    utf8 = _try(raw, "utf-8")
    if utf8 is not None and (utf8.isascii() or has_chinese(utf8)):
        return utf8, "utf-8"
    gbk = _try(raw, "gb18030")
    if gbk is not None and has_chinese(gbk):
        return gbk, "gbk"
    if utf8 is not None:
        return utf8, "utf-8"
    if gbk is not None:
        return gbk, "gbk"
    raise TextUnreadable(name=name, line=_first_bad_line(raw))


def _try(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _first_bad_line(raw: bytes) -> int:
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if _try(line, "utf-8") is None and _try(line, "gb18030") is None:
            return number
    return 1


def _read_csv(path: Path) -> Table:
    raw = path.read_bytes()
    if b"\x00" in raw[:4096] and not raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileBroken(name=path.name, where="含有二进制内容，不是文本 / binary content")
    text, encoding = decode(raw, path.name)
    if not text.strip():
        raise FileEmpty(name=path.name)
    notes = []
    if encoding == "gbk":
        notes.append(Note("文字按 GBK 编码读取。", "The text was read as GBK."))
    elif encoding == "utf-16":
        notes.append(Note("文字按 UTF-16 编码读取。", "The text was read as UTF-16."))
    head = text[:8192]
    separator = max(",\t;，", key=lambda c: _in_first_line(head, c))
    rows: list[tuple[int, list[Value]]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        line_before = 0
        for cells in reader:
            if len(rows) > ROW_LIMIT:
                raise TooManyRows(name=path.name, limit=ROW_LIMIT)
            rows.append((line_before + 1, [c.strip() or None for c in cells]))
            line_before = reader.line_num
    except csv.Error as error:
        raise FileBroken(
            name=path.name, where=f"第 {reader.line_num} 行 / line {reader.line_num}"
        ) from error
    return _under_header(path.name, rows, (), tuple(notes))


def _in_first_line(text: str, separator: str) -> int:
    for line in text.splitlines():
        if line.strip():
            return line.count(separator)
    return 0


# --- Excel --------------------------------------------------------------------------------------


def _read_excel(path: Path, sheet: str | None, limit_mb: int) -> Table:
    with zipfile.ZipFile(path) as archive:
        safe_members(archive, path.name, limit_mb)
        formulas = any(
            _holds(archive, name, b"<f") for name in archive.namelist() if "worksheets/" in name
        )
    try:
        # By content, not by name: openpyxl refuses a path whose extension it does not like.
        book = openpyxl.load_workbook(io.BytesIO(path.read_bytes()), read_only=True, data_only=True)
        try:
            chosen = _sheet(book, sheet, path.name)
            rows = _cells(chosen, path.name)
            notes = []
            if len(book.sheetnames) > 1:
                notes.append(
                    Note(
                        f"工作簿有 {len(book.sheetnames)} 张表，读取“{chosen.title}”。",
                        f"The workbook has {len(book.sheetnames)} sheets; “{chosen.title}” was read.",
                    )
                )
            title = chosen.title
        finally:
            book.close()
        written = _written(path, title) if formulas else {}
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise FileBroken(name=path.name, where=type(error).__name__) from error
    return _under_header(path.name, rows, tuple(_uncomputed(rows, written)), tuple(notes))


def _holds(archive: zipfile.ZipFile, name: str, wanted: bytes) -> bool:
    with archive.open(name) as stream:
        tail = b""
        while block := stream.read(1 << 16):
            if wanted in tail + block:
                return True
            tail = block[-len(wanted) :]
    return False


def _sheet(book: Any, wanted: str | None, name: str) -> Any:  # noqa: ANN401 - openpyxl is untyped
    if wanted is not None:
        if wanted not in book.sheetnames:
            raise FileBroken(name=name, where=f"没有工作表“{wanted}” / no sheet “{wanted}”")
        return book[wanted]
    for sheet in book.worksheets:
        # A read-only sheet may carry a wrong or missing extent; look for one filled cell.
        sheet.reset_dimensions()
        for cells in sheet.iter_rows(max_row=50, values_only=True):
            if any(c is not None for c in cells):
                return sheet
    raise FileEmpty(name=name)


def _cells(sheet: Any, name: str) -> list[tuple[int, list[Value]]]:  # noqa: ANN401
    sheet.reset_dimensions()
    rows: list[tuple[int, list[Value]]] = []
    for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        if number > ROW_LIMIT:
            raise TooManyRows(name=name, limit=ROW_LIMIT)
        rows.append((number, [_cell(c) for c in cells]))
    return rows


def _cell(value: Any) -> Value:  # noqa: ANN401 - whatever Excel holds
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    return value if isinstance(value, int | float | bool | dt.date | dt.time) else None


def _written(path: Path, title: str) -> dict[tuple[int, int], str]:
    """Return the formulas of a sheet by (row from 1, column from 0)."""
    book = openpyxl.load_workbook(io.BytesIO(path.read_bytes()), read_only=True, data_only=False)
    try:
        sheet = book[title]
        sheet.reset_dimensions()
        return {
            (r, c): str(value)
            for r, cells in enumerate(sheet.iter_rows(values_only=True), start=1)
            for c, value in enumerate(cells)
            if isinstance(value, str) and value.startswith("=")
        }
    finally:
        book.close()


def _uncomputed(
    rows: list[tuple[int, list[Value]]], written: dict[tuple[int, int], str]
) -> list[RowError]:
    errors = []
    for number, cells in rows:
        for column, value in enumerate(cells):
            letter = openpyxl.utils.get_column_letter(column + 1)
            formula = written.get((number, column))
            if value is None and formula is not None:
                errors.append(
                    RowError(
                        number,
                        f"{letter}{number} 是公式（{formula[:40]}），但没有保存结果；请在 Excel 里打开、保存一次，或粘贴为数值",
                        f"{letter}{number} is a formula ({formula[:40]}) without a stored result; open and save the file in Excel, or paste values",
                        letter,
                    )
                )
            elif isinstance(value, str) and value in EXCEL_ERRORS:
                cells[column] = None
                errors.append(
                    RowError(
                        number,
                        f"{letter}{number} 是错误值 {value}；请在 Excel 里改正公式",
                        f"{letter}{number} holds the error {value}; mend the formula in Excel",
                        letter,
                    )
                )
    return errors


# --- Header and rows ----------------------------------------------------------------------------


def _under_header(
    name: str,
    rows: list[tuple[int, list[Value]]],
    errors: tuple[RowError, ...],
    notes: tuple[Note, ...],
) -> Table:
    filled = [(n, cells) for n, cells in rows if any(c is not None for c in cells)]
    # A title over the table ("2026年事件汇总表") is one filled cell in a row of its own.
    while len(filled) > 1 and _filled(filled[0][1]) == 1 and _filled(filled[1][1]) > 1:
        notes = (
            *notes,
            Note(
                f"第 {filled[0][0]} 行是标题“{as_text(_first(filled[0][1]))}”，已跳过。",
                f"Row {filled[0][0]} is a title and was passed over.",
            ),
        )
        filled = filled[1:]
    if not filled:
        raise FileEmpty(name=name)
    header_row, header = filled[0]
    columns = _names(header)
    body = []
    for number, cells in filled[1:]:
        padded = [*cells, *[None] * (len(columns) - len(cells))]
        body.append(TableRow(number, {c: v for c, v in zip(columns, padded, strict=False) if c}))
    kept = {row.number for row in body}
    return Table(
        tuple(c for c in columns if c),
        tuple(body),
        tuple(e for e in errors if e.row in kept or e.row == header_row),
        notes,
    )


def _filled(cells: list[Value]) -> int:
    return sum(c is not None for c in cells)


def _first(cells: list[Value]) -> Value:
    return next((c for c in cells if c is not None), None)


def _names(header: list[Value]) -> list[str]:
    """Return column names, each once; a column without a name is ``""`` and is left out."""
    seen: dict[str, int] = {}
    names = []
    for cell in header:
        text = re.sub(r"\s+", " ", as_text(cell)).lstrip("﻿")
        if text:
            seen[text] = seen.get(text, 0) + 1
            text = text if seen[text] == 1 else f"{text} ({seen[text]})"
        names.append(text)
    return names
