"""CSV and Excel as people really save them."""

import datetime as dt
import io
import zipfile

import openpyxl
import pytest

from grid.imports.errors import (
    FileBroken,
    FileEmpty,
    FileMissing,
    FileTooLarge,
    NotATable,
    OldExcel,
    TextUnreadable,
    ZipUnsafe,
)
from grid.imports.tables import read_table

LOCAL_CLOCK = dt.datetime.fromisoformat("2026-03-01T08:30")
TEXT = "编号,名称,经度\n1,铸钢花园,104.77\n2,铸钢印象,104.78\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_a_csv_reads_the_same_in_every_encoding_people_save(tmp_path, encoding):
    path = tmp_path / "t.csv"
    path.write_bytes(TEXT.encode(encoding))
    table = read_table(path)
    assert table.columns == ("编号", "名称", "经度")
    assert [(r.number, r.text("名称")) for r in table.rows] == [(2, "铸钢花园"), (3, "铸钢印象")]


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_the_separator_is_found(tmp_path, separator):
    path = tmp_path / "t.csv"
    path.write_text(TEXT.replace(",", separator), encoding="utf-8")
    assert read_table(path).rows[1].values["名称"] == "铸钢印象"


def test_a_title_over_the_header_is_passed_over_and_said(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("民情信息汇总表,,\n\n" + TEXT, encoding="utf-8")
    table = read_table(path)
    assert table.columns[0] == "编号" and table.rows[0].number == 4
    assert "民情信息汇总表" in table.notes[0].zh


def test_a_quoted_line_break_does_not_shift_row_numbers(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('a,b\n"one\ntwo",1\nx,2\n', encoding="utf-8")
    assert [r.number for r in read_table(path).rows] == [2, 4]


def test_short_rows_blank_rows_and_repeated_columns_are_borne(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("名称,名称,备注\n甲\n,,\n乙,丙,丁,戊\n", encoding="utf-8")
    table = read_table(path)
    assert table.columns == ("名称", "名称 (2)", "备注")
    assert [r.values["备注"] for r in table.rows] == [None, "丁"]


def workbook(path, rows, title="数据"):
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_excel_keeps_numbers_and_dates(tmp_path):
    path = workbook(
        tmp_path / "t.xlsx",
        [["编号", "时间"], [12.0, LOCAL_CLOCK], [None, None]],
    )
    row = read_table(path).rows[0]
    assert row.values["时间"] == LOCAL_CLOCK
    assert row.text("编号") == "12" and row.text("时间") == "2026-03-01 08:30:00"


def test_a_formula_never_computed_is_an_error_of_its_row(tmp_path):
    path = workbook(tmp_path / "t.xlsx", [["编号", "户数"], [1, "=A2*3"], [2, 7], [3, "#REF!"]])
    table = read_table(path)
    assert [(e.row, e.column) for e in table.errors] == [(2, "B"), (4, "B")]
    assert "=A2*3" in table.errors[0].zh and "粘贴为数值" in table.errors[0].zh
    assert table.rows[2].values["户数"] is None


def test_an_empty_first_sheet_is_passed_over(tmp_path):
    book = openpyxl.Workbook()
    book.create_sheet("数据").append(["编号"])
    book["数据"].append([5])
    book.save(tmp_path / "t.xlsx")
    table = read_table(tmp_path / "t.xlsx")
    assert table.rows[0].values == {"编号": 5}
    assert "数据" in table.notes[0].zh


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path, monkeypatch):
    path = tmp_path / "big.csv"
    with path.open("wb") as stream:
        stream.truncate(100 * 1024 * 1024)
    monkeypatch.setattr(type(path), "read_bytes", lambda self: pytest.fail("it was read"))
    with pytest.raises(FileTooLarge, match="100 MB，超过 50 MB"):
        read_table(path)


def test_a_cut_off_workbook_is_said_to_be_broken(tmp_path):
    path = workbook(tmp_path / "t.xlsx", [["编号"], *[[n] for n in range(500)]])
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(FileBroken, match="重新导出"):
        read_table(path)


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", FileEmpty),
        (b"\n\n  \n", FileEmpty),
        (b"\xd0\xcf\x11\xe0" + bytes(600), OldExcel),
        (b"%PDF-1.4 not a table", NotATable),
        (b"a,b\n" + b"\x81\x00,\xff\n", FileBroken),
        (b"a,b\nx," + b"\xff\xff\xfe\n", TextUnreadable),
    ],
)
def test_what_is_no_table_is_refused_in_a_sentence(tmp_path, content, refusal):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(refusal):
        read_table(path)


def test_no_such_file(tmp_path):
    with pytest.raises(FileMissing):
        read_table(tmp_path / "none.csv")


def test_a_workbook_that_unpacks_to_a_flood_is_refused_unread(tmp_path):
    path = workbook(tmp_path / "t.xlsx", [["编号"]])
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet9.xml", "w") as sink,
    ):
        block = io.BytesIO(bytes(1 << 20)).getvalue()
        for _ in range(12):
            sink.write(block)
    with pytest.raises(ZipUnsafe, match="压缩炸弹"):
        read_table(path, limit_mb=2)


def test_a_csv_named_xlsx_and_an_xlsx_named_csv_are_read_for_what_they_are(tmp_path):
    (tmp_path / "a.xlsx").write_text(TEXT, encoding="utf-8")
    assert len(read_table(tmp_path / "a.xlsx").rows) == 2
    workbook(tmp_path / "b.xlsx", [["编号"], [1]]).rename(tmp_path / "b.csv")
    assert read_table(tmp_path / "b.csv").rows[0].values == {"编号": 1}
