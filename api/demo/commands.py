"""``./xunge demo``: from nothing to a published roster on a map, in one command."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.today import today

commands = typer.Typer()
ROLE_WORDS = {
    "team_lead": "队长",
    "patroller": "队员",
    "street_office": "街道办",
    "admin": "管理员",
    "auditor": "审计员",
}


@commands.command("demo")
def demo(
    no_serve: Annotated[
        bool, typer.Option("--no-serve", help="写出成果后结束，不打开网站 / stop after the outputs")
    ] = False,
    osm: Annotated[
        Path | None,
        typer.Option(
            help="用 OSM 提取文件（.osm/.pbf）建一个试用社区 / found a community on an extract"
        ),
    ] = None,
    code: Annotated[
        str, typer.Option(help="试用社区的 12 位代码 / 12-digit code for --osm")
    ] = "510117990001",
    name: Annotated[str, typer.Option(help="试用社区名称 / name for --osm")] = "试用社区",
    out: Annotated[Path, typer.Option(help="成果目录 / where the outputs go")] = Path("out"),
) -> None:
    """跑通全流程：示例社区、热点、要求、排班、路线、成果，然后打开网站 / the whole loop, then the site."""
    from api.demo.last_year import import_last_year
    from api.demo.loop import Loop
    from api.demo.sign_ins import ensure_sign_ins
    from api.ground import open_ground
    from api.settings import settings
    from grid.database import transaction

    chosen = settings()
    console = Console(highlight=False)
    engine = open_ground(chosen)
    day = today(chosen)
    target = out if osm is None else out / code
    with transaction(engine) as session:
        community_id, said = _community(session, osm, code, name, day)
    console.print(f"· {said}")
    if osm is None:
        with transaction(engine) as session:
            console.print(f"· {import_last_year(session, community_id, day)}")
    loop = Loop(engine, chosen, community_id, day, target, console)
    loop.walk()
    with transaction(engine) as session:
        signs = ensure_sign_ins(session, community_id, chosen.data.with_suffix(".sign-ins.json"))
    table = Table("角色", "用户名", "密码", title="登录账号（密码只保存在本机）")
    for sign in signs:
        table.add_row(ROLE_WORDS[sign.role], sign.username, sign.password)
    console.print(table)
    console.print(f"成果：{target.resolve()}")
    engine.dispose()
    if no_serve:
        console.print("打开网站：./xunge serve")
        return
    from api.serving import serve_site

    serve_site()


def _community(
    session: object, osm: Path | None, code: str, name: str, day: date
) -> tuple[int, str]:
    if osm is None:
        from grid.sample import load_sample

        community = load_sample(session, day, last_year=False)  # type: ignore[arg-type]
        return community.id, f"示例社区“{community.name}”已就绪（数据均为虚构）"
    from grid.founding import found_from_osm

    founded = found_from_osm(session, osm, code=code, name=name, until=day)  # type: ignore[arg-type]
    return founded.community_id, founded.sentence()
