"""The 排班表 as a workbook, in the layout people know: A4 landscape, ready to print and sign.

A sheet for each page of :mod:`api.rosters.paper` (dates down, shift × zone across); then every
member's week in one row; every patrol in one row with telephones; what is short and how fair it is.
"""

from datetime import date
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy.orm import Session

from api.rosters.board import FORCES, LEVELS, Card
from api.rosters.paper import Cell, Paper, PaperPage
from api.web import minutes, weekday
from scheduling.rosters import RosterVersion

THIN = Side(style="thin", color="808080")
BOX = Border(left=THIN, right=THIN, top=THIN, bottom=THIN)
HEAD = PatternFill("solid", fgColor="DCE6F1")
REST_DAY = PatternFill("solid", fgColor="FFF2CC")
SHORT = PatternFill("solid", fgColor="FDE2E2")
CENTRE = Alignment(horizontal="center", vertical="center", wrap_text=True)
LEFT = Alignment(horizontal="left", vertical="center", wrap_text=True)
FONT = "宋体"
SMALL = Font(name=FONT, size=9)
GREY, RED = "555555", "A3161F"
LINE_PT = 12.0
"""Height of a line of 9 points."""
DAYS_PT = 378.0
"""What an A4 page in landscape has for its seven days, beside head, notes and signatures."""
PAGE_WIDTH = 132.0
"""Characters across an A4 page in landscape at the fonts used here."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_roster_xlsx(session: Session, roster_version_id: int, path: Path) -> None:
    """Write a version's workbook to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    roster_workbook(session, session.get_one(RosterVersion, roster_version_id)).save(path)


def roster_workbook(session: Session, version: RosterVersion) -> Workbook:
    """Return a version as a workbook."""
    paper = Paper(session, version)
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.title = paper.title()
    book.properties.creator = paper.signed.maker
    for page in paper.pages():
        _page_sheet(book.create_sheet(_sheet_name(book, page.name)), paper, page)
    _member_sheet(book.create_sheet("按队员"), paper)
    _patrol_sheet(book.create_sheet("派班明细"), paper)
    _balance_sheet(book.create_sheet("空缺与均衡"), paper)
    return book


def _sheet_name(book: Workbook, name: str) -> str:
    """Return a name a sheet may have, not taken yet."""
    allowed = "".join(c for c in name if c not in "[]:*?/\\'")[:28] or "排班表"
    taken, n, found = set(book.sheetnames), 1, allowed
    while found in taken:
        n += 1
        found = f"{allowed}{n}"
    return found


def harmless(text: str) -> str:
    """Return text that no spreadsheet runs as a formula."""
    return "'" + text if text.startswith(_FORMULA_STARTS) else text


def _frame(sheet: Worksheet, columns: int, title: str, under: str) -> None:
    """Write the title and the line under it, and set up the page."""
    last = get_column_letter(columns)
    sheet.merge_cells(f"A1:{last}1")
    sheet["A1"] = harmless(title)
    sheet["A1"].font = Font(name=FONT, size=16, bold=True)
    sheet["A1"].alignment = CENTRE
    sheet.row_dimensions[1].height = 28
    sheet.merge_cells(f"A2:{last}2")
    sheet["A2"] = harmless(under)
    sheet["A2"].font = SMALL
    sheet["A2"].alignment = Alignment(horizontal="right", vertical="center")
    setup = sheet.page_setup
    setup.orientation, setup.paperSize = "landscape", "9"  # 9 is A4
    setup.fitToWidth, setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top = sheet.page_margins.bottom = 0.5
    sheet.page_margins.footer = 0.2
    sheet.print_options.horizontalCentered = True
    sheet.oddFooter.center.text = "&A　第 &P 页 / 共 &N 页"


def _head_cell(sheet: Worksheet, row: int, column: int, text: str) -> None:
    cell = sheet.cell(row, column, harmless(text))
    cell.font = Font(name=FONT, size=10, bold=True)
    cell.fill, cell.border, cell.alignment = HEAD, BOX, CENTRE


def _head(sheet: Worksheet, title: str, columns: list[tuple[str, float]], *, under: str) -> None:
    """Write title, line under it and a head of one row (row 3)."""
    _frame(sheet, len(columns), title, under)
    for n, (name, width) in enumerate(columns, start=1):
        _head_cell(sheet, 3, n, name)
        sheet.column_dimensions[get_column_letter(n)].width = width
    sheet.print_title_rows = "1:3"
    sheet.freeze_panes = "C4"


