"""``./xunge cells``: propose a partition, check it, merge and split cells."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from shapely import LineString
from shapely.geometry import mapping
from sqlalchemy.orm import Session

from api.audit import record
from api.cells.drawing import TARGETS, merge, split, take_proposal
from api.cells.picture import PicturedCell, cells_map
from api.ground import open_ground
from api.imports.choosing import community_of
from api.settings import settings
from api.today import next_monday, today
from grid.basemap import load_basemap
from grid.codes import COMMUNITY_DIGITS
from grid.communities import Community
from grid.database import transaction
from grid.drawing import DrawnCells, Edit, propose_cells
from grid.errors import DomainError
from grid.partition import HOUSEHOLDS_PER_CELL
from grid.topology import Report, check
from maps.folium_page import configure_assets

commands = typer.Typer(
    help="划分网格：生成方案、检查、合并、拆分 / propose, check, merge and split grid cells",
    no_args_is_help=True,
)
ACTOR = "cli"

CommunityCode = Annotated[
    str | None,
    typer.Option("--community", help="12 位社区代码；只有一个社区时可省 / community code"),
]
Since = Annotated[
    datetime | None,
    typer.Option("--from", formats=["%Y-%m-%d"], help="自哪一天起生效，默认下周一 / valid from"),
]


class LineUnreadable(DomainError):
    """The dividing line is not a list of lon,lat pairs."""

    zh = '看不懂分割线“{line}”。请写成用空格隔开的经纬度，如 "104.7801,29.3612 104.7815,29.3609"。'
    en = 'The line “{line}” cannot be read. Write lon,lat pairs with spaces between, such as "104.7801,29.3612 104.7815,29.3609".'


@commands.command("propose")
def propose_command(
    target: Annotated[
        int, typer.Option(min=TARGETS[0], max=TARGETS[1], help="每格约多少户 / households per cell")
    ] = HOUSEHOLDS_PER_CELL,
    seed: Annotated[int, typer.Option(min=0, max=999, help="换一个得到另一种划法 / seed")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="写成 GeoJSON 或地图（.html） / write .geojson or .html")
    ] = None,
    take: Annotated[bool, typer.Option("--take", help="采用这个方案 / store it")] = False,
    since: Since = None,
    code: CommunityCode = None,
) -> None:
    """沿步行道生成一个户数均衡的划分方案；不加 --take 只看不存 / propose balanced cells."""
    console = Console()
    with _work(code) as (session, community, now):
        with console.status("正在划分…"):
            drawn = propose_cells(session, community.id, target=target, seed=seed)
        _show_proposal(drawn, console)
        _show_report(drawn.report, console)
        if out is not None:
            _write(session, community, drawn, out, now)
            console.print(f"已写入 {out}")
        if take:
            edit, zones = take_proposal(
                session, community, _day(since, now), actor=ACTOR, target=target, seed=seed
            )
            _show_edit(edit, console)
            console.print(f"巡区已重新划分：{'、'.join(zones.begun)}")


@commands.command("check")
def check_command(
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="检查哪一天，默认今天 / the day"),
    ] = None,
    code: CommunityCode = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """检查网格是否铺满社区、巡区是否连片；有问题时返回 1 / check the partition."""
    console = Console()
    with _work(code) as (session, community, now):
        report = check(session, community.id, day.date() if day else now)
    if as_json:
        print(json.dumps(_as_dict(report), ensure_ascii=False, indent=2))
    else:
        _show_report(report, console)
    if not report.sound:
        raise typer.Exit(1)


@commands.command("merge")
def merge_command(
    codes: Annotated[list[str], typer.Argument(help="网格编号，15位或后3位 / cell codes")],
    since: Since = None,
    code: CommunityCode = None,
) -> None:
    """把相邻的网格合并为一个新网格 / merge neighbouring cells into a new one."""
    with _work(code) as (session, community, now):
        whole = [_whole(one, community) for one in codes]
        edit = merge(session, community, whole, _day(since, now), actor=ACTOR)
    _show_edit(edit, Console())


@commands.command("split")
def split_command(
    cell: Annotated[str, typer.Argument(help="网格编号，15位或后3位 / cell code")],
    line: Annotated[
        str | None,
        typer.Option(help='分割线："经度,纬度 经度,纬度 …"；不写则按户数沿步行道分 / line'),
    ] = None,
    since: Since = None,
    code: CommunityCode = None,
) -> None:
    """把一个网格拆成几个新网格 / split a cell."""
    with _work(code) as (session, community, now):
        edit = split(
            session,
            community,
            _whole(cell, community),
            _day(since, now),
            actor=ACTOR,
            line=_line(line) if line else None,
        )
    _show_edit(edit, Console())


@contextmanager
def _work(code: str | None) -> Iterator[tuple[Session, Community, date]]:
    """Open a transaction on one community; a refusal undoes it and is printed by the caller."""
    config = settings()
    with transaction(open_ground(config)) as session:
        yield session, community_of(session, code), today(config)


def _day(since: datetime | None, now: date) -> date:
    return since.date() if since else next_monday(now)


def _whole(code: str, community: Community) -> str:
    return community.code + code if len(code) <= len("999") else code


def _line(written: str) -> LineString:
    try:
        points = [tuple(float(part) for part in pair.split(",")) for pair in written.split()]
        if len(points) < 2 or any(len(point) != 2 for point in points):
            raise ValueError
        return LineString(points)
    except ValueError:
        raise LineUnreadable(line=written) from None


def _show_proposal(drawn: DrawnCells, console: Console) -> None:
    table = Table(title="划分方案（未保存）")
    for heading in ("编号", "户数", "楼栋", "公顷"):
        table.add_column(heading, justify="left" if heading == "编号" else "right")
    for cell in drawn.cells:
        table.add_row(
            cell.code, f"{cell.households:,}", str(cell.buildings), f"{cell.area_m2 / 10_000:.1f}"
        )
    console.print(table)
    balance = drawn.balance
    console.print(
        f"{balance.cells}个网格；户数最少{balance.minimum}、中位{balance.median:.0f}、"
        f"最多{balance.maximum}；{balance.within}个的负荷在平均±30%以内，"
        f"{balance.open_ground}个以空地为主。",
        highlight=False,
    )


def _show_report(report: Report, console: Console) -> None:
    if report.sound:
        console.print(
            f"[green]✓[/green] {report.cells}个网格合计{report.cells_m2 / 10_000:.1f}公顷，"
            "正好铺满社区，没有发现问题。",
            highlight=False,
        )
        return
    console.print(f"[red]✗[/red] 发现{len(report.findings)}处问题：", highlight=False)
    for finding in report.findings:
        console.print(f"  · {finding.sentence('zh')}", highlight=False, markup=False)


def _show_edit(edit: Edit, console: Console) -> None:
    console.print(
        f"已保存：自{edit.day}起，{'、'.join(edit.ended) or '（无）'}停用，"
        f"{'、'.join(edit.begun)}生效；{edit.incidents_moved}起事件改归新网格。",
        highlight=False,
    )


def _as_dict(report: Report) -> dict[str, object]:
    return {
        "sound": report.sound,
        "cells": report.cells,
        "cells_m2": report.cells_m2,
        "boundary_m2": report.boundary_m2,
        "ignored_m2": report.ignored_m2,
        "findings": [
            {
                "kind": finding.kind.value,
                "codes": list(finding.codes),
                "amount": finding.amount,
                "zh": finding.sentence("zh"),
                "en": finding.sentence("en"),
                "lon": finding.lon,
                "lat": finding.lat,
            }
            for finding in report.findings
        ],
    }


def _write(session: Session, community: Community, drawn: DrawnCells, out: Path, now: date) -> None:
    if out.suffix.lower() == ".html":
        configure_assets(settings().offline_assets)
        pictured = [
            PicturedCell(
                cell.code[COMMUNITY_DIGITS:].lstrip("0"),
                cell.shape,
                cell.households,
                (cell.code, f"{cell.households:,}户 · {cell.buildings}栋楼"),
            )
            for cell in drawn.cells
        ]
        text = cells_map(
            load_basemap(session, community.id, now),
            pictured,
            title="划分方案（尚未采用）",
            paragraphs=[f"{community.name}，每格约{drawn.target}户"],
            locale="zh",
        )
    else:
        features = [
            {
                "type": "Feature",
                "geometry": mapping(cell.shape),
                "properties": {
                    "code": cell.code,
                    "households": cell.households,
                    "buildings": cell.buildings,
                    "area_m2": round(cell.area_m2, 1),
                },
            }
            for cell in drawn.cells
        ]
        text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
    out.write_text(text, encoding="utf-8")
    record(
        session,
        actor=ACTOR,
        action="cells.export",
        target=f"community:{community.code}",
        community_id=community.id,
        details={"file": out.name, "cells": len(drawn.cells)},
    )
