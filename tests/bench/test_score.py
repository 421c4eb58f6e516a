"""The scorer finds every broken rule and every part of the cost on instances small enough to count."""

import json
import subprocess
import sys

import pytest

from bench.score import score_patrol, score_roster


@pytest.fixture
def patrol_week(tmp_path):
    """Two shifts (day 8–14, night 18–24), two zones; an officer, two grid members, two guards."""

    def person(name, role, kind, **more):
        return {
            "id": name, "role": role, "kind": kind, "max": 7, "zones": [0, 1],
            "off": [], "ban": [], "req": [], "hist": 0, **more,
        }  # fmt: skip

    def write(patrols, **changes):
        week = {
            "D": 7,
            "shifts": [{"start": 480, "end": 840}, {"start": 1080, "end": 1440}],
            "Z": 2,
            "people": [
                person("O", "officer", 0, **changes.get("O", {})),
                person("M1", "grid", 1),
                person("M2", "grid", 1, **changes.get("M2", {})),
                person("G", "guard", 2, **changes.get("G", {})),
                person("L", "leader", 2, **changes.get("L", {})),
            ],
            "patrols": patrols,
            "rest": 660,
            "maxcons": 5,
            "maxnight": 2,
            "w": {"unfilled": 1000, "spread": 20, "unfamiliar": 2, "repeat": 3, "req": 1},
        }
        week |= changes.get("week", {})
        file = tmp_path / "week.json"
        file.write_text(json.dumps(week))
        return file

    return write


def whole_week(days, shift=0, zone=0):
    return [[day, shift, zone] for day in days]


def test_a_legal_patrol_costs_its_spread_only(patrol_week):
    score = score_patrol(patrol_week([[0, 0, 0]]), {"0,0,0": ["O", "M1", "G"]})
    assert score.legal
    # M1 has one patrol and M2 none; the officer, the guard and the leader are alone in their roles.
    assert score.parts == {
        "empty_seats": 0, "spread": 20, "outside": 0, "repeats": 0, "requests": 0,
    }  # fmt: skip
    assert score.cost == 20


def test_an_empty_seat_and_a_patrol_left_out_cost_1000_a_seat(patrol_week):
    file = patrol_week([[0, 0, 0], [1, 0, 0]])
    score = score_patrol(file, {"0,0,0": ["O", None, "G"]})
    assert score.legal
    assert score.parts["empty_seats"] == 4000


def test_history_counts_in_the_spread(patrol_week):
    file = patrol_week([[0, 0, 0]], M2={"hist": 3})
    assert score_patrol(file, {"0,0,0": ["O", "M1", "G"]}).parts["spread"] == 20 * (3 - 1)
    assert score_patrol(file, {"0,0,0": ["O", "M2", "G"]}).parts["spread"] == 20 * (4 - 0)


def test_guards_and_leaders_are_two_roles_of_one_kind(patrol_week):
    file = patrol_week([[0, 0, 0]], L={"hist": 3})
    score = score_patrol(file, {"0,0,0": ["O", None, "G"]})
    assert score.legal
    assert score.parts["spread"] == 0


def test_outside_and_the_third_patrol_in_a_zone_are_paid(patrol_week):
    days = [0, 1, 2, 3]
    file = patrol_week(whole_week(days), O={"zones": [1]})
    score = score_patrol(file, {f"{day},0,0": ["O", None, None] for day in days})
    assert score.legal
    assert score.parts["outside"] == 2 * 4
    assert score.parts["repeats"] == 3 * 2


def test_a_wish_for_a_shift_and_a_wish_to_be_spared_it_cost_when_unmet(patrol_week):
    wishes = {"req": [[0, 0, 3, 1], [0, 1, 2, -1]]}
    file = patrol_week([[0, 0, 0], [0, 1, 0]], O=wishes)
    assert score_patrol(file, {"0,0,0": ["O", None, None]}).parts["requests"] == 0
    assert score_patrol(file, {"0,1,0": ["O", None, None]}).parts["requests"] == 5
    assert score_patrol(file, {}).parts["requests"] == 3


