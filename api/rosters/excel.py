"""The 排班表 as a workbook, in the layout people know: A4 landscape, ready to print and sign.

First sheet: date and weekday down, shift within the day, zones across; second: one patrol a row
with leader, members and telephones; third: what is short and how fair it is.
"""

from datetime import date
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.rosters.board import FORCES, LEVELS, STATES, Board, Card
from api.web import local_time, minutes, weekday
from grid.communities import Community
from grid.people import Force, Member
from scheduling.rosters import RosterVersion
from scheduling.week import plan_of, problem_of

THIN = Side(style="thin", color="808080")
BOX = Border(left=THIN, right=THIN, top=THIN, bottom=THIN)
HEAD = PatternFill("solid", fgColor="DCE6F1")
REST_DAY = PatternFill("solid", fgColor="FFF2CC")
SHORT = PatternFill("solid", fgColor="FDE2E2")
CENTRE = Alignment(horizontal="center", vertical="center", wrap_text=True)
LEFT = Alignment(horizontal="left", vertical="center", wrap_text=True)
FONT = "宋体"
SMALL = Font(name=FONT, size=9)
DAY_KINDS = {
    "holiday": "节假日",
    "compensatory_workday": "调休上班",
    "weekend": "",
    "workday": "",
    "unknown": "",
}
PAGE_BODY_PT = 600
"""Points of rows that fit under the head of an A4 landscape page at this width."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_roster_xlsx(session: Session, roster_version_id: int, path: Path) -> None:
    """Write a version's workbook to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    roster_workbook(session, session.get_one(RosterVersion, roster_version_id)).save(path)


def roster_workbook(session: Session, version: RosterVersion) -> Workbook:
    """Return a version as a workbook."""
    board = Board(problem_of(version), plan_of(version))
    phones = {
        number: _phone(phone, force)
        for number, phone, force in session.execute(
            select(Member.staff_number, Member.phone, Member.force).where(
                Member.community_id == version.community_id
            )
        )
    }
    community = session.get_one(Community, version.community_id).name
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "排班表"
    _week_sheet(sheet, board, version, community)
    _patrol_sheet(book.create_sheet("派班明细"), board, version, community, phones)
    _balance_sheet(book.create_sheet("空缺与均衡"), board, version, community)
    return book


def _phone(phone: str | None, force: str) -> str:
    """Return a telephone number; a volunteer's is masked."""
    if not phone:
        return ""
    return f"{phone[:3]}****{phone[-4:]}" if force == Force.VOLUNTEER else phone


def harmless(text: str) -> str:
    """Return text that no spreadsheet runs as a formula."""
    return "'" + text if text.startswith(_FORMULA_STARTS) else text


def _title(version: RosterVersion, community: str, what: str) -> str:
    year, week, _ = version.week_start.isocalendar()
    last = date.fromordinal(version.week_start.toordinal() + 6)
    return (
        f"{community}综合服务队{what}（{year}年第{week}周　"
        f"{version.week_start:%Y-%m-%d} 至 {last:%Y-%m-%d}）"
    )


def _head(sheet: Worksheet, title: str, columns: list[tuple[str, float]], *, under: str) -> None:
    """Write title, line under it and head row (row 3), and set up the page."""
    last = get_column_letter(len(columns))
    sheet.merge_cells(f"A1:{last}1")
    sheet["A1"] = title
    sheet["A1"].font = Font(name=FONT, size=16, bold=True)
    sheet["A1"].alignment = CENTRE
    sheet.row_dimensions[1].height = 28
    sheet.merge_cells(f"A2:{last}2")
    sheet["A2"] = under
    sheet["A2"].font = SMALL
    sheet["A2"].alignment = Alignment(horizontal="right", vertical="center")
    for n, (name, width) in enumerate(columns, start=1):
        cell = sheet.cell(3, n, name)
        cell.font = Font(name=FONT, size=10, bold=True)
        cell.fill, cell.border, cell.alignment = HEAD, BOX, CENTRE
        sheet.column_dimensions[get_column_letter(n)].width = width
    sheet.print_title_rows = "1:3"
    sheet.freeze_panes = "C4"
    setup = sheet.page_setup
    setup.orientation, setup.paperSize = "landscape", "9"  # 9 is A4
    setup.fitToWidth, setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top = sheet.page_margins.bottom = 0.5
    sheet.print_options.horizontalCentered = True
    sheet.oddFooter.center.text = "第 &P 页 / 共 &N 页"


def _under(version: RosterVersion) -> str:
    return (
        f"第 {version.number} 版　{STATES[version.state]}　"
        f"生成时间 {local_time(version.created_at)}　★ 为带班　▲ 为热点要求"
    )


def _card(card: Card) -> str:
    """Return a patrol as the lines of a cell."""
    mark = "▲" if card.requirements else ""
    lines = [f"{mark}【{card.type.name}】"]
    if not card.patrol.walked:
        return "\n".join([*lines, "（空缺，未成行）"])
    names = [
        f"{'★' if seat.leader else ''}{seat.member.name}" for seat in card.seats if seat.member
    ]
    lines.append("、".join(names))
    missing = ["/".join(FORCES.get(f, f) for f in s.forces) for s in card.seats if not s.member]
    lines += [f"缺：{one}" for one in missing]
    return "\n".join(lines)


