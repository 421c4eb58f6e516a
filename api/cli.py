"""``./xunge``: the one command. Each room of the API adds its own under its name."""

import signal
import sys
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.exc import OperationalError

import api
from grid.errors import DomainError

HELP = """巡格：事件 → 热点 → 巡逻要求 → 排班 → 路线 → 打卡 → 成效。

Incidents, hotspots, patrol requirements, rosters, routes, check-ins, effect."""

OWN = {"serve", "worker"}
TOP_LEVEL_ROOMS = {"demo": "demo", "doctor": "doctor", "reset": "doctor", "stop": "doctor"}
"""Commands that stand at the top without a group, and the room that has them."""
SINGULAR = {
    "rosters": "roster",
    "routes": "route",
    "hotspots": "hotspot",
    "imports": "import",
    "exports": "export",
    "users": "user",
    "incidents": "incident",
}


def _rooms() -> dict[str, str]:
    """Return each group's name and the room whose commands it holds."""
    found = {}
    for info in iter_modules(api.__path__):
        if info.ispkg and find_spec(f"api.{info.name}.commands"):
            found[SINGULAR.get(info.name, info.name)] = info.name
    return found


def build(wanted: str | None = None) -> typer.Typer:
    """Return the command tree; only ``wanted``'s room is imported where one is named."""
    app = typer.Typer(
        help=HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )
    app.command("serve")(serve)
    app.command("worker")(worker)
    rooms = _rooms()
    room_of = {**rooms, **{k: v for k, v in TOP_LEVEL_ROOMS.items() if v in rooms.values()}}
    if wanted in OWN:
        return app
    chosen = {room_of[wanted]} if wanted in room_of else set(rooms.values())
    for name, room in rooms.items():
        if room not in chosen:
            continue
        commands: typer.Typer = import_module(f"api.{room}.commands").commands
        if room in TOP_LEVEL_ROOMS.values():
            app.registered_commands.extend(commands.registered_commands)
        else:
            app.add_typer(commands, name=name)
    return app


def serve(
    host: Annotated[str | None, typer.Option(help="监听地址 / address")] = None,
    port: Annotated[int | None, typer.Option(help="端口 / port")] = None,
    workers: Annotated[int, typer.Option(help="同时启动几个后台进程 / background workers")] = 1,
) -> None:
    """启动网站和后台进程 / serve the site, with a background worker beside it."""
    from api.serving import serve_site

    serve_site(host=host, port=port, workers=workers)


def worker(
    concurrency: Annotated[int, typer.Option(help="同时处理的任务数 / jobs at a time")] = 1,
    quiet: Annotated[bool, typer.Option("--quiet", help="不显示启动信息")] = False,
) -> None:
    """再启动一个后台进程，处理排班等任务 / run one more background worker."""
    from api.ground import prepare
    from api.settings import settings
    from api.worker import run_worker

    if not quiet:
        prepare(settings())
        typer.echo("后台进程已启动，按 Ctrl-C 停止；未完成的任务会由其他进程接手。")
    run_worker(settings(), concurrency=concurrency)


def main() -> None:
    """Run one command; a refusal is a sentence and exit status 1, never a traceback."""
    # A closed pipe (| head) ends us quietly, as other commands end.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    errors = Console(stderr=True)
    try:
        build(words[0] if words else None)(prog_name="./xunge")
    except DomainError as refusal:
        errors.print(refusal.sentence("zh"), style="bold red", highlight=False)
        errors.print(refusal.sentence("en"), style="red", highlight=False)
        sys.exit(1)
    except OperationalError as error:
        errors.print(
            "连接不上数据库。请运行 ./xunge doctor 查看原因；"
            "若设置了 XUNGE_DATABASE_URL，请检查地址和密码。",
            style="bold red",
        )
        errors.print(f"Cannot reach the database: {error.orig}", style="red", highlight=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
