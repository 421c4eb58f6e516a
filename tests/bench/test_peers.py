"""What the peers find is what the scorer counts: their models and our words agree."""

import csv
import json
from collections import Counter
from itertools import product

import pytest
from ortools.sat.python import cp_model

from bench.peers import cpsat_patrol, cpsat_roster, environment
from bench.peers.shift_file import read_shift_file
from bench.score import score_patrol, score_roster


@pytest.fixture
def week_file(tmp_path):
    """Six officers for two patrols a day; the guards' and the grid's seats stay empty."""
    people = [
        {
            "id": f"O{n}", "role": "officer", "kind": 0, "max": 5, "zones": [n % 2],
            "off": [n], "ban": [2] if n == 0 else [],
            "req": [[n, n % 3, 2, -1], [(n + 1) % 7, 1, 3, 1]], "hist": n % 3,
        }
        for n in range(6)
    ]  # fmt: skip
    week = {
        "D": 7, "Z": 2,
        "shifts": [
            {"start": 480, "end": 840}, {"start": 780, "end": 1140}, {"start": 1080, "end": 1440},
        ],
        "people": people,
        "patrols": [[day, shift, day % 2] for day in range(7) for shift in (0, 2)],
        "rest": 660, "maxcons": 5, "maxnight": 2,
        "w": {"unfilled": 1000, "spread": 20, "unfamiliar": 2, "repeat": 3, "req": 1},
    }  # fmt: skip
    file = tmp_path / "week.json"
    file.write_text(json.dumps(week))
    return file


ROSTER = """SECTION_HORIZON
14
SECTION_SHIFTS
E,480,
L,420,E
SECTION_STAFF
A,E=14|L=3,4320,3360,5,2,2,1
B,E=14|L=14,4320,3360,5,2,2,1
C,E=4|L=14,4320,3360,5,2,3,1
SECTION_DAYS_OFF
A,0
B,5
C,8
SECTION_SHIFT_ON_REQUESTS
A,2,E,2
A,3,L,2
B,0,E,3
SECTION_SHIFT_OFF_REQUESTS
C,12,L,1
C,13,L,1
SECTION_COVER
"""


@pytest.fixture
def roster_file(tmp_path):
    cover = [f"{day},{shift},1,100,1" for day in range(14) for shift in "EL"]
    file = tmp_path / "Tiny.txt"
    file.write_text(ROSTER + "\n".join(cover) + "\n")
    return file


def run(main, file, out, monkeypatch, capsys, seconds=20):
    arguments = ["peer", str(file), "--seconds", str(seconds), "--workers", "2", "--out", str(out)]
    monkeypatch.setattr("sys.argv", arguments)
    assert main() == 0
    return json.loads(capsys.readouterr().out)


def test_cpsat_proves_what_the_scorer_counts_on_patrols(week_file, tmp_path, monkeypatch, capsys):
    out = tmp_path / "plan.json"
    line = run(cpsat_patrol.main, week_file, out, monkeypatch, capsys)
    assert line["status"] == "OPTIMAL"
    assert line["cost"] == line["bound"] == score_patrol(week_file, out).cost
    assert line["violations"] == 0
    assert line["parts"]["empty_seats"] == 1000 * 14 * 2
    assert line["parts"]["requests"] > 0


def test_cpsat_proves_what_the_scorer_counts_on_rosters(roster_file, tmp_path, monkeypatch, capsys):
    out = tmp_path / "roster.csv"
    line = run(cpsat_roster.main, roster_file, out, monkeypatch, capsys)
    assert line["status"] == "OPTIMAL"
    assert line["cost"] == line["bound"] == score_roster(roster_file, out).cost
    assert line["violations"] == 0


def test_cpsat_and_the_scorer_refuse_the_same_rosters(roster_file, tmp_path, monkeypatch, capsys):
    """Two readings of the rules: a best roster with one cell changed is legal to both or neither."""
    out = tmp_path / "roster.csv"
    run(cpsat_roster.main, roster_file, out, monkeypatch, capsys)
    with out.open(newline="") as text:
        best = list(csv.reader(text))
    file = read_shift_file(roster_file)
    names = [employee.name for employee in file.employees]
    solver = cp_model.CpSolver()
    verdicts = Counter()
    for n, day, shift in product(range(len(names)), range(file.days), ["", *file.minutes]):
        rows = [list(row) for row in best]
        rows[n][day] = shift
        built = cpsat_roster.RosterModel(file)
        for (who, when, what), works in built.works.items():
            built.model.add(works == int(rows[names.index(who)][when] == what))
        score = score_roster(roster_file, rows)
        accepted = solver.solve(built.model) == cp_model.OPTIMAL
        assert accepted == score.legal, score.violations
        if accepted:
            assert solver.objective_value == score.cost
        verdicts[accepted] += 1
    assert verdicts[True] > len(names) * file.days
    assert verdicts[False] > 0


def test_a_peer_without_java_says_what_to_install(monkeypatch):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(environment.PeerMissing, match="Java 17 or later"):
        environment.require_java()