@pytest.mark.parametrize(
    ("plan", "changes", "said"),
    [
        ({"0,0,0": ["M1", None, None]}, {}, "M1 is no officer"),
        ({"0,0,0": ["O", None, None]}, {"O": {"off": [0]}}, "day 0 is a day off"),
        ({"0,1,0": ["O", None, None]}, {"O": {"ban": [1]}}, "shift 1 is banned"),
        ({"0,0,0": ["O"] + [None] * 2, "0,1,0": ["O"] + [None] * 2}, {}, "2 patrols on one day"),
        (
            {"0,1,0": ["O", None, None], "1,0,0": ["O", None, None]},
            {},
            "480 minutes of rest instead of 660",
        ),
        (
            {"0,0,0": ["O", None, None], "1,0,0": ["O", None, None]},
            {"O": {"max": 1}},
            "2 patrols instead of at most 1",
        ),
        (
            {f"{day},1,0": ["O", None, None] for day in (0, 2, 4)},
            {},
            "3 patrols end after 23:00 instead of at most 2",
        ),
        (
            {f"{day},0,0": ["O", None, None] for day in range(1, 7)},
            {},
            "day 1: 6 days in a row instead of at most 5",
        ),
        ({"0,0,0": ["X", None, None]}, {}, "no person X"),
        ({"6,1,1": ["O", None, None]}, {}, "not in the file"),
        ({"a": ["O", None, None]}, {}, "not in the file"),
        ({"0,0,0": ["O", None]}, {}, "2 seats instead of 3"),
    ],
)
def test_each_broken_patrol_rule_is_named_and_alone(patrol_week, plan, changes, said):
    file = patrol_week(whole_week(range(7)) + whole_week(range(7), shift=1), **changes)
    score = score_patrol(file, plan)
    assert len(score.violations) == 1, score.violations
    assert said in score.violations[0]


def test_what_just_fits_is_legal(patrol_week):
    """Five days in a row, two nights with the rest just kept, exactly the most patrols."""
    file = patrol_week(whole_week(range(7)) + whole_week(range(7), shift=1), O={"max": 5})
    plan = {f"{day},0,0": ["O", None, None] for day in range(3)}
    plan |= {f"{day},1,0": ["O", None, None] for day in (3, 4)}
    assert score_patrol(file, plan).violations == []


def test_rest_to_the_minute_and_an_end_at_23_are_legal(patrol_week):
    shifts = [{"start": 360, "end": 840}, {"start": 1080, "end": 1380}]
    file = patrol_week(
        whole_week(range(7)) + whole_week(range(7), shift=1), week={"shifts": shifts, "rest": 420}
    )
    plan = {f"{day},1,0": ["O", None, None] for day in range(4)} | {"4,0,0": ["O", None, None]}
    assert score_patrol(file, plan).violations == []


def test_a_patrol_written_twice_in_a_plan_is_no_plan(patrol_week, tmp_path):
    plan = tmp_path / "plan.json"
    plan.write_text('{"0,0,0": ["O", null, null], "0,0,0": [null, null, null]}')
    score = score_patrol(patrol_week([[0, 0, 0]]), plan)
    assert score.violations == ["patrol 0,0,0: stands in the plan twice"]


ROSTER = """# two weeks, early and late; E may not follow L
SECTION_HORIZON
14

SECTION_SHIFTS
E,480,
L,480,E

SECTION_STAFF
# ID, MaxShifts, MaxTotalMinutes, MinTotalMinutes, MaxConsecutiveShifts, ...
A,E=14|L=2,4800,{least_min},5,2,2,1
B,E=14|L=14,4800,0,5,1,1,2

SECTION_DAYS_OFF
A,6

SECTION_SHIFT_ON_REQUESTS
B,0,E,3
B,1,L,2

SECTION_SHIFT_OFF_REQUESTS
B,2,E,1
B,3,L,4

SECTION_COVER
0,E,1,100,1
1,E,2,100,1
7,L,0,100,5
"""


