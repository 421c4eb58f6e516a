"""What cannot be meant is refused before any search, in a sentence that says what to do."""

import json
from dataclasses import replace

import pytest

from scheduling.core.check import check
from scheduling.core.house_rules import Pair, Shares, Staggering, Succession
from scheduling.core.plan import read_plan, write_plan
from scheduling.core.problem import (
    CoverBand,
    Law,
    Limits,
    RollingLimit,
    Sat,
    digest,
    read_problem,
    write_problem,
)
from scheduling.core.problem_errors import (
    AtOdds,
    CyclicOrder,
    NoOrderLeft,
    NoSuchKey,
    OutOfRange,
    SamePerson,
    TogetherAndApart,
    TooLarge,
    TwiceTheSame,
    UnreadableFile,
)
from tests.scheduling.roster_problems import TEAM, changed, member, problem, solved


def after(*orders):
    """Each (then, first): ``then`` only comes after ``first``."""
    return Law(only_after=tuple(Succession(first=first, then=then) for then, first in orders))


def together(*pairs):
    return tuple(Pair(one=a, other=b, kind="together") for a, b in pairs)


def written(**more) -> str:
    """A problem file with some of its values replaced."""
    return json.dumps(json.loads(write_problem(problem())) | more)


def written_member(**more) -> str:
    file = json.loads(write_problem(problem()))
    file["members"][0] |= more
    return json.dumps(file)


def limited(**more) -> str:
    return written_member(limits=more)


EVERY_FORBIDDEN = tuple(Succession(first=a, then=b) for a in "DEN" for b in "DEN")
ROUND_ONCE = (Succession(first="E", then="D"), Succession(first="E", then="E"), Succession(first="E", then="N"),
              Succession(first="D", then="D"), Succession(first="N", then="E"), Succession(first="N", then="N"),
              Succession(first="D", then="N"), Succession(first="N", then="D"))  # fmt: skip


