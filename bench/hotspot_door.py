"""``./xunge bench hotspot``: the hotspot statistics measured on real and on simulated incidents."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.hotspot_forecast import measure_forecast, read_city
from bench.measure import NotAnInstance

hotspot = typer.Typer(
    help="检验热点统计 / Measure the hotspot statistics.",
    no_args_is_help=True,
    add_completion=False,
)


@hotspot.callback()
def _door() -> None:
    """检验热点统计 / Measure the hotspot statistics."""


@hotspot.command()
def forecast(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv.gz")],
    cell: Annotated[float, typer.Option(min=20, max=5000, help="格边长（米）/ metres")] = 150.0,
    out: Annotated[Path, typer.Option(help="排名目录 / folder")] = Path("out/bench/forecast"),
    category: Annotated[str | None, typer.Option(help="只预测一类 / one category only")] = None,
) -> None:
    """逐周滚动预测并打分 / Forecast week by week and score: one JSON line."""
    try:
        city = read_city(file, category)
        found = measure_forecast(city, cell, out, lambda text: print(text, file=sys.stderr))
    except NotAnInstance as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from error
    except OSError as error:
        print(f"无法读写：{error}。\nCannot read or write: {error}.", file=sys.stderr)
        raise typer.Exit(2) from error
    print(json.dumps(found, ensure_ascii=False))
