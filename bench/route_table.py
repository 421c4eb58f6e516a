"""``./xunge bench route-table``: the routes' figures beside the peers', as one page in docs/."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from bench.data import ROOT, bench_data
from bench.route_files import is_route_file
from bench.route_peers import PEERS

Row = dict[str, object]
FAMILIES: tuple[tuple[str, Callable[[Path], bool], float], ...] = (
    # Title, how the path tells it, seconds an instance.
    ("OPLib，不超过 101 点", lambda f: f.suffix == ".oplib" and "150" not in f.stem, 20.0),
    ("OPLib，150 点", lambda f: f.suffix == ".oplib" and "150" in f.stem, 60.0),
    ("Tsiligirides 1", lambda f: "tsiligirides" in f.stem, 5.0),
    ("Chao 64", lambda f: f.stem.startswith("set_64"), 5.0),
    ("团队定向（Chao 4）", lambda f: f.parent.name == "top", 30.0),
)
NAMES = {"xunge": "巡格", "pyvrp": "PyVRP", "vroom": "VROOM", "ortools": "OR-Tools routing"}


def route_table(
    out: Annotated[Path, typer.Option(help="Markdown")] = Path("docs/route-benchmarks.zh-CN.md"),
    seed: Annotated[int, typer.Option(min=0, help="随机种子 / seed")] = 1,
) -> None:
    """在同一次运行里与 VROOM、OR-Tools、PyVRP 比较，写成表 / Compare in one run, as a table.

    每完成一行即保存，中断后再次运行会接着做 / Every row is kept as it is done: run again to go on.
    """
    kept = out.with_suffix(".jsonl")
    rows = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    for command in _commands(seed):
        if any(row["command"] == command for row in rows):
            continue
        print(command, file=sys.stderr, flush=True)
        for line in _run(command):
            row = line | {"command": command, "day": datetime.now(UTC).date().isoformat()}
            rows.append(row)
            with kept.open("a") as lines:
                lines.write(json.dumps(row, ensure_ascii=False) + "\n")
        out.write_text(_page(rows))
    out.write_text(_page(rows))
    print(out)


def _commands(seed: int) -> list[str]:
    """Return the command of each measure; instances by their path below the benchmarks' folder."""
    files = sorted(f for f in (bench_data() / "routes").rglob("*") if f.is_file() and is_route_file(f))  # fmt: skip
    found = [
        f"route {file.relative_to(bench_data())} --seconds {seconds:g} --seed {seed} --peers"
        for _, belongs, seconds in FAMILIES
        for file in files
        if belongs(file)
    ]
    return [*found, f"route-speed --seed {seed}", *(f"route-variety --seed {s}" for s in (1, 2, 3))]


def _run(command: str) -> list[Row]:
    """Run a measure in a process of its own; no answer is a row that says so."""
    words = command.split()
    if words[0] == "route":
        words[1] = str(bench_data() / words[1])
        words += ["--out", str(ROOT / "out" / "bench" / "routes")]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )  # fmt: skip
    found: list[Row] = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]  # fmt: skip
    return found or [{"note": (done.stderr.strip().splitlines() or ["no answer"])[-1]}]