@pytest.mark.parametrize(
    ("make", "error", "sentence"),
    [
        (lambda: problem(law=after(("D", "E"), ("E", "D"))), CyclicOrder, "D → E → D"),
        (lambda: problem(law=after(("D", "D"))), CyclicOrder, "D → D"),
        (lambda: problem(law=after(("D", "E"), ("E", "N"), ("N", "D"))), CyclicOrder, "都无法开始"),
        (lambda: problem([member("G", limits=Limits(least_run_days=2))],
                         law=Law(forbidden_successions=EVERY_FORBIDDEN)), NoOrderLeft, "最多只允许连上1天"),
        (lambda: problem([member("G", limits=Limits(least_run_days=3))],
                         law=Law(rest_min=0, forbidden_successions=ROUND_ONCE)), NoOrderLeft, "连上2天"),
        (lambda: problem([member("G", limits=Limits(least_run_days=4))], law=Law(rest_min=1440)),
         NoOrderLeft, "至少要连上4天"),
        (lambda: problem(law=Law(forbidden_successions=(Succession(first="D", then="X"),))), NoSuchKey, "X"),
        (lambda: problem(pairs=(*together(("P1", "P2")), Pair(one="P2", other="P1", kind="apart"))),
         TogetherAndApart, "取消其中一条"),
        (lambda: problem(pairs=(*together(("P1", "A1"), ("A1", "G1")), Pair(one="G1", other="P1", kind="apart"))),
         TogetherAndApart, "经由他人"),
        (lambda: Pair(one="P1", other="P1", kind="apart"), SamePerson, "两名不同"),
        (lambda: problem(pairs=together(("P1", "nobody"))), NoSuchKey, "nobody"),
        (lambda: Limits(minutes_day=-1), OutOfRange, "-1"),
        (lambda: Limits(least_minutes_week=-60), OutOfRange, "-60"),
        (lambda: RollingLimit(days=3, minutes=-5), OutOfRange, "-5"),
        (lambda: RollingLimit(days=0, minutes=60), OutOfRange, "0"),
        (lambda: problem([member("G", minutes_before=(240, -1))]), OutOfRange, "minutes_before"),
        (lambda: Limits(least_minutes_week=2500), AtOdds, "least_minutes_week（2500）大于 minutes_week（2400）"),
        (lambda: Limits(least_run_days=6), AtOdds, "大于 run_days（5）"),
        (lambda: Limits(least_off_days=4, most_off_days=3), AtOdds, "most_off_days"),
        (lambda: Limits(weekends_in_four=5), OutOfRange, "5"),
        (lambda: CoverBand(key="b", zone="garden", days=(0,), start_min=60, end_min=60), OutOfRange, "60"),
        (lambda: CoverBand(key="b", zone="garden", days=(0,), start_min=0, end_min=60, least=2, most=1),
         AtOdds, "least（2）"),
        (lambda: problem(bands=(CoverBand(key="b", zone="moon", days=(0,), start_min=0, end_min=60),)), NoSuchKey, "moon"),
        (lambda: problem(bands=(CoverBand(key="b", zone="garden", days=(9,), start_min=0, end_min=60),)), OutOfRange, "9"),
        (lambda: problem([member("G", known_zones=("moon",))]), NoSuchKey, "moon"),
        (lambda: problem([member("G", shift_before="X")]), NoSuchKey, "X"),
        (lambda: Shares(nights=-1), OutOfRange, "-1"),
        (lambda: Staggering(gap_max_min=-30), OutOfRange, "-30"),
        # The same from a file.
        (lambda: read_problem(written(law={"only_after": [{"first": "D", "then": "E"}, {"first": "E", "then": "D"}]})),
         CyclicOrder, "成了环"),
        (lambda: read_problem(written(pairs=[{"one": "P1", "other": "P2", "kind": "together"},
                                             {"one": "P1", "other": "P2", "kind": "apart"}])), TogetherAndApart, "“P1”和“P2”"),
        (lambda: read_problem(written(pairs=[{"one": "P1", "other": "P2", "kind": "beside"}])), UnreadableFile, "pairs"),
        (lambda: read_problem(limited(minutes_week=-60)), OutOfRange, "minutes_week 是 -60"),
        (lambda: read_problem(limited(minutes_fortnight=60)), UnreadableFile, "minutes_fortnight"),
        (lambda: read_problem(written(members=[{"key": str(n), "name": "n", "force": "guard"} for n in range(10_000)])),
         TooLarge, "按社区拆分"),
        (lambda: read_problem(written(shifts=[{"key": k, "name": "白班", "start_min": 540, "end_min": 780} for k in "DE"])),
         TwiceTheSame, "白班"),
        (lambda: read_problem(written(shifts=[{"key": "D", "name": "白班", "start_min": -540, "end_min": 780}])),
         OutOfRange, "start_min 是 -540"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_in_a_sentence(make, error, sentence):
    with pytest.raises(error) as refusal:
        make()
    assert sentence in refusal.value.sentence("zh")
    assert refusal.value.sentence("en")
    assert "{" not in refusal.value.sentence("zh") + refusal.value.sentence("en")


def test_an_order_that_can_begin_somewhere_is_fine():
    problem(law=after(("D", "E"), ("D", "N"), ("N", "D")))
    problem(law=Law(forbidden_successions=EVERY_FORBIDDEN))  # every second day is still possible
    problem(
        [member("G", limits=Limits(least_run_days=2))],
        law=Law(rest_min=0, forbidden_successions=ROUND_ONCE),
    )


def test_a_plan_with_an_unknown_member_is_a_violation_with_its_sentence():
    of = problem()
    plan = solved(of, deterministic=0.2)
    stranger = next(p for p in plan.patrols if p.walked)
    seats = (replace(stranger.seats[0], member="查无此人"), *stranger.seats[1:])
    patrols = tuple(replace(p, seats=seats) if p is stranger else p for p in plan.patrols)
    report = check(of, read_plan(write_plan(replace(plan, patrols=patrols))))
    said = next(v for v in report.violations if v.rule == "unknown")
    assert "member 查无此人" in said.zh
    assert "请确认两个文件属于同一周" in said.zh
    assert said.patrols == (stranger.key,)


def test_a_baseline_with_somebody_who_has_left_and_a_seat_that_is_gone_is_solved():
    of = problem(baseline=(Sat(patrol="0.D.garden.round.1", seat=0, member="已离队"),
                           Sat(patrol="0.D.garden.round.1", seat=7, member="A1"),
                           Sat(patrol="nowhere", seat=0, member="A1")))  # fmt: skip
    plan = solved(of, deterministic=0.3)
    assert check(of, plan).clean


def test_what_is_not_asked_for_leaves_no_trace_in_a_file():
    text = write_problem(problem())
    for word in (
        "pairs",
        "staggering",
        "baseline",
        "minutes_day",
        "never_alone",
        "only_after",
        "rolling",
        "shares",
    ):
        assert f'"{word}":' not in text.replace('"never_alone": [', "")
    asked = changed(problem(), TEAM[0].key, never_alone=True, limits=Limits(zone_week=2))
    assert read_problem(write_problem(asked)) == asked
    assert digest(asked) != digest(problem())
