"""The team as a workbook that can be read back in, and the empty template of it."""

import io
from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from api.incidents.export import harmless
from grid.imports.members import COLUMNS, written
from grid.member_words import CONTRACTS, FORCES, masked_phone
from grid.people import Member
from grid.team import facts_of

WIDTHS = {"name": 12, "employer": 16, "home_zone": 16, "phone": 15, "qualifications": 18, "days_off": 16, "unavailable": 34, "active_from": 13, "active_to": 13}  # fmt: skip
HINTS = {
    "staff_number": "必填，再次导入按编号认人",
    "name": "必填",
    "force": f"必填：{'、'.join(FORCES.values())}",
    "employer": "物业保安必填，写公司全称",
    "home_zone": "巡区名称或编号",
    "phone": "带 * 的视为不改",
    "qualifications": "可带班、执法资格（仅民警）、急救、见习（不单独上勤），顿号隔开",
    "contract": "、".join(CONTRACTS.values()),
    "hours_week": "小时，0–60",
    "max_patrols_week": "次，0–14",
    "max_nights_week": "次，0–7；晚于 23:00 结束为夜班",
    "days_off": "如：周六、周日",
    "unavailable": "如：周一至周五 08:00-12:00；周六 22:00-次日06:00",
    "active_from": "如 2026-12-01，空为早已到岗",
    "active_to": "这一天起不再排班",
}


def _head(sheet: Worksheet) -> None:
    sheet.append([names[0] for names in COLUMNS.values()])
    for n, field in enumerate(COLUMNS, start=1):
        letter = get_column_letter(n)
        sheet.column_dimensions[letter].width = WIDTHS.get(field, 13)
        head = sheet.cell(row=1, column=n)
        head.font = Font(bold=True)
        head.fill = PatternFill("solid", fgColor="E5EEF7")
        head.alignment = Alignment(horizontal="center")
    sheet.freeze_panes = "C2"
    for field in ("phone", "staff_number"):  # Excel would cut leading zeros off a number
        letter = get_column_letter(list(COLUMNS).index(field) + 1)
        for row in range(2, 400):
            sheet[f"{letter}{row}"].number_format = "@"


def _bytes(book: Workbook) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def team_workbook(rows: Iterable[tuple[Member, str | None, str | None]], *, phones: bool) -> bytes:
    """Return the members as an .xlsx file; telephone numbers whole only where asked for."""
    book = Workbook()
    sheet = book.active
    sheet.title = "队员"
    _head(sheet)
    for member, employer, zone in rows:
        phone = (member.phone or "") if phones else masked_phone(member.phone)
        cells = written(facts_of(member), employer or "", zone or "", phone)
        sheet.append([harmless(cells[field]) for field in COLUMNS])
    sheet.auto_filter.ref = sheet.dimensions
    return _bytes(book)


def template_workbook(firms: Sequence[str], zones: Sequence[str]) -> bytes:
    """Return an empty workbook with the headers, what to write under each, and choices."""
    book = Workbook()
    sheet = book.active
    sheet.title = "队员"
    _head(sheet)
    for field, choices in (
        ("force", list(FORCES.values())),
        ("contract", list(CONTRACTS.values())),
        ("employer", list(firms)),
        ("home_zone", list(zones)),
    ):
        joined = ",".join(choices)
        if choices and len(joined) < 250:  # Excel refuses longer lists
            letter = get_column_letter(list(COLUMNS).index(field) + 1)
            rule = DataValidation(type="list", formula1=f'"{joined}"', allow_blank=True)
            rule.add(f"{letter}2:{letter}2000")
            sheet.add_data_validation(rule)
    said = book.create_sheet("填写说明")
    said.append(["列", "怎么填"])
    for field, names in COLUMNS.items():
        said.append([names[0], HINTS[field]])
    said.append(["空单元格", "新队员用常用值，已有队员保持不变；要清空请写“无”"])
    said.column_dimensions["A"].width, said.column_dimensions["B"].width = 16, 60
    said["A1"].font = said["B1"].font = Font(bold=True)
    return _bytes(book)
