"""The examinations: each looks at one thing and returns what it found."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from api.app import VENDOR
from api.jobs import STALLED_AFTER_S
from api.migrate import is_current
from api.settings import Settings
from api.today import next_monday
from grid.cluster import MIN_FREE_MB, Cluster, has_postgis, postgres_versions
from grid.database import connect
from grid.errors import DomainError
from grid.working_calendar import unknown_year
from maps.folium_page import LEAFLET_JS

Weight = Literal["ok", "warn", "bad"]
LOW_MB = 1024


@dataclass(frozen=True)
class Finding:
    """What one examination found, and what to do about it."""

    weight: Weight
    zh: str
    en: str
    cure: str = ""


def ok(zh: str, en: str) -> Finding:
    """Return a finding of health."""
    return Finding("ok", zh, en)


def programs(settings: Settings) -> Finding:
    """Look for PostgreSQL and PostGIS."""
    if settings.database_url:
        return ok("使用外部数据库，不需要本机 PostgreSQL", "a managed database is used")
    versions = postgres_versions()
    if not versions:
        return Finding(
            "bad", "没有安装 PostgreSQL", "PostgreSQL is not installed",
            "sudo apt-get install postgresql-postgis",
        )  # fmt: skip
    if not any(has_postgis(major) for major in versions):
        newest = next(iter(versions))
        return Finding(
            "bad", f"PostgreSQL {newest} 缺少 PostGIS", f"PostgreSQL {newest} lacks PostGIS",
            f"sudo apt-get install postgresql-{newest}-postgis-3",
        )  # fmt: skip
    return ok(f"PostgreSQL {next(iter(versions))} 与 PostGIS 已安装", "PostgreSQL and PostGIS")


def disk(settings: Settings) -> Finding:
    """Look at the room where the data live."""
    folder = settings.data
    while not folder.exists():
        folder = folder.parent
    free_mb = shutil.disk_usage(folder).free // 1024**2
    said = (f"{folder} 剩余 {free_mb} MB", f"{free_mb} MB are free at {folder}")
    if free_mb < MIN_FREE_MB:
        return Finding("bad", *said, "清理磁盘，或用 XUNGE_DATA 换一处目录 / make room")
    return (
        Finding("warn", *said, "尽快清理磁盘 / make room soon") if free_mb < LOW_MB else ok(*said)
    )


def cluster(settings: Settings) -> Finding:
    """Look at the private cluster: its version, its lock, whether it answers."""
    private = settings.private_cluster()
    if private is None:
        return ok("未使用私有集群", "no private cluster is used")
    made_by = private.major()
    if made_by is None:
        return Finding(
            "warn", "数据目录还没有建立", "the data folder is not made yet", "./xunge demo"
        )
    if made_by not in postgres_versions():
        return Finding(
            "bad", f"数据目录由 PostgreSQL {made_by} 建立，本机没有该版本",
            f"the data folder was made by PostgreSQL {made_by}, which is not installed",
            f"sudo apt-get install postgresql-{made_by} postgresql-{made_by}-postgis-3",
        )  # fmt: skip
    if private.is_running():
        return ok(f"数据库运行中（PostgreSQL {made_by}）", "the database is up")
    return _not_running(private)


def _not_running(private: Cluster) -> Finding:
    stale = private.stale_lock()
    if stale is not None:
        return Finding(
            "warn",
            f"数据库上次被强行结束，留下锁文件（进程 {stale} 已不在）",
            f"a killed server left its lock file (process {stale} is gone)",
            "下一条 ./xunge 命令会自动清理并恢复 / the next command mends it by itself",
        )
    return Finding("warn", "数据库没有运行", "the database is not running", "./xunge serve")


def extension(engine: Engine) -> Finding:
    """Look for PostGIS inside the database."""
    with engine.connect() as connection:
        found = connection.scalar(
            text("SELECT extversion FROM pg_extension WHERE extname = 'postgis'")
        )
    if found is None:
        return Finding(
            "bad", "数据库里没有 postgis 扩展", "the database lacks the postgis extension",
            "以管理员身份执行 CREATE EXTENSION postgis",
        )  # fmt: skip
    return ok(f"postgis 扩展 {found}", f"postgis {found}")


def migrations(engine: Engine) -> Finding:
    """Look whether the tables are those of this version."""
    url = engine.url.render_as_string(hide_password=False)
    if is_current(url):
        return ok("数据表为最新版本", "the tables are current")
    return Finding(
        "bad", "数据表版本落后", "the tables are behind",
        "运行 ./xunge serve 或 ./xunge demo，会自动升级 / it upgrades by itself",
    )  # fmt: skip


def jobs(engine: Engine) -> Finding:
    """Look for jobs that nobody takes."""
    with engine.connect() as connection:
        workers = connection.scalar(
            text(
                "SELECT count(*) FROM procrastinate_workers "
                "WHERE last_heartbeat > now() - make_interval(secs => :age)"
            ),
            {"age": STALLED_AFTER_S},
        )
        waiting = connection.scalar(
            text("SELECT count(*) FROM job_run WHERE state IN ('queued', 'running')")
        )
    if waiting and not workers:
        return Finding(
            "bad", f"{waiting} 个任务在等待，但没有后台进程", f"{waiting} jobs wait and no worker runs",
            "./xunge worker",
        )  # fmt: skip
    return ok(
        f"后台进程 {workers} 个，未完成任务 {waiting} 个", f"{workers} workers, {waiting} jobs"
    )


def browser_files(settings: Settings) -> Finding:
    """Look for the third-party files that pages and maps are made with."""
    wanted = [Path(name) for name in VENDOR.values()] + [LEAFLET_JS]
    missing = [str(name) for name in wanted if not (settings.offline_assets / name).is_file()]
    if missing:
        return Finding(
            "bad", f"缺少网页组件：{'、'.join(missing)}", f"browser files are missing: {missing}",
            f"rm -rf {settings.offline_assets} 后重新运行任一 ./xunge 命令 / then run any command",
        )  # fmt: skip
    return ok("网页组件齐全", "the browser files are there")


def font(_: Settings) -> Finding:
    """Look for a font that shows Chinese."""
    found = ""
    if shutil.which("fc-list"):
        found = subprocess.run(
            ["fc-list", ":lang=zh-cn"], capture_output=True, text=True, check=False
        ).stdout
    if found.strip():
        return ok("有中文字体", "a Chinese font is there")
    return Finding(
        "warn", "没有中文字体，打印和截图会缺字", "no Chinese font: prints lack characters",
        "sudo apt-get install fonts-wqy-microhei fontconfig",
    )  # fmt: skip


def calendar(engine: Engine, day: date) -> Finding:
    """Look whether next week's working days are known."""
    monday = next_monday(day)
    with Session(engine) as session:
        unknown = unknown_year(session, day, monday + timedelta(days=6))
    if unknown is not None:
        return Finding(
            "warn", unknown.sentence("zh"), unknown.sentence("en"),
            "国务院公布放假安排后升级，或先按周末推定 / upgrade after the notice",
        )  # fmt: skip
    return ok("工作日历覆盖下周", "the working calendar covers next week")


