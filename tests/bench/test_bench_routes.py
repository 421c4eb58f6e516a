"""Routes' benchmark: formats read two ways agree, tours the scorer confirms, faults it sees."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.route_files import is_route_file, read_route_file, write_tours
from bench.route_known import best_known
from bench.route_score import _Instance, score_tours
from bench.route_table import _page

ROOT = Path(__file__).resolve().parents[2]

OPLIB = """NAME : square
TYPE : OP
DIMENSION : 5
COST_LIMIT : 40
EDGE_WEIGHT_TYPE : {kind}
NODE_COORD_SECTION
1 0 0
2 10 0
3 10 10
4 0 10
5 47.5 93.25
NODE_SCORE_SECTION
1 3
2 5
3 7
4 9
5 100
DEPOT_SECTION
1
-1
EOF
"""
EXPLICIT = """NAME : explicit
TYPE : OP
DIMENSION : 4
COST_LIMIT : 12
EDGE_WEIGHT_TYPE : EXPLICIT
EDGE_WEIGHT_FORMAT : {form}
EDGE_WEIGHT_SECTION
{weights}
NODE_SCORE_SECTION
1 0
2 5
3 7
4 9
DEPOT_SECTION
1
-1
EOF
"""
FORMS = {
    "UPPER_ROW": "1 2 3\n4 5 6",
    "LOWER_DIAG_ROW": "0 1 0 2 4 0\n3 5 6 0",
    "UPPER_DIAG_ROW": "0 1 2 3 0 4 5 0 6 0",
    "FULL_MATRIX": "0 1 2 3\n1 0 4 5\n2 4 0 6\n3 5 6 0",
}
PATHS = "9.5 1\n0 0 0\n6 0 0\n3 0 10\n3 1 5\n30 30 90\n"
TEAMS = "n 6\nm 2\ntmax 8.0\n0 0 0\n1 1 10\n1 -1 20\n2 2 5\n40 40 90\n4 0 0\n"


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text)
    return file


@pytest.mark.parametrize("kind", ["EUC_2D", "CEIL_2D", "ATT", "GEO"])
def test_reader_and_scorer_count_the_same_distances(tmp_path, kind):
    file = write(tmp_path, "square.oplib", OPLIB.format(kind=kind))
    mine, scorer = read_route_file(file), _Instance(file.read_text())
    theirs = [[scorer.between(a, b) for b in range(1, 6)] for a in range(1, 6)]
    assert np.array_equal(mine.distance, np.array(theirs, dtype=float))


@pytest.mark.parametrize("form", FORMS)
def test_explicit_distances_are_read_in_every_form(tmp_path, form):
    text = EXPLICIT.format(form=form, weights=FORMS[form])
    file = write(tmp_path, "explicit.oplib", text)
    mine, scorer = read_route_file(file), _Instance(text)
    assert mine.distance.tolist() == [[0, 1, 2, 3], [1, 0, 4, 5], [2, 4, 0, 6], [3, 5, 6, 0]]
    assert scorer.between(2, 4) == 5


def test_a_path_goes_from_the_first_point_to_the_second_and_a_team_to_the_last(tmp_path):
    path = read_route_file(write(tmp_path, "path.txt", PATHS))
    teams = read_route_file(write(tmp_path, "p9.2.a.txt", TEAMS))
    assert (path.start, path.end, path.walks, path.limit) == (0, 1, 1, 9.5)
    assert (teams.start, teams.end, teams.walks, teams.limit) == (0, 5, 2, 8.0)
    assert path.distance[0, 2] == pytest.approx(3)


def test_the_scorer_sees_what_tours_break(tmp_path):
    file = write(tmp_path, "square.oplib", OPLIB.format(kind="EUC_2D"))

    def faults(text: str) -> list[str]:
        return score_tours(file, write(tmp_path, "tour", text)).violations

    good = score_tours(file, write(tmp_path, "tour", "1\n2\n3\n4\n1\n"))
    assert (good.score, good.longest, good.violations) == (24, 40, [])
    assert faults("1\n2\n3\n4\n") == []  # the last line may be left out
    assert "instead of at most 40" in faults("1\n2\n5\n1\n")[0]
    assert "visited twice" in faults("1\n2\n2\n1\n")[0]
    assert "no node 9" in faults("1\n9\n1\n")[0]
    assert "does not go from" in faults("2\n3\n1\n")[0]
    assert "tours instead of" in faults("1\n2\n1\n\n1\n3\n1\n")[0]


def test_a_folder_gives_one_line_each_and_tours_the_scorer_confirms(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    write(folder, "square.oplib", OPLIB.format(kind="EUC_2D"))
    write(folder, "path.txt", PATHS)
    write(folder, "p9.2.a.txt", TEAMS)
    write(folder, "format.txt", "Tmax P\nwords about the format\n")
    done = subprocess.run(
        [sys.executable, "-m", "bench", "route", str(folder), "--seconds", "0.3", "--out", str(tmp_path / "out")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = {line["instance"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert {name: line["score"] for name, line in lines.items()} == {
        "square": 24, "path": 15, "p9.2.a": 35,
    }  # fmt: skip
    for name, line in lines.items():
        (file,) = [f for f in folder.iterdir() if f.stem == name]
        scored = score_tours(file, tmp_path / "out" / f"{name}.tour")
        assert (scored.score, scored.violations) == (line["score"], [])
        assert line["proven"]


def test_what_is_no_instance_is_told_in_a_sentence_and_nothing_is_printed(tmp_path):
    file = write(tmp_path, "broken.oplib", "DIMENSION : 3\n")
    for given in (file, tmp_path / "absent.oplib"):
        done = subprocess.run(
            [sys.executable, "-m", "bench", "route", str(given)],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (2, "")
        assert str(given) in done.stderr


def test_several_tours_stand_apart_by_a_blank_line(tmp_path):
    instance = read_route_file(write(tmp_path, "p9.2.a.txt", TEAMS))
    write_tours(instance, [[1], [2, 3]], tmp_path / "tour")
    assert (tmp_path / "tour").read_text() == "1\n2\n6\n\n1\n3\n4\n6\n"


def test_notes_beside_instances_are_no_instances(tmp_path):
    assert not is_route_file(write(tmp_path, "OP_format.txt", "****\n* OP\n"))
    assert is_route_file(write(tmp_path, "set.txt", PATHS))


def test_best_known_values_stand_beside_their_instances(tmp_path):
    file = write(tmp_path, "a.oplib", OPLIB.format(kind="EUC_2D"))
    assert best_known(file) is None
    write(tmp_path, "a.sol", "NAME : a\nROUTE_SCORE : 24\n")
    assert best_known(file) == 24
    assert best_known(Path("tsiligirides_problem_1_budget_85.txt")) == 285
    assert not math.isnan(best_known(Path("p4.2.a.txt")) or math.nan)


def test_the_table_counts_no_illegal_answer_and_says_where_there_is_none():
    peers = {"pyvrp": {"score": 95, "gap": 0.05, "violations": 0}, "vroom": {"note": "not there"},
             "ortools": {"score": 120, "gap": -0.2, "violations": 1}}  # fmt: skip
    rows = [
        {"command": "route routes/op/set_64_1_15.txt --seconds 5", "score": 99, "best_known": 100,
         "gap": 0.01, "violations": 0, "seconds_to_best": 0.1, "peers": peers, "day": "2026-11-23"},
    ]  # fmt: skip
    page = _page(rows)
    assert "| Chao 64 | 1 | 5 | 巡格 | 1.00% | 1.00% | 0/1 | 0 |" in page
    assert "| Chao 64 | 1 | 5 | OR-Tools routing | – | – | – | 1 |" in page
    assert (
        "| set_64_1_15 | 100 | 99（1.00%） | 0.1 | 95（5.00%） | 无结果 | 120（-20.00%）（不合法） |"
        in page
    )