@pytest.fixture
def roster_file(tmp_path):
    def write(least_min=0):
        file = tmp_path / "Tiny.txt"
        file.write_bytes(ROSTER.format(least_min=least_min).replace("\n", "\r\n").encode())
        return file

    return write


def line(pattern):
    """Return 14 days from one letter a day, '.' free."""
    return ["" if cell == "." else cell for cell in pattern.replace(" ", "").ljust(14, ".")]


def test_requests_and_cover_are_paid_by_weight(roster_file):
    score = score_roster(roster_file(), [line("EE"), line("E.EL... L")])
    assert score.legal
    # L of day 1 not given (2); E of day 2 and L of day 3 not spared (1 + 4);
    # day 0 has one early too many, day 1 one too few, day 7 a late nobody wanted.
    assert score.parts == {
        "on_requests": 2, "off_requests": 5, "under_cover": 100, "over_cover": 1 + 5,
    }  # fmt: skip
    assert score.cost == 113


@pytest.mark.parametrize(
    ("first", "second", "least_min", "said"),
    [
        ("..... EE", "", 0, "A: day 6 is a day off"),
        ("", "LE", 0, "B: day 0: E may not follow L"),
        ("LLL", "", 0, "A: 3 shifts L instead of at most 2"),
        ("", "EEEEE.EEEEE.E", 0, "B: 5280 minutes instead of at most 4800"),
        ("EE", "", 961, "A: 960 minutes instead of at least 961"),
        ("", "EEEEEE", 0, "B: day 0: 6 shifts in a row instead of at most 5"),
        ("..E", "", 0, "A: day 2: 1 shifts in a row instead of at least 2"),
        ("EE.EE", "", 0, "A: day 2: 1 days off in a row instead of at least 2"),
        ("....EE. .....EE", "", 0, "A: 2 weekends worked instead of at most 1"),
        ("X", "", 0, "A: day 0: no shift X"),
    ],
)
def test_each_broken_roster_rule_is_named_and_alone(roster_file, first, second, least_min, said):
    score = score_roster(roster_file(least_min), [line(first), line(second)])
    assert score.violations == [said]


def test_runs_that_touch_a_border_may_be_short(roster_file):
    score = score_roster(roster_file(), [line("E..EE.......EE"), line(".EE.........E.")])
    assert score.violations == []


def test_limits_reached_exactly_are_kept(roster_file):
    """A: two late shifts of two. B: ten shifts of eight hours make 4,800 minutes."""
    score = score_roster(roster_file(), [line("LL"), line("EEEEE..EEEEE")])
    assert score.violations == []


def test_days_off_at_either_border_may_be_few(roster_file):
    score = score_roster(roster_file(), [line(".EEEEE"), line("")])
    assert score.violations == []
    score = score_roster(roster_file(), [line("........EEEEE."), line("")])
    assert score.violations == []


def test_a_saturday_and_a_sunday_are_one_weekend(roster_file):
    score = score_roster(roster_file(), [line("............EE"), line("")])
    assert score.violations == []


def test_a_short_file_and_a_short_row_are_said(roster_file, tmp_path):
    roster = tmp_path / "roster.csv"
    roster.write_text(",".join(["E", "E", ""]) + "\n")
    score = score_roster(roster_file(), roster)
    assert score.violations == ["1 rows instead of 2", "A: 3 days instead of 14"]


def test_the_command_prints_one_line_and_fails_on_a_broken_rule(roster_file, tmp_path):
    roster = tmp_path / "roster.csv"
    roster.write_text(",".join(line("EE")) + "\n" + ",".join(line("LE")) + "\n")
    command = [sys.executable, "-m", "bench.score", str(roster_file()), str(roster)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout)["broken"] == ["B: day 0: E may not follow L"]
