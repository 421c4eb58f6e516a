"""The door of the benchmarks: ``./xunge bench patrol|roster|route|route-speed|route-table|route-variety|hotspot|table|make-patrol``.

One JSON line per instance on standard output and nothing else there; progress goes to standard
error. Exit 1 where a roster breaks a rule or the scorer disagrees, 2 for a command line that cannot
be done.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from bench.data import bench_data
from bench.hotspot_door import hotspot
from bench.made_week import write_week
from bench.measure import Measured, NotAnInstance, ScorerDisagrees, measure_patrol, measure_roster
from bench.route_door import route
from bench.route_speed import route_speed
from bench.route_table import route_table
from bench.route_variety import route_variety
from bench.table import Only, write_table
from scheduling.core.lines.search import Effort

app = typer.Typer(
    help="与同类工具在同样的算例、同样的时间下比较 / Measure us beside others on the same work.",
    no_args_is_help=True,
    add_completion=False,
)

Seconds = Annotated[float, typer.Option(min=0.1, help="每个算例的秒数 / seconds per instance")]
Workers = Annotated[int, typer.Option(min=1, max=64, help="并行数 / workers")]
Seed = Annotated[int, typer.Option(min=0, help="随机种子 / seed")]


def _refuse(zh: str, en: str) -> typer.Exit:
    print(f"{zh}\n{en}", file=sys.stderr)
    return typer.Exit(2)


def _files(given: Path, ending: str) -> list[Path]:
    if given.is_dir():
        found = sorted(given.glob(f"*{ending}"))
        if not found:
            raise _refuse(
                f"{given} 里没有 *{ending} 算例。", f"There is no *{ending} instance in {given}."
            )
        return found
    if not given.exists():
        raise _refuse(
            f"找不到 {given}。公开算例目录由 XUNGE_BENCH_DATA 指定，现为 {bench_data()}。",
            f"{given} is not there. XUNGE_BENCH_DATA names the instances' folder, now {bench_data()}.",
        )
    return [given]


def _run(
    files: list[Path],
    out_of: Callable[[Path], Path],
    effort: Effort,
    measure: Callable[[Path, Path, Effort, Callable[[str], None]], Measured],
) -> None:
    bad = False
    for file in files:
        try:
            out = out_of(file)
            out.parent.mkdir(parents=True, exist_ok=True)
            found = measure(file, out, effort, lambda text: print(text, file=sys.stderr))
        except (NotAnInstance, ScorerDisagrees) as error:
            print(error, file=sys.stderr)
            raise typer.Exit(2 if isinstance(error, NotAnInstance) else 1) from error
        except OSError as error:
            raise _refuse(f"无法读写：{error}。", f"Cannot read or write: {error}.") from error
        print(json.dumps(found.line()), flush=True)
        bad = bad or found.violations > 0
    if bad:
        raise typer.Exit(1)


@app.command()
def patrol(
    file: Annotated[Path, typer.Argument(metavar="FILE|DIR")],
    seconds: Seconds = 30.0,
    workers: Workers = 2,
    seed: Seed = 1,
    out: Annotated[Path, typer.Option(help="方案目录 / folder for the plans")] = Path("out/bench"),
) -> None:
    """求解每周巡逻算例 / Solve weekly patrol files; plans go to OUT/<instance>.json."""
    _run(
        _files(file, ".json"),
        lambda f: out / f"{f.stem}.json",
        Effort(seconds=seconds, workers=workers, seed=seed),
        measure_patrol,
    )


@app.command()
def roster(
    file: Annotated[Path, typer.Argument(metavar="FILE|DIR")],
    seconds: Seconds = 60.0,
    workers: Workers = 2,
    seed: Seed = 1,
    out: Annotated[
        Path, typer.Option(help="roster.csv，多个算例时为目录 / or a folder for several")
    ] = Path("out/bench"),
) -> None:
    """求解 Curtois & Qu 排班算例 / Solve Curtois & Qu files; one row per employee."""
    alone = out.suffix == ".csv" and not file.is_dir()
    _run(
        _files(file, ".txt"),
        lambda f: out if alone else out / f"{f.stem}.csv",
        Effort(seconds=seconds, workers=workers, seed=seed),
        measure_roster,
    )


@app.command("make-patrol")
def make_patrol(
    out: Annotated[Path, typer.Option(help="写到 / where to write it")],
    people: Annotated[int, typer.Option(min=8, max=2000)] = 550,
    zones: Annotated[int, typer.Option(min=1, max=300)] = 100,
    seed: Seed = 1,
) -> None:
    """生成一个自编的巡逻算例 / Write a patrol file of our own making."""
    out.parent.mkdir(parents=True, exist_ok=True)
    write_week(people, zones, seed, out)
    print(out)


@app.command()
def table(
    out: Annotated[Path, typer.Option(help="Markdown")] = Path("docs/benchmarks.zh-CN.md"),
    only: Annotated[Only, typer.Option(help="只做一类 / one kind only")] = Only.ALL,
    most: Annotated[
        float, typer.Option(min=1, help="每个算例最多几秒 / no instance longer than this")
    ] = 600.0,
    seed: Seed = 1,
) -> None:
    """在同一次运行里与 CP-SAT 示例模型和 Timefold 比较，写成表 / Compare in one run, as a table.

    每完成一行即保存，中断后再次运行会接着做 / Every row is kept as it is done: run again to go on.
    """
    data = bench_data()
    if not data.is_dir():
        raise _refuse(
            f"找不到公开算例目录 {data}。请用 XUNGE_BENCH_DATA 指定。",
            f"The folder of public instances, {data}, is not there. Name it by XUNGE_BENCH_DATA.",
        )
    write_table(data, out, only, most, seed, lambda text: print(text, file=sys.stderr))
    print(out)


app.command()(route)
app.command("route-variety")(route_variety)
app.command("route-speed")(route_speed)
app.command("route-table")(route_table)
app.add_typer(hotspot, name="hotspot")

if __name__ == "__main__":
    app()
