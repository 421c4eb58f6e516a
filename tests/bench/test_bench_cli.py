"""The benchmarks' door: one line of JSON per instance, a plan that the scorer confirms."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import measure
from bench.made_week import make_week, write_week
from bench.score import score_patrol, score_roster
from bench.table import _page

ROOT = Path(__file__).resolve().parents[2]

SHIFTS = """# three people, two shifts, two weeks
SECTION_HORIZON
14
SECTION_SHIFTS
E,480,
L,480,E
SECTION_STAFF
A,E=14|L=3,5760,2400,5,2,2,1
B,E=14|L=14,5760,2400,4,1,2,2
C,E=0|L=14,4800,1920,5,2,1,1
SECTION_DAYS_OFF
A,3
C,8,9
SECTION_SHIFT_ON_REQUESTS
A,0,E,2
B,1,L,3
SECTION_SHIFT_OFF_REQUESTS
C,2,L,4
SECTION_COVER
""" + "".join(f"{day},{shift},1,100,1\n" for day in range(14) for shift in "EL")


def bench(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "bench", *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("instances")
    write_week(20, 3, 1, folder / "small.json")
    (folder / "Instance99.txt").write_text(SHIFTS)
    return folder


def test_a_folder_of_weeks_gives_one_line_each_and_plans_the_scorer_confirms(folder):
    done = bench("patrol", folder, "--seconds", 4, "--out", folder / "plans")
    assert done.returncode == 0, done.stderr
    [line] = map(json.loads, done.stdout.splitlines())
    score = score_patrol(folder / "small.json", folder / "plans" / "small.json")
    assert score.legal
    assert (line["cost"], line["violations"]) == (score.cost, 0)
    assert line["bound"] <= line["cost"]
    assert line["seconds_to_best"] <= line["seconds"]
    full = score.parts["empty_seats"] == 0
    assert (line["seconds_to_first_full_cover"] is not None) == full


def test_a_roster_is_written_a_row_per_employee_and_proven(folder):
    out = folder / "roster.csv"
    done = bench("roster", folder / "Instance99.txt", "--seconds", 5, "--out", out)
    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)
    with out.open(newline="") as file:
        rows = list(csv.reader(file))
    assert [len(row) for row in rows] == [14, 14, 14]
    assert {cell for row in rows for cell in row} <= {"", "E", "L"}
    assert score_roster(folder / "Instance99.txt", out).cost == line["cost"]
    assert line["gap"] <= 0.05


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("patrol", "nowhere"), "找不到"),
        (("roster", "README.md", "--seconds", "1"), "不是可用的算例文件"),
        (("patrol", "pyproject.toml", "--seconds", "1"), "不是可用的算例文件"),
        (("patrol", "tests", "--seconds", "1"), "没有 *.json 算例"),
        (("patrol", "x.json", "--seconds", "0"), "0.1"),
    ],
)
def test_what_cannot_be_measured_is_said(arguments, said):
    done = bench(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert not done.stdout


def test_a_cost_the_scorer_does_not_confirm_is_never_told(folder, monkeypatch):
    class Wrong:
        cost, violations = -1, ()

    monkeypatch.setattr(measure, "score_patrol", lambda *_: Wrong)
    effort = measure.Effort(seconds=0.5, workers=1)
    with pytest.raises(measure.ScorerDisagrees):
        measure.measure_patrol(folder / "small.json", folder / "x.json", effort, lambda _: None)


def test_a_made_week_is_the_same_for_the_same_seed():
    assert make_week(30, 5, 7) == make_week(30, 5, 7) != make_week(30, 5, 8)


def test_the_table_calls_an_illegal_roster_illegal():
    rows = [
        {"kind": "roster", "engine": "xunge", "instance": "Instance3", "clock": 60.0,
         "cost": 1001, "bound": 1001.0, "proven": True, "violations": 0, "day": "2026-11-23"},
        {"kind": "roster", "engine": "timefold_roster", "instance": "Instance3", "clock": 60.0,
         "cost": 900, "bound": None, "violations": 5, "day": "2026-11-23"},
    ]  # fmt: skip
    page = _page(rows, {"Instance3": 1001})
    assert "1001（已证明最优）" in page
    assert "不合法（5 处）" in page
    assert "+0.00%" in page