def _page_sheet(sheet: Worksheet, paper: Paper, page: PaperPage) -> None:
    """Write one page: two rows of head (shift over zones), seven days, notes, the line to sign."""
    columns = page.columns + 2
    _frame(sheet, columns, paper.title(), f"{page.name}　　{paper.under}")
    for column, (text, width) in enumerate((("日期", 10.0), ("星期", 6.0)), start=1):
        for row in (3, 4):
            _head_cell(sheet, row, column, text if row == 3 else "")
        sheet.merge_cells(start_row=3, end_row=4, start_column=column, end_column=column)
        sheet.column_dimensions[get_column_letter(column)].width = width
    column = 3
    for shift in page.shifts:
        for n, zone in enumerate(shift.zones):
            _head_cell(sheet, 3, column + n, f"{shift.name} {shift.hours}" if n == 0 else "")
            _head_cell(sheet, 4, column + n, zone)
            letter = get_column_letter(column + n)
            sheet.column_dimensions[letter].width = (PAGE_WIDTH - 16) / max(page.columns, 6)
        if len(shift.zones) > 1:
            sheet.merge_cells(
                start_row=3,
                end_row=3,
                start_column=column,
                end_column=column + len(shift.zones) - 1,
            )
        column += len(shift.zones)
    # A shift over a single zone has its hours on a line of their own.
    sheet.row_dimensions[3].height = 27 if any(len(s.zones) == 1 for s in page.shifts) else 18
    sheet.row_dimensions[4].height = 18
    sheet.print_title_rows, sheet.print_title_cols = "1:4", "A:B"
    sheet.freeze_panes = "C5"
    for row, day in enumerate(page.days, start=5):
        for column, text in enumerate((day.name, day.weekday), start=1):
            cell = sheet.cell(row, column, text)
            cell.font, cell.border, cell.alignment = (
                Font(name=FONT, size=10, bold=True),
                BOX,
                CENTRE,
            )
            if day.rest:
                cell.fill = REST_DAY
        for column, found in enumerate(day.cells, start=3):
            _patrol_cell(sheet, row, column, found)
    needed = [LINE_PT * max(day.lines, 2) + 4 for day in page.days]
    spare = max(0.0, DAYS_PT - sum(needed)) / len(needed)
    for row, height in enumerate(needed, start=5):
        sheet.row_dimensions[row].height = height + spare
    _sign(sheet, 5 + len(page.days), columns, paper)
    sheet.print_area = f"A1:{get_column_letter(columns)}{6 + len(page.days)}"


def _patrol_cell(sheet: Worksheet, row: int, column: int, found: Cell) -> None:
    looks = {
        "type": InlineFont(rFont=FONT, sz=8, color=GREY),
        "leader": InlineFont(rFont=FONT, sz=10, b=True),
        "phone": InlineFont(rFont=FONT, sz=9),
        "team": InlineFont(rFont=FONT, sz=9),
        "short": InlineFont(rFont=FONT, sz=8, color=RED),
    }
    cell = sheet.cell(row, column)
    if found.lines:
        last = len(found.lines) - 1
        cell.value = CellRichText(
            *(
                TextBlock(looks[line.kind], line.text + ("" if n == last else "\n"))
                for n, line in enumerate(found.lines)
            )
        )
    cell.font, cell.border, cell.alignment = SMALL, BOX, CENTRE
    if found.short:
        cell.fill = SHORT


def _sign(sheet: Worksheet, row: int, columns: int, paper: Paper) -> None:
    """Write the notes and the line on which three people sign."""
    signed = paper.signed
    sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=columns)
    sheet.cell(row, 1, paper.notes).font = SMALL
    sheet.cell(row, 1).alignment = LEFT
    sheet.row_dimensions[row].height = 18
    sheet.merge_cells(start_row=row + 1, end_row=row + 1, start_column=1, end_column=columns)
    blank = "　　　　"
    sheet.cell(
        row + 1,
        1,
        f"制表：{signed.maker or blank}　　　　　　　审核：{signed.reviewer or blank}"
        f"　　　　　　　签发：{signed.publisher or blank}　　　　　　　日期：　　　年　　月　　日",
    ).font = Font(name=FONT, size=11)
    sheet.cell(row + 1, 1).alignment = LEFT
    sheet.row_dimensions[row + 1].height = 26


def _member_sheet(sheet: Worksheet, paper: Paper) -> None:
    problem = paper.board.problem
    days = [problem.date_of(n) for n in range(len(problem.days))]
    columns = [
        ("编号", 9.0), ("姓名", 10.0), ("力量", 11.0), ("电话", 13.0),
        *((f"{d.month}月{d.day}日\n{weekday(d)}", 12.0) for d in days),
        ("次数", 6.0), ("工时", 7.0), ("夜班", 6.0),
    ]  # fmt: skip
    _head(sheet, paper.title("队员排班表"), columns, under=f"按队员　　{paper.under}")
    sheet.row_dimensions[3].height = 28
    row = 4
    for member in paper.members():
        values: list[str | float] = [
            member.number, member.name, member.force, member.phone, *member.days,
            member.patrols, member.hours, member.nights,
        ]  # fmt: skip
        for column, value in enumerate(values, start=1):
            cell = sheet.cell(row, column, harmless(value) if isinstance(value, str) else value)
            cell.font, cell.border, cell.alignment = SMALL, BOX, CENTRE
        for n, kind in enumerate(problem.days):
            if kind in {"weekend", "holiday"}:
                sheet.cell(row, 5 + n).fill = REST_DAY
        lines = max(text.count("\n") + 1 for text in member.days)
        sheet.row_dimensions[row].height = 12.5 * lines + 3
        row += 1
    _sign(sheet, row, len(columns), paper)