def community(engine: Engine) -> Finding:
    """Look whether there is a community at all."""
    with engine.connect() as connection:
        found = connection.scalar(text("SELECT count(*) FROM community"))
    if not found:
        return Finding("warn", "还没有社区", "there is no community yet", "./xunge demo")
    return ok(f"社区 {found} 个", f"{found} communities")


def examine(settings: Settings, day: date) -> Iterator[Finding]:
    """Run every examination that makes sense; the database's only where it answers."""
    for look in (programs, disk, cluster, browser_files, font):
        yield _guarded(lambda look=look: look(settings))  # type: ignore[misc]
    private = settings.private_cluster()
    try:
        if private is not None and not private.is_running():
            return
    except DomainError:
        return
    engine = connect(settings.sqlalchemy_url())
    try:
        checks: tuple[Callable[[], Finding], ...] = (
            lambda: extension(engine),
            lambda: migrations(engine),
            lambda: community(engine),
            lambda: jobs(engine),
            lambda: calendar(engine, day),
        )
        for check in checks:
            yield _guarded(check)
    finally:
        engine.dispose()


def _guarded(look: Callable[[], Finding]) -> Finding:
    """An examination that fails is a finding too; the others go on."""
    try:
        return look()
    except DomainError as refusal:
        return Finding("bad", refusal.sentence("zh"), refusal.sentence("en"))
    except Exception as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        return Finding(
            "bad", f"检查没有完成：{first}", f"could not look: {first}", "./xunge doctor"
        )
