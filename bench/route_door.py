"""``./xunge bench route``: orienteering files, beside VROOM, OR-Tools routing and plain PyVRP."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.data import bench_data
from bench.measure import NotAnInstance, ScorerDisagrees
from bench.route_files import is_route_file
from bench.route_measure import measure_route
from bench.route_peers import run_peers
from scheduling.core.routes.search import RouteEffort


def route(
    file: Annotated[Path, typer.Argument(metavar="FILE|DIR")],
    seconds: Annotated[float, typer.Option(min=0.1, help="每个算例的秒数 / seconds each")] = 20.0,
    workers: Annotated[int, typer.Option(min=1, max=64, help="并行数 / workers")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="随机种子 / seed")] = 1,
    out: Annotated[Path, typer.Option(help="路线目录 / folder for the tours")] = Path("out/bench"),
    peers: Annotated[
        bool, typer.Option("--peers", help="同时运行同类工具 / run the peers as well")
    ] = False,
) -> None:
    """求解定向越野算例 / Solve orienteering files; tours go to OUT/<instance>.tour."""
    files = _files(file)
    effort = RouteEffort(seconds=seconds, seed=seed, chains=workers)
    bad = False
    for each in files:
        try:
            found = measure_route(
                each, out / f"{each.stem}.tour", effort, lambda text: print(text, file=sys.stderr)
            )
            line = found.line()
            if peers:
                line["peers"] = run_peers(each, out, seconds, seed)
        except (NotAnInstance, ScorerDisagrees) as error:
            print(error, file=sys.stderr)
            raise typer.Exit(2 if isinstance(error, NotAnInstance) else 1) from error
        except OSError as error:
            print(f"无法读写：{error}。\nCannot read or write: {error}.", file=sys.stderr)
            raise typer.Exit(2) from error
        print(json.dumps(line), flush=True)
        bad = bad or found.violations > 0
    if bad:
        raise typer.Exit(1)


def _files(given: Path) -> list[Path]:
    if given.is_dir():
        found = sorted(f for f in given.rglob("*") if f.is_file() and is_route_file(f))
        if not found:
            print(
                f"{given} 里没有 .oplib 或 .txt 算例。\nThere is no .oplib or .txt instance in {given}.",
                file=sys.stderr,
            )
            raise typer.Exit(2)
        return found
    if not given.is_file():
        print(
            f"找不到 {given}。公开算例目录由 XUNGE_BENCH_DATA 指定，现为 {bench_data()}。\n"
            f"{given} is not there. XUNGE_BENCH_DATA names the instances' folder, now {bench_data()}.",
            file=sys.stderr,
        )
        raise typer.Exit(2)
    return [given]
