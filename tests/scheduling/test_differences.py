"""What differs between two versions, told by member and by patrol."""

from dataclasses import replace

import pytest

from scheduling.core.solve import Effort, solve
from scheduling.differences import OtherWeek, differences
from tests.scheduling.roster_problems import problem


@pytest.fixture(scope="module")
def version():
    asked = problem()
    return asked, solve(asked, Effort(deterministic=0.2, seconds=3, workers=1))


def exchanged(plan):
    """The plan with two people of different patrols in each other's seats."""
    one, two = [p for p in plan.patrols if p.walked and p.seats[0].member][:2]
    a, b = one.seats[0], two.seats[0]
    assert a.member != b.member

    def reseated(patrol):
        if patrol.key not in {one.key, two.key}:
            return patrol
        who = b.member if patrol.key == one.key else a.member
        return replace(patrol, seats=(replace(patrol.seats[0], member=who), *patrol.seats[1:]))

    return replace(plan, patrols=tuple(map(reseated, plan.patrols))), one, two


def test_a_version_does_not_differ_from_itself(version):
    found = differences(version, version)
    assert found.same
    assert found.kept == found.before == found.after > 0
    assert all(f.before == f.after for f in found.figures)


def test_an_exchange_is_a_gain_and_a_loss_for_each_of_the_two(version):
    asked, plan = version
    other, one, two = exchanged(plan)
    found = differences(version, (asked, other))
    assert {p.patrol.key for p in found.patrols} == {one.key, two.key}
    by_key = {m.member.key: m for m in found.members}
    assert set(by_key) == {one.seats[0].member, two.seats[0].member}
    first = by_key[one.seats[0].member]
    assert [t.patrol.key for t in first.lost] == [one.key]
    assert [t.patrol.key for t in first.gained] == [two.key]
    assert found.kept == found.before - 2


def test_the_way_back_turns_gains_into_losses(version):
    asked, plan = version
    other = (asked, exchanged(plan)[0])
    there, back = differences(version, other), differences(other, version)
    assert [m.gained for m in there.members] == [m.lost for m in back.members]
    assert [p.before for p in there.patrols] == [p.after for p in back.patrols]


def test_a_patrol_that_is_no_longer_walked_is_lost_by_its_whole_team(version):
    """One required seat emptied at the desk: the others still sit there, but walk no more."""
    asked, plan = version
    gone = next(p for p in plan.patrols if p.walked and all(s.member for s in p.seats[:2]))
    left = tuple(
        replace(p, walked=False, seats=(replace(p.seats[0], member=None), *p.seats[1:]))
        if p.key == gone.key
        else p
        for p in plan.patrols
    )
    found = differences(version, (asked, replace(plan, patrols=left)))
    (change,) = found.patrols
    assert (change.walked_before, change.walked_after) == (True, False)
    assert {m.member.key for m in found.members} == {s.member for s in gone.seats if s.member}
    walked = next(f for f in found.figures if f.name == "walked")
    assert walked.after == walked.before - 1


def test_a_shift_that_starts_later_is_the_same_patrol_moved(version):
    asked, plan = version
    moved = plan.patrols[0].shift
    later = replace(
        asked,
        shifts=tuple(
            replace(s, start_min=s.start_min + 30) if s.key == moved else s for s in asked.shifts
        ),
    )
    found = differences(version, (later, plan))
    assert found.patrols
    assert all(
        p.moved_from and p.moved_from.start_min + 30 == p.patrol.start_min for p in found.patrols
    )
    assert found.members == ()


def test_versions_of_two_weeks_are_not_laid_side_by_side(version):
    asked, plan = version
    with pytest.raises(OtherWeek):
        differences(version, (replace(asked, week_start="2027-01-04"), plan))
