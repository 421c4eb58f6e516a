"""``./xunge roster``: solve and check files with no database, and the week's roster with one."""

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from grid.errors import DomainError
from scheduling.core.check import REPORT, check
from scheduling.core.plan import RosterPlan, read_plan, write_plan
from scheduling.core.problem import RosterProblem, read_problem
from scheduling.core.solve import Effort, Step, solve

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

commands = typer.Typer(help="排班：生成、检查、发布、导出 / rosters", no_args_is_help=True)
FILE_MAX_BYTES = 50_000_000
Week = Annotated[str, typer.Option(help="星期一的日期，如 2026-11-30 / a Monday")]
CommunityCode = Annotated[
    str | None, typer.Option("--community", help="12 位社区代码；只有一个社区时可省略")
]


class NoSuchFile(DomainError):
    """A file that cannot be read."""

    zh = "读不到文件“{name}”：{why}。请检查路径。"
    en = "Cannot read the file “{name}”: {why}. Check the path."


class FileTooLarge(DomainError):
    """A file no roster problem has."""

    zh = "文件“{name}”有 {mb} MB，超过 {limit} MB。一个社区一周的排班问题不会这么大，请检查是否选错文件。"
    en = "The file “{name}” has {mb} MB, more than {limit} MB. No community's week is that large: check that it is the right file."


