"""Ours, CP-SAT's own example manner and Timefold on the same files and clock, as one table."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

from bench.data import ROOT, best_known

Row = dict[str, object]
Say = Callable[[str], None]
PATROL_SECONDS = {"p220": 60.0}
ROSTER_SECONDS = {f"Instance{n}": 60.0 for n in (1, 2, 3, 4, 5, 6, 7, 10, 11)}
OTHER_PATROL_S, OTHER_ROSTER_S = 30.0, 600.0
TIMEFOLD_ROSTERS = {"Instance1", "Instance2", "Instance3"}
"""Larger ones it ends illegal on: shown once, not waited for each time."""


class Only(StrEnum):
    """Which kind to measure."""

    ALL = "all"
    PATROL = "patrol"
    ROSTER = "roster"


def write_table(data: Path, out: Path, only: Only, most: float, seed: int, say: Say) -> None:
    """Measure what is not measured yet, and write the table. Rows are kept beside it as they come."""
    kept = out.with_suffix(".jsonl")
    rows = _kept(kept)
    work = ROOT / "out" / "bench"
    work.mkdir(parents=True, exist_ok=True)
    for kind, file, seconds in _instances(data, only, most):
        for engine, module in _engines(kind, file.stem):
            key = (engine, file.stem, seconds, seed)
            if any((r["engine"], r["instance"], r["clock"], r["seed"]) == key for r in rows):
                continue
            say(f"{engine} {file.stem} {seconds:g} s …")
            row = _run(kind, engine, module, file, seconds, seed, work)
            row |= {"kind": kind, "clock": seconds, "day": datetime.now(UTC).date().isoformat()}
            rows.append(row)
            with kept.open("a") as lines:
                lines.write(json.dumps(row, ensure_ascii=False) + "\n")
            out.write_text(_page(rows, best_known(data / "rosters")))
    out.write_text(_page(rows, best_known(data / "rosters")))


def _kept(file: Path) -> list[Row]:
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text().splitlines() if line]


def _instances(data: Path, only: Only, most: float) -> list[tuple[str, Path, float]]:
    found = []
    if only != Only.ROSTER:
        for file in sorted((data / "patrol").glob("*.json")):
            found.append(("patrol", file, min(most, PATROL_SECONDS.get(file.stem, OTHER_PATROL_S))))
    if only != Only.PATROL:
        files = (data / "rosters").glob("Instance*.txt")
        for file in sorted(files, key=lambda f: int(f.stem.removeprefix("Instance"))):
            found.append(("roster", file, min(most, ROSTER_SECONDS.get(file.stem, OTHER_ROSTER_S))))
    return found


def _engines(kind: str, instance: str) -> list[tuple[str, str]]:
    found = [("xunge", ""), (f"cpsat_{kind}", f"bench.peers.cpsat_{kind}")]
    if kind == "patrol" or instance in TIMEFOLD_ROSTERS:
        found.append((f"timefold_{kind}", f"bench.peers.timefold_{kind}"))
    return found


def _run(
    kind: str, engine: str, module: str, file: Path, seconds: float, seed: int, work: Path
) -> Row:
    """Run one engine in a process of its own, so that none leaves anything to the next."""
    out = work / f"{engine}-{file.stem}.{'json' if kind == 'patrol' else 'csv'}"
    command = [sys.executable, "-m"]
    if module:
        command += [module, str(file), "--out", str(out)]
    else:
        target = work / "ours" if kind == "patrol" else out
        command += ["bench", kind, str(file), "--out", str(target)]
    command += ["--seconds", str(seconds), "--workers", "2", "--seed", str(seed)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    last = done.stdout.strip().splitlines()[-1:] or ["{}"]
    try:
        row: Row = json.loads(last[0])
    except json.JSONDecodeError:
        row = {}
    if not row:
        row = {"cost": None, "note": (done.stderr.strip().splitlines() or ["no answer"])[-1]}
    return row | {"engine": engine, "instance": file.stem, "seed": seed}


def _page(rows: list[Row], known: dict[str, int]) -> str:
    parts = [
        "# 排班引擎基准 / Roster benchmarks",
        "",
        "由 `./xunge bench table` 生成；每个方案都由独立计分程序 `bench/score.py` 重新计分。"
        "各引擎在同一次运行、同一台机器、同样的时限下求解，每格：成本（下界），达到最好成本的秒数。",
        "",
        f"机器：{os.cpu_count()} 核，{platform.system()} {platform.machine()}，"
        f"Python {platform.python_version()}，OR-Tools {version('ortools')}，"
        f"HiGHS {version('highspy')}。Timefold 的 Python 版已于 2025 年停止维护，只用一个线程，"
        "各引擎的时间都从搜索开始计，不含读文件、Java 启动和装载编译好的程序。",
    ]
    for kind, title in (("patrol", "每周巡逻"), ("roster", "Curtois & Qu 排班算例")):
        mine = [r for r in rows if r.get("kind") == kind]
        if not mine:
            continue
        engines = ["xunge", f"cpsat_{kind}", f"timefold_{kind}"]
        extra = ["已知最好", "差距"] if kind == "roster" else ["首个满员（秒）"]
        heads = ["算例", "时限（秒）", "巡格", "CP-SAT 示例模型", "Timefold", *extra]
        parts += ["", f"## {title}", "", _line(heads), _line(["---"] * len(heads))]
        for instance, clock in dict.fromkeys((str(r["instance"]), r["clock"]) for r in mine):
            found = {
                str(r["engine"]): r
                for r in mine
                if r["instance"] == instance and r["clock"] == clock
            }
            ours = found.get("xunge", {})
            cells = [instance, f"{clock:g}", *(_cell(found.get(engine)) for engine in engines)]
            if kind == "roster":
                best = known.get(instance)
                cost = ours.get("cost")
                cells.append(str(best) if best else "–")
                cells.append(
                    f"{(cost - best) / best:+.2%}" if best and isinstance(cost, int) else "–"
                )
            else:
                cells.append(str(ours.get("seconds_to_first_full_cover") or "–"))
            parts.append(_line(cells))
    days = sorted({str(r.get("day")) for r in rows})
    parts += ["", f"测于 {', '.join(days)}。", ""]
    return "\n".join(parts)


def _cell(row: Row | None) -> str:
    if row is None:
        return "–"
    cost = row.get("cost")
    if cost is None:
        return "无结果"
    if row.get("violations"):
        return f"不合法（{row['violations']} 处）"
    bound = row.get("bound")
    proven = row.get("proven") or (bound is not None and bound == cost)
    said = "已证明最优" if proven else f"下界 {bound:.0f}" if isinstance(bound, float) else "无下界"
    best = row.get("seconds_to_best")
    return f"{cost}（{said}）" + (f"，{best} 秒" if best is not None else "")


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
