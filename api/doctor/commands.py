"""``./xunge doctor``, ``stop`` and ``reset``."""

import shutil
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

commands = typer.Typer()
MARKS = {"ok": "[green]✓[/]", "warn": "[yellow]![/]", "bad": "[red]✗[/]"}


@commands.command("doctor")
def doctor() -> None:
    """检查安装：缺什么、哪里不对、怎么办 / what is missing or wrong, and the cure."""
    from api.doctor.examine import examine
    from api.settings import settings
    from api.today import today

    chosen = settings()
    console = Console()
    table = Table(show_header=False, box=None)
    found = list(examine(chosen, today(chosen)))
    for one in found:
        table.add_row(MARKS[one.weight], f"{one.zh}\n[dim]{one.en}[/]", one.cure)
    console.print(table)
    console.print(f"数据目录：{chosen.data}", highlight=False)
    if any(one.weight == "bad" for one in found):
        raise typer.Exit(1)


@commands.command("stop")
def stop() -> None:
    """停止本机的私有数据库 / stop the private database."""
    from api.settings import settings

    cluster = settings().private_cluster()
    if cluster is None:
        typer.echo("使用的是外部数据库，没有可停止的私有数据库。")
        return
    cluster.stop()
    typer.echo("私有数据库已停止。")


@commands.command("reset")
def reset(
    yes: Annotated[bool, typer.Option("--yes", help="不再询问 / do not ask")] = False,
) -> None:
    """删除本机的全部数据，回到初始状态 / delete all data of this installation."""
    from api.settings import settings

    chosen = settings()
    cluster = chosen.private_cluster()
    if cluster is None:
        typer.echo(
            "设置了 XUNGE_DATABASE_URL：外部数据库的数据请由其管理员删除，这里什么也没有做。"
        )
        raise typer.Exit(1)
    if not chosen.data.exists():
        typer.echo("没有数据，无需重置。")
        return
    if not yes:
        typer.confirm(f"将永久删除 {chosen.data} 中的全部数据，确定吗？", abort=True)
    cluster.stop()
    shutil.rmtree(chosen.data)
    typer.echo("已删除全部数据。重新开始：./xunge demo")