class WhichCommunity(DomainError):
    """More than one community, and none named."""

    zh = "数据库中有 {n} 个社区，请用 --community 指明 12 位社区代码：{codes}。"
    en = "There are {n} communities. Name one with --community and its 12-digit code: {codes}."


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > FILE_MAX_BYTES:
            raise FileTooLarge(name=path, mb=size // 1_000_000, limit=FILE_MAX_BYTES // 1_000_000)
        return path.read_bytes()
    except OSError as error:
        raise NoSuchFile(name=path, why=error.strerror) from error


class _Bar:
    """A progress bar; Ctrl-C stops the search and keeps the best."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("排班", total=1.0, numbers="")
        self.stop = False

    def report(self, step: Step) -> None:
        """Show a step."""
        self._bar.update(
            self._task,
            completed=step.fraction,
            description=step.level or "first roster",
            numbers=f"cost={step.cost} bound={step.bound} empty={step.empty_seats}",
        )

    def should_stop(self) -> bool:
        """Say whether Ctrl-C was pressed."""
        return self.stop


def _solve_watched(problem: RosterProblem, effort: Effort) -> RosterPlan:
    """Solve in a thread, so that Ctrl-C reaches us while the solver is deep in C++."""
    done: list[RosterPlan | BaseException] = []
    with Progress(
        TextColumn("{task.description:<14}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("{task.fields[numbers]}"),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        shown = _Bar(bar)

        def work() -> None:
            try:
                done.append(solve(problem, effort, shown))
            except BaseException as error:
                done.append(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        while thread.is_alive():
            try:
                thread.join(0.2)
            except KeyboardInterrupt:
                if shown.stop:
                    raise
                shown.stop = True
                bar.console.print("正在停止，保留目前最好的结果（再按一次 Ctrl-C 立即退出）")
    outcome = done[0]
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


@commands.command("solve")
def solve_file(
    problem_path: Annotated[Path, typer.Argument(metavar="PROBLEM.json")],
    out: Annotated[Path, typer.Option(help="排班结果文件 / plan file")],
    seconds: Annotated[float, typer.Option(help="时间上限（秒）/ cap", min=0.1)] = 60.0,
    effort: Annotated[
        float, typer.Option(help="确定性工作量；同种子同工作量得同一结果 / deterministic", min=0.1)
    ] = 40.0,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1)] = 1,
    workers: Annotated[int, typer.Option(min=1, max=64)] = 2,
) -> None:
    """从文件求解，不需要数据库 / solve a problem file, with no database."""
    problem = read_problem(_read(problem_path), str(problem_path))
    plan = _solve_watched(
        problem, Effort(deterministic=effort, seconds=seconds, seed=seed, workers=workers)
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(write_plan(plan), encoding="utf-8")
    report = check(problem, plan)
    for level in plan.levels:
        proven = "已证最优" if level.proven else f"差距 {level.gap:.1%}"
        typer.echo(f"{level.level:<14} 代价 {level.cost:>8}  下界 {level.bound:>8}  {proven}")
    typer.echo(
        f"成行 {sum(p.walked for p in plan.patrols)} 次，空缺 {len(plan.empty_seats)} 席，"
        f"硬性违规 {len(report.violations)} 处 → {out}"
    )


@commands.command("check")
def check_files(
    problem_path: Annotated[Path, typer.Argument(metavar="PROBLEM.json")],
    plan_path: Annotated[Path, typer.Argument(metavar="PLAN.json")],
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON 报告")] = False,
) -> None:
    """独立检查一个排班结果；有问题时退出码为 1 / check a plan, exit 1 when anything is wrong."""
    problem = read_problem(_read(problem_path), str(problem_path))
    report = check(problem, read_plan(_read(plan_path), str(plan_path)))
    if as_json:
        typer.echo(REPORT.dump_json(report, indent=1).decode())
    else:
        for violation in report.violations:
            typer.echo(f"违规 [{violation.rule}] {violation.zh}")
        for mismatch in report.mismatches:
            typer.echo(
                f"数字不符 [{mismatch.figure}] 写 {mismatch.said[:200]}，应为 {mismatch.derived[:200]}"
            )
        costs = "，".join(f"{cost.level} {cost.cost}" for cost in report.costs)
        typer.echo(
            f"硬性违规 {len(report.violations)} 处，数字不符 {len(report.mismatches)} 处；{costs}"
        )
    sys.exit(0 if report.clean else 1)


@commands.command("generate")
def generate(week: Week, community: CommunityCode = None, seed: int = 1) -> None:
    """生成一周排班（由后台进程求解）/ have a worker solve a week."""
    from api.following import follow
    from api.rosters.generate import ask_for_roster
    from grid.database import transaction
    from scheduling.week import as_monday

    engine = _ground()
    with transaction(engine) as session:
        run_id = ask_for_roster(
            session, _community(session, community), as_monday(week), by="cli", seed=seed
        )
    row = follow(engine, run_id, "排班", Console())
    typer.echo(
        f"已生成 {week} 第 {row.result['number']} 版（编号 {row.result['roster_version_id']}），"
        f"硬性违规 {row.result['violations']} 处。"
    )


@commands.command("list")
def list_versions(week: Week, community: CommunityCode = None) -> None:
    """列出一周的版本 / list a week's versions."""
    from api.rosters.board import STATES
    from grid.database import transaction
    from scheduling.versions import versions_of
    from scheduling.week import as_monday

    with transaction(_ground()) as session:
        rows = versions_of(session, _community(session, community), as_monday(week))
        for row in rows:
            typer.echo(f"{row.id}\t第 {row.number} 版\t{STATES[row.state]}\t违规 {row.violations}")
        if not rows:
            typer.echo("这一周还没有排班表。用 ./xunge roster generate 生成。")


@commands.command("publish")
def publish_version(
    version: Annotated[int, typer.Argument(help="版本编号，见 roster list")],
    community: CommunityCode = None,
    reviewer: Annotated[
        str, typer.Option(help="审核草稿的队长或街道办账号，不能是制表人 / who reviewed it")
    ] = "",
) -> None:
    """发布一个版本；草稿须写明由谁审核 / publish a version; a draft needs its reviewer."""
    from api.audit import record
    from api.rosters.generate import plan_routes_of
    from api.rosters.reviewing import NoSuchReviewer, reviewers
    from grid.database import transaction
    from scheduling.publish import publish, review
    from scheduling.rosters import RosterState
    from scheduling.versions import find_version

    with transaction(_ground()) as session:
        community_id = _community(session, community)
        found = find_version(session, community_id, version)
        if found.state == RosterState.DRAFT:
            if reviewer not in {a.username for a in reviewers(session, community_id, found)}:
                raise NoSuchReviewer(name=reviewer)
            review(session, community_id, version, by=reviewer)
        done = publish(session, community_id, version, by="cli")
        plan_routes_of(session, done, by="cli")
        record(
            session,
            actor="cli",
            action="roster.publish",
            target=f"{done.week_start.isoformat()} #{done.number}",
            community_id=community_id,
            details={"reviewer": done.reviewed_by},
        )
        typer.echo(f"已发布 {done.week_start.isoformat()} 第 {done.number} 版。")


@commands.command("export")
def export_version(
    version: Annotated[int, typer.Argument(help="版本编号，见 roster list")],
    out: Annotated[Path, typer.Option(help="文件：.xlsx、.pdf 或 .txt / by its ending")],
    community: CommunityCode = None,
) -> None:
    """导出排班表 Excel、PDF 或文字 / write the 排班表 as workbook, PDF or text."""
    from api.audit import record
    from grid.database import transaction
    from scheduling.versions import find_version

    with transaction(_ground()) as session:
        community_id = _community(session, community)
        found = find_version(session, community_id, version)
        _write_roster(session, found.id, out)
        record(
            session,
            actor="cli",
            action="roster.export",
            target=f"{found.week_start.isoformat()} #{found.number}",
            community_id=community_id,
        )
    typer.echo(f"已写出 {out}。")


def _write_roster(session: "Session", version_id: int, out: Path) -> None:
    from api.rosters.excel import write_roster_xlsx
    from api.rosters.text import RosterText
    from scheduling.rosters import RosterVersion

    if out.suffix == ".pdf":
        from api.rosters.pdf import write_roster_pdf

        write_roster_pdf(session, version_id, out)
    elif out.suffix == ".txt":
        words = RosterText(session, session.get_one(RosterVersion, version_id))
        out.write_text(words.week() + "\n", encoding="utf-8")
    else:
        write_roster_xlsx(session, version_id, out)


@commands.command("problem")
def problem_file(
    week: Week,
    out: Annotated[Path, typer.Option(help="问题文件 / problem file")],
    community: CommunityCode = None,
) -> None:
    """把一周的排班问题写成文件 / write a week as a problem file."""
    from grid.database import transaction
    from scheduling.core.problem import write_problem
    from scheduling.week import as_monday, load_problem

    with transaction(_ground()) as session:
        problem = load_problem(session, _community(session, community), as_monday(week))
    out.write_text(write_problem(problem), encoding="utf-8")
    typer.echo(f"已写出 {out}。")


def _ground() -> "Engine":
    from api.ground import open_ground
    from api.settings import settings

    return open_ground(settings())


def _community(session: "Session", code: str | None) -> int:
    from sqlalchemy import select

    from grid.communities import Community
    from grid.errors import NotFound

    rows = session.execute(select(Community.code, Community.id).order_by(Community.code)).all()
    known = {found: int(community_id) for found, community_id in rows}
    if code is None and len(known) == 1:
        return next(iter(known.values()))
    if code is None:
        raise WhichCommunity(n=len(known), codes="、".join(known) or "–")
    if code not in known:
        raise NotFound(thing="社区", name=code)
    return known[code]