def _week_sheet(sheet: Worksheet, board: Board, version: RosterVersion, community: str) -> None:
    zones = board.problem.zones
    _head(
        sheet,
        _title(version, community, "巡逻排班表"),
        [("日期", 9), ("班次", 12), *((zone.name, max(14.0, 130 / len(zones))) for zone in zones)],
        under=_under(version),
    )
    row = 4
    used = 0.0
    for day in board.days():
        first = row
        for shift_row in day.rows:
            sheet.cell(
                row,
                2,
                f"{shift_row.shift.name}\n{minutes(shift_row.shift.start_min)}–"
                f"{minutes(shift_row.shift.end_min)}",
            )
            lines = 2
            for column, cards in enumerate(shift_row.cells, start=3):
                text = "\n".join(_card(card) for card in cards)
                cell = sheet.cell(row, column, harmless(text))
                if any(not card.patrol.walked for card in cards):
                    cell.fill = SHORT
                lines = max(lines, text.count("\n") + 1)
            sheet.row_dimensions[row].height = 12.5 * lines + 4
            row += 1
        if row == first:
            row += 1
        height = sum(sheet.row_dimensions[n].height or 15 for n in range(first, row))
        if used and used + height > PAGE_BODY_PT:
            sheet.row_breaks.append(Break(id=first - 1))  # a day stays on one sheet of paper
            used = 0.0
        used += height
        sheet.cell(
            first,
            1,
            "\n".join(
                part
                for part in (
                    f"{day.day.month}月{day.day.day}日",
                    weekday(day.day),
                    DAY_KINDS[day.kind],
                )
                if part
            ),
        )
        for line in range(first, row):
            for column in range(1, len(zones) + 3):
                cell = sheet.cell(line, column)
                cell.border, cell.font = BOX, SMALL
                cell.alignment = CENTRE
        if day.kind in {"weekend", "holiday"}:
            sheet.cell(first, 1).fill = REST_DAY
        if row - first > 1:
            sheet.merge_cells(start_row=first, end_row=row - 1, start_column=1, end_column=1)
    _sign(sheet, row, len(zones) + 2, version)


def _sign(sheet: Worksheet, row: int, columns: int, version: RosterVersion) -> None:
    """Write the notes and the line on which three people sign."""
    sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=columns)
    sheet.cell(
        row,
        1,
        "备注：辅警须在民警带领下或与其他力量共同执勤；物业保安仅在本公司服务小区巡逻；"
        "两次勤务间隔不少于11小时。换班、请假须经队长批准。",
    ).font = SMALL
    sheet.cell(row, 1).alignment = LEFT
    sheet.row_dimensions[row].height = 18
    sheet.merge_cells(start_row=row + 1, end_row=row + 1, start_column=1, end_column=columns)
    sheet.cell(
        row + 1,
        1,
        f"制表：{version.created_by}　　　　　　　审核：{version.reviewed_by or '　　　　'}"
        f"　　　　　　　签发：{version.published_by or '　　　　'}　　　　　　　日期：　　　年　　月　　日",
    ).font = Font(name=FONT, size=11)
    sheet.cell(row + 1, 1).alignment = LEFT
    sheet.row_dimensions[row + 1].height = 26


def _patrol_sheet(
    sheet: Worksheet,
    board: Board,
    version: RosterVersion,
    community: str,
    phones: dict[str, str],
) -> None:
    columns = [
        ("日期", 11), ("星期", 7), ("班次", 10), ("时间", 18), ("巡区", 14), ("巡逻类型", 16),
        ("带班", 10), ("带班电话", 15), ("队员", 22), ("队员电话", 26), ("备注", 28),
    ]  # fmt: skip
    _head(
        sheet,
        _title(version, community, "派班明细"),
        [(name, float(width)) for name, width in columns],
        under=_under(version),
    )
    row = 4
    for day in board.days():
        for shift_row in day.rows:
            for card in (card for cards in shift_row.cells for card in cards):
                _patrol_row(sheet, row, board, day.day, card, phones)
                row += 1
    _sign(sheet, row, len(columns), version)
    sheet.auto_filter.ref = f"A3:{get_column_letter(len(columns))}{row - 1}"


def _patrol_row(
    sheet: Worksheet, row: int, board: Board, day: date, card: Card, phones: dict[str, str]
) -> None:
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


def _balance_sheet(sheet: Worksheet, board: Board, version: RosterVersion, community: str) -> None:
    columns = [
        ("力量", 18), ("姓名", 18), ("巡逻次数", 16), ("工时（小时）", 18), ("夜班", 14),
        ("负荷（%）", 18), ("上期结转（%）", 20),
    ]  # fmt: skip
    _head(
        sheet,
        _title(version, community, "空缺与均衡"),
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
