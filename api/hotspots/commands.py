"""``./xunge hotspot``: compute, raise requirements, write the map."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.ground import open_ground
from api.hotspots.findings import Findings, investigate, last_year
from api.hotspots.picture import period_words, write_hotspot_map
from api.hotspots.tasks import raise_for
from api.hotspots.words import (
    band_words,
    class_words,
    interval_words,
    p_words,
    percent_words,
)
from api.i18n import translate
from api.settings import settings
from api.today import today
from grid.communities import Community
from grid.database import transaction
from grid.errors import DomainError, NotFound

commands = typer.Typer(help="热点 / hotspots", no_args_is_help=True)

CommunityCode = Annotated[
    str | None, typer.Option("--community", help="12 位社区代码，只有一个社区时可省略")
]
ACTOR = "cli"
_ = partial(translate, "zh")


class ChooseCommunity(DomainError):
    """Several communities and none named."""

    zh = "数据库中有{count}个社区，请用 --community 指定 12 位代码：{codes}。"
    en = "There are {count} communities; name one with --community: {codes}."


class FileNotWritten(DomainError):
    """A file that cannot be written where it should be."""

    zh = "不能写入 {path}（{why}）。请换一个有写权限的文件夹，或检查磁盘空间。"
    en = "Cannot write {path} ({why}). Choose a folder you may write to, or check the disk space."


class NoCommunity(DomainError):
    """An empty database."""

    zh = "数据库中还没有社区。请先运行 ./xunge demo，或导入社区数据。"
    en = "There is no community yet. Run ./xunge demo, or import one."


def _community_id(session: Session, code: str | None) -> int:
    known = {row.code: row.id for row in session.execute(select(Community.code, Community.id))}
    if code is not None:
        if code not in known:
            raise NotFound(thing="社区", name=code)
        return int(known[code])
    if not known:
        raise NoCommunity()
    if len(known) > 1:
        raise ChooseCommunity(count=len(known), codes="、".join(sorted(known)))
    return int(next(iter(known.values())))


def _show(found: Findings) -> None:
    console = Console()
    console.print(
        f"{found.community} {period_words(found.question)}：{found.n} 件，上年同期 {found.base} 件"
    )
    names = class_words(_)
    for name, change in found.headlines.items():
        console.print(
            f"  {names[name]} {change.base}→{change.n} {percent_words(change, _)} "
            f"{interval_words(change, _)}",
            highlight=False,
        )
    if not found.hot:
        console.print("没有显著的热点（n ≥ 5 且错误发现率 5%）。")
        return
    table = Table()
    table.add_column("地点", overflow="fold")
    table.add_column("类型", overflow="fold")
    for name in ("n", "上年", "应有"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("时段", no_wrap=True)
    table.add_column("把握", no_wrap=True)
    for one in found.hot:
        table.add_row(
            one.place.label,
            one.category,
            str(one.n),
            str(one.change.base),
            f"{one.expected:.1f}" if one.expected >= 0.1 else "<0.1",
            band_words(one.band.start_min, one.band.end_min, _),
            p_words("q", one.q),
        )
    console.print(table)


@commands.command("compute")
def compute(community: CommunityCode = None) -> None:
    """统计去年事件，列出显著的热点 / list last year's hot places."""
    day = today(settings())
    with transaction(open_ground(settings())) as session:
        _show(investigate(session, _community_id(session, community), last_year(day), day))


@commands.command("raise")
def raise_requirements(community: CommunityCode = None) -> None:
    """由热点提出巡逻要求；重复执行不会重复提出 / raise requirements from hot places."""
    day = today(settings())
    with transaction(open_ground(settings())) as session:
        community_id = _community_id(session, community)
        found = investigate(session, community_id, last_year(day), day)
        raised = raise_for(session, community_id, found, day, ACTOR)
        for row in raised:
            typer.echo(
                f"要求 {row.id}：每周{row.visits_per_week}次，"
                f"{band_words(row.band_start_min, row.band_end_min, _)}，"
                f"{row.valid_from} 起至 {row.valid_to}。{row.reason}"
            )
    if not raised:
        typer.echo("没有新的巡逻要求：热点不足，或已有有效要求。")


@commands.command("map")
def write_map(
    out: Annotated[Path, typer.Option(help="写到哪个 HTML 文件 / file to write")],
    community: CommunityCode = None,
) -> None:
    """把热点图写成一个离线可开的 HTML 文件 / write the map as one offline file."""
    ground = open_ground(settings())
    try:
        with transaction(ground) as session:
            found = write_hotspot_map(session, _community_id(session, community), out)
    except OSError as error:
        raise FileNotWritten(path=out, why=error.strerror or error) from error
    typer.echo(f"已写入 {out}：{found.n} 件，{len(found.hot)} 个热点。")