def _patrol_sheet(sheet: Worksheet, paper: Paper) -> None:
    columns = [
        ("日期", 11), ("星期", 7), ("班次", 10), ("时间", 18), ("巡区", 14), ("巡逻类型", 16),
        ("带班", 10), ("带班电话", 15), ("队员", 22), ("队员电话", 26), ("备注", 28),
    ]  # fmt: skip
    _head(
        sheet,
        paper.title("派班明细"),
        [(name, float(width)) for name, width in columns],
        under=paper.under,
    )
    row = 4
    for day in paper.board.days():
        for shift_row in day.rows:
            for card in (card for cards in shift_row.cells for card in cards):
                _patrol_row(sheet, row, paper, day.day, card)
                row += 1
    _sign(sheet, row, len(columns), paper)
    sheet.auto_filter.ref = f"A3:{get_column_letter(len(columns))}{row - 1}"


def _patrol_row(sheet: Worksheet, row: int, paper: Paper, day: date, card: Card) -> None:
    board, phones = paper.board, paper.phones
    shift = board.shifts[card.patrol.shift]
    leaders = [s.member for s in card.seats if s.member and s.leader]
    others = [s.member for s in card.seats if s.member and not s.leader]
    notes = [f"热点要求：{r.reason}" for r in card.requirements]
    if not card.patrol.walked:
        notes.append("空缺，未成行")
    elif card.empty:
        notes.append(f"缺 {card.empty} 人")
    values = [
        day.isoformat(),
        weekday(day),
        shift.name,
        f"{minutes(shift.start_min)}–{minutes(shift.end_min)}",
        board.zones[card.patrol.zone].name,
        card.type.name,
        "、".join(m.name for m in leaders),
        "、".join(phones.get(m.key, "") for m in leaders),
        "、".join(m.name for m in others),
        "、".join(phones.get(m.key, "") for m in others),
        "；".join(notes),
    ]
    for column, value in enumerate(values, start=1):
        cell = sheet.cell(row, column, harmless(value))
        cell.font, cell.border, cell.alignment = SMALL, BOX, CENTRE
        if not card.patrol.walked:
            cell.fill = SHORT
    sheet.cell(row, len(values)).alignment = LEFT
    longest = max(len(values[-1]) / 14, len(values[-2]) / 24, 1)
    sheet.row_dimensions[row].height = 14 * -(-longest // 1)


def _balance_sheet(sheet: Worksheet, paper: Paper) -> None:
    board = paper.board
    columns = [
        ("力量", 18), ("姓名", 18), ("巡逻次数", 16), ("工时（小时）", 18), ("夜班", 14),
        ("负荷（%）", 18), ("上期结转（%）", 20),
    ]  # fmt: skip
    _head(
        sheet,
        paper.title("空缺与均衡"),
        [(name, float(width)) for name, width in columns],
        under="负荷 = 加权工时 ÷ 可排工时 + 上期结转；夜班、周末、节假日按权重计",
    )
    row = 4
    for force in board.forces():
        if force.fairness.employer is not None:
            continue
        for bar in force.bars:
            values: list[object] = [
                FORCES.get(bar.member.force, bar.member.force), harmless(bar.member.name),
                bar.patrols, round(bar.hours, 1), bar.nights, round(bar.load_pct, 1),
                round(bar.carried_pct, 1),
            ]  # fmt: skip
            for column, value in enumerate(values, start=1):
                cell = sheet.cell(row, column, value)
                cell.font, cell.border, cell.alignment = SMALL, BOX, CENTRE
            row += 1
    row = _lines(
        sheet,
        row + 1,
        "各层目标（先后有序，前一层不为后一层让步）",
        [
            f"{LEVELS[o.level]}：代价 {o.cost}，已证下界 {o.bound}"
            + ("，已证最优" if o.proven else f"，差距 {o.gap:.1%}")
            for o in board.levels()
        ],
        len(columns),
    )
    _lines(
        sheet,
        row + 1,
        "空缺席位（按重要性排序）",
        [
            f"{s.empty.rank}. {s.day.month}月{s.day.day}日 {s.shift.name} {s.zone.name} "
            f"{s.type.name}：{s.empty.zh}"
            for s in board.shortages()
        ]
        or ["无空缺。"],
        len(columns),
    )


def _lines(sheet: Worksheet, row: int, title: str, lines: list[str], columns: int) -> int:
    for n, text in enumerate([title, *lines]):
        sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=columns)
        cell = sheet.cell(row, 1, harmless(text))
        cell.font = Font(name=FONT, size=10, bold=n == 0)
        cell.alignment = LEFT
        sheet.row_dimensions[row].height = 14 * (1 + len(text) // 60)
        row += 1
    return row