def _page(rows: Sequence[Row]) -> str:
    parts = [
        "# 路线引擎基准 / Route benchmarks",
        "",
        "由 `./xunge bench route-table` 生成：同一次运行、同一台机器、同样的时限；所有路线由 `bench/route_score.py` "
        "重新计分。差距 = （已知最好 − 得分）÷ 已知最好，负数为更好。",
        "",
        f"机器：{os.cpu_count()} 核，{platform.system()} {platform.machine()}，Python {platform.python_version()}，"
        f"OR-Tools {version('ortools')}。",
        "",
        "## 公开算例",
        "",
        "| 算例族 | 算例 | 时限（秒） | 引擎 | 平均差距 | 最大差距 | 达到已知最好 | 未给出合法路线 |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for title, belongs, seconds in FAMILIES:
        mine = [r for r in rows if str(r["command"]).startswith("route ") and belongs(_file(r))]
        for engine in ("xunge", *PEERS):
            if mine:
                parts.append(_family_line(title, seconds, engine, mine))
    parts += ["", "没有公开最好值的算例不计入差距。", "", "## 每个算例", ""]
    heads = ["算例", "已知最好", "巡格", "到最好（秒）", *(NAMES[peer] for peer in PEERS)]
    parts += [_line(heads), _line(["---"] * len(heads))]
    for row in rows:
        if str(row["command"]).startswith("route "):
            parts.append(_instance_line(row))
    parts += ["", "## 产品里的路线（真实路网）", "", *_product(rows)]
    days = sorted({str(row.get("day")) for row in rows})
    return "\n".join([*parts, "", f"测于 {', '.join(days)}。", ""])


def _file(row: Row) -> Path:
    return Path(str(row["command"]).split()[1])


def _answer(row: Row, engine: str) -> Row:
    if engine == "xunge":
        return row
    peers = row.get("peers")
    found = peers.get(engine) if isinstance(peers, dict) else None
    return found if isinstance(found, dict) else {}


def _family_line(title: str, seconds: float, engine: str, rows: Sequence[Row]) -> str:
    answers = [_answer(row, engine) for row in rows]
    legal = [a for a in answers if a.get("score") is not None and not a.get("violations")]
    gaps = [float(str(a["gap"])) for a in legal if a.get("gap") is not None]
    cells = [title, str(len(rows)), f"{seconds:g}", NAMES[engine]]
    if gaps:
        reached = sum(gap <= 1e-9 for gap in gaps)
        cells += [f"{sum(gaps) / len(gaps):.2%}", f"{max(gaps):.2%}", f"{reached}/{len(gaps)}"]
    else:
        cells += ["–", "–", "–"]
    return _line([*cells, str(len(rows) - len(legal))])


def _instance_line(row: Row) -> str:
    def told(answer: Row) -> str:
        if answer.get("score") is None:
            return "无结果"
        gap = answer.get("gap")
        bad = "（不合法）" if answer.get("violations") else ""
        return (
            f"{answer['score']:g}" + (f"（{float(str(gap)):.2%}）" if gap is not None else "") + bad
        )

    best = row.get("best_known")
    cells = [_file(row).stem, f"{best:g}" if best is not None else "–", told(row)]
    cells += [str(row.get("seconds_to_best", "–")), *(told(_answer(row, peer)) for peer in PEERS)]
    return _line(cells)


def _product(rows: Sequence[Row]) -> list[str]:
    parts = []
    for row in rows:
        measure = row.get("measure")
        if measure == "25 stops":
            parts.append(
                f"- 15 与 25 处停留点，{row['walks']} 条路线：{row['proven']} 条证明最优；平均 {row['seconds_mean']} 秒，"
                f"最长 {row['seconds_max']} 秒（含证明）。"
            )
        elif measure == "150 stops":
            parts.append(
                f"- 150 处停留点：{row['seconds']} 秒，比算 {row['long_seconds']} 秒的结果少 {float(str(row['gap'])):.2%}。"
            )
        elif measure == "month":
            parts.append(
                f"- 一个月 {row['walks']} 条路线，每条都避开同区前 14 条：{row['seconds']} 秒，"
                f"独立检查 {row['violations']} 处不合规。"
            )
        elif "edge_jaccard_mean" in row:
            parts.append(
                f"- 连续 {row['shifts']} 班（种子 {row['seed']}，{row['minutes']} 分钟，{row['stops']} 处）：与上一班相同的路段 "
                f"Jaccard 平均 {row['edge_jaccard_mean']}、最大 {row['edge_jaccard_max']}；得分损失平均 "
                f"{float(str(row['score_lost_mean'])):.1%}；到达时间熵 {row['arrival_entropy']}。"
            )
    return parts


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
