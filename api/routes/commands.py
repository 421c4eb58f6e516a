"""``./xunge route``: plan one walk from a file, or a published week's."""

from pathlib import Path
from typing import Annotated

import typer

commands = typer.Typer(help="巡逻路线 / patrol routes", no_args_is_help=True)


@commands.command("plan")
def plan(
    problem: Annotated[Path, typer.Argument(help="路线问题 JSON / route problem")],
    out: Annotated[Path, typer.Option(help="结果写到哪里 / where the plan goes")],
) -> None:
    """从文件规划一条路线，不需要数据库 / plan one walk from a file, without a database."""
    from grid.errors import NotFound
    from scheduling.core.check_route import check_route
    from scheduling.core.route import read_route_problem, write_route
    from scheduling.core.routes.plan import plan_routes

    if not problem.is_file():
        raise NotFound(thing="文件", name=problem)
    asked = read_route_problem(problem.read_bytes(), problem.name)
    planned = plan_routes(asked)
    faults = check_route(asked, planned)
    out.write_text(write_route(planned), encoding="utf-8")
    for team, walk in zip(asked.teams, planned.walks, strict=True):
        typer.echo(
            f"{team.key}：{len(walk.stops)} 处停留，{walk.length_m} 米，"
            f"{walk.minutes} 分钟（上限 {team.minutes}）"
        )
    typer.echo(f"独立检查：{'通过' if not faults else '；'.join(faults)}")
    for left_out in planned.unreached:
        typer.echo(f"未安排：{left_out.zh}")
    for zh, _en in planned.notes:
        typer.echo(zh)
    if faults:
        raise typer.Exit(1)


@commands.command("cover")
def cover(
    problem: Annotated[Path, typer.Argument(help="全域巡查问题 JSON / coverage problem")],
    out: Annotated[Path, typer.Option(help="结果写到哪里 / where the plan goes")],
) -> None:
    """全域：若干班走遍每一米步行道 / walk every metre of street within some patrols."""
    from grid.errors import NotFound
    from scheduling.core.check_coverage import check_coverage
    from scheduling.core.routes.coverage import (
        plan_coverage,
        read_coverage_problem,
        write_coverage,
    )

    if not problem.is_file():
        raise NotFound(thing="文件", name=problem)
    asked = read_coverage_problem(problem.read_bytes(), problem.name)
    planned = plan_coverage(asked)
    faults = check_coverage(asked, planned)
    out.write_text(write_coverage(planned), encoding="utf-8")
    typer.echo(
        f"{len(planned.walks)} 班走到 {planned.covered_m} 米，共 {planned.total_m} 米；"
        f"独立检查：{'通过' if not faults else '；'.join(faults)}"
    )
    for zh, _en in planned.notes:
        typer.echo(zh)
    if faults:
        raise typer.Exit(1)


@commands.command("plan-week")
def plan_week(
    community: Annotated[str, typer.Option(help="12 位社区代码 / community code")],
    week: Annotated[str, typer.Option(help="周一日期，如 2026-11-30 / the Monday")],
    out: Annotated[Path | None, typer.Option(help="同时写出路线图 / write maps there too")] = None,
) -> None:
    """为已发布的一周排班规划全部路线 / plan every walk of a published week."""
    from rich.console import Console
    from rich.progress import Progress
    from sqlalchemy import select

    from api.ground import open_ground
    from api.routes.outputs import write_route_maps
    from api.settings import settings
    from grid.communities import Community
    from grid.database import transaction
    from grid.errors import NotFound
    from scheduling.versions import shown_first, versions_of
    from scheduling.walks import plan_walks
    from scheduling.week import as_monday

    engine = open_ground(settings())
    with transaction(engine) as session, Progress(console=Console()) as bar:
        community_id = session.scalar(select(Community.id).where(Community.code == community))
        if community_id is None:
            raise NotFound(thing="社区", name=community)
        version = shown_first(versions_of(session, community_id, as_monday(week)))
        if version is None:
            raise NotFound(thing="排班", name=week)
        shown = bar.add_task("规划路线")
        planned = plan_walks(
            session,
            community_id,
            version.id,
            lambda done, total: bar.update(shown, completed=done, total=total),
        )
        if out is not None:
            write_route_maps(session, version.id, out, assets=settings().offline_assets)
    typer.echo(f"已规划 {planned} 条路线。")
