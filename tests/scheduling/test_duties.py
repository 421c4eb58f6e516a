"""The duty matrix shapes the teams: a changed cell seats another force in the next roster."""

import pytest
from sqlalchemy import select

from grid.communities import Community
from grid.people import Force
from grid.places import KeyPlace
from scheduling.core.check import check
from scheduling.core.composition import compose
from scheduling.core.problem import Seat
from scheduling.core.solve import Effort, solve
from scheduling.demand import PatrolType
from scheduling.duties import (
    KINDS,
    CannotGo,
    CellUnknown,
    Duty,
    load_matrix,
    seats_in_words,
    seed_duties,
    set_cells,
)
from scheduling.found import TYPES, found_demand
from scheduling.versions import store_draft
from scheduling.week import load_problem, problem_of
from tests.published_week import WEEK

LITTLE = Effort(deterministic=0.05, seconds=3, workers=1)
LED = Seat(forces=("officer",), leader=True)
HELP = Seat(forces=("grid_member", "auxiliary"))
MORE = Seat(forces=("guard", "volunteer"), required=False)


@pytest.fixture
def community(sample) -> int:
    found = sample.scalar(select(Community.id))
    found_demand(sample, found)
    return found


def duty(session, code):
    return session.scalars(select(Duty).where(Duty.code == code)).one()


def cells_of(session, community, code, **changes):
    """A duty's cells with some changed: ``gate__guard="required"``."""
    cells = dict(load_matrix(session, community).cells[code])
    return cells | {tuple(key.split("__")): part for key, part in changes.items()}


def forces_seated(problem, kind):
    plan = solve(problem, LITTLE)
    assert check(problem, plan).clean
    force = {m.key: m.force for m in problem.members}
    return [
        {force[s.member] for s in p.seats if s.member is not None}
        for p in plan.patrols
        if p.type == kind and p.walked
    ]


def test_without_changes_every_force_keeps_the_seat_the_type_means_for_it():
    parts = {"officer": "required", "auxiliary": "optional", "grid_member": "optional",
             "guard": "optional", "volunteer": "optional"}  # fmt: skip
    assert compose((LED, HELP, MORE), parts) == (LED, HELP, MORE)


def test_a_force_that_takes_no_part_leaves_every_seat_and_an_empty_seat_falls_away():
    parts = {"officer": "optional", "grid_member": "optional"}
    assert compose((LED, HELP, MORE), parts) == (LED, Seat(forces=("grid_member",)))


def test_a_required_force_gets_a_seat_of_its_own_an_optional_one_first():
    parts = {"officer": "required", "auxiliary": "optional", "grid_member": "optional",
             "guard": "required", "volunteer": "optional"}  # fmt: skip
    seats = compose((LED, HELP, MORE), parts)
    assert seats == (LED, HELP, Seat(forces=("guard",), required=True))


def test_two_required_forces_never_share_a_seat_and_one_without_a_seat_gets_one_more():
    parts = {"officer": "optional", "auxiliary": "required", "grid_member": "required"}
    assert compose((LED, HELP), parts) == (
        LED,
        Seat(forces=("auxiliary",)),
        Seat(forces=("grid_member",)),
    )


def test_the_seeded_matrix_leaves_the_founded_types_as_they_are(sample, community):
    found = {t.key: t for t in load_problem(sample, community, WEEK).types}
    for code, _, _, seats in TYPES:
        assert found[code].seats == tuple(Seat(**s | {"forces": tuple(s["forces"])}) for s in seats)
    assert seed_duties(sample, community) is False


def test_a_changed_cell_seats_the_other_force_in_the_next_roster(sample, community):
    problem = load_problem(sample, community, WEEK)
    before = forces_seated(problem, "joint")
    assert any("auxiliary" not in team for team in before)
    stored = store_draft(sample, community, problem, solve(problem, LITTLE), by="lead")

    cells = cells_of(sample, community, "check", square__auxiliary="required")
    changed = set_cells(sample, community, duty(sample, "check").id, cells)
    assert changed == {"square:auxiliary": ["optional", "required"]}

    after = forces_seated(load_problem(sample, community, WEEK), "joint")
    assert after
    assert all({"officer", "auxiliary"} <= team for team in after)
    assert problem_of(stored) == problem  # the version made before keeps its teams


def test_a_force_that_no_longer_takes_part_is_not_seated(sample, community):
    never = {(k, "group_leader"): "never" for k in KINDS}
    for code in ("order", "fire", "hazard", "visit"):
        cells = dict(load_matrix(sample, community).cells[code]) | never
        set_cells(sample, community, duty(sample, code).id, cells)
    teams = forces_seated(load_problem(sample, community, WEEK), "round")
    assert teams
    assert not any("group_leader" in team for team in teams)


def test_a_kind_of_place_the_community_has_not_does_not_count(sample, community):
    row = sample.scalars(select(PatrolType).where(PatrolType.code == "joint")).one()
    cells = cells_of(sample, community, "check", warehouse__volunteer="required")
    set_cells(sample, community, duty(sample, "check").id, cells)
    assert load_matrix(sample, community).parts(row.duties)["volunteer"] == "required"
    for place in sample.scalars(select(KeyPlace).where(KeyPlace.kind == "warehouse")):
        place.kind = "other"
    sample.flush()
    assert load_matrix(sample, community).parts(row.duties)["volunteer"] == "optional"


def test_a_matrix_under_which_nobody_could_lead_is_refused_and_nothing_changes(sample, community):
    cells = {(k, f): "never" for k in KINDS for f in ("guard",)}
    set_cells(sample, community, duty(sample, "fire").id, cells)
    before = load_matrix(sample, community).cells
    with pytest.raises(CannotGo, match="物业巡防") as refusal:
        set_cells(sample, community, duty(sample, "estate").id, {})
    assert "没有保存" in str(refusal.value)
    assert load_matrix(sample, community).cells == before


def test_a_cell_that_is_not_in_the_matrix_is_refused(sample, community):
    with pytest.raises(CellUnknown):
        set_cells(
            sample, community, duty(sample, "fire").id, {("moon", Force.GUARD.value): "required"}
        )


def test_a_composition_reads_as_people_write_it():
    assert seats_in_words((LED, HELP, MORE)) == "民警（带班）＋专职网格员/辅警＋［物业保安/志愿者］"
