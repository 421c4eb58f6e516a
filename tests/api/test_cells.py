"""Cells on the page: a lead proposes, takes, merges and splits; everyone's refusal is a sentence."""

import re
from datetime import date

import pytest
from sqlalchemy import select

from api.accounts import Role
from api.audit import AuditEntry
from grid.cells import GridCell, PatrolZone
from grid.communities import Building, Community
from grid.topology import check, zones_on
from tests.conftest import SAMPLE_UNTIL

MONDAY = "2026-11-30"


def pair_of_one_zone(site):
    with site.session() as session:
        community = session.scalars(select(Community)).one()
        return next(
            z.cells[:2] for z in zones_on(session, community.id, SAMPLE_UNTIL) if len(z.cells) > 1
        )


def valid_codes(site, day=MONDAY):
    day = date.fromisoformat(day)
    with site.session() as session:
        return set(
            session.scalars(
                select(GridCell.code).where(
                    GridCell.valid_from <= day,
                    (GridCell.valid_to.is_(None)) | (GridCell.valid_to > day),
                )
            )
        )


def test_the_page_shows_every_cell_with_households_and_a_map(sample_site):
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    answer = lead.get("/cells")
    assert answer.status_code == 200
    assert all(code[12:] in answer.text for code in valid_codes(sample_site))
    assert "划分检查通过" in answer.text and 'value="2026-11-30"' in answer.text
    picture = lead.get("/cells/map")
    assert picture.status_code == 200
    assert "sandbox" in picture.headers["content-security-policy"]
    assert "http://" not in re.sub(r"http://www\.w3\.org/[\w/.]+", "", picture.text)


def test_who_only_reads_sees_no_buttons_and_may_not_draw(sample_site):
    reader = sample_site.signed_in(Role.STREET_OFFICE)
    answer = reader.get("/cells")
    assert answer.status_code == 200 and "拆分" not in answer.text
    assert reader.get("/cells/proposal").status_code == 403
    form = {"valid_from": MONDAY, "codes": list(pair_of_one_zone(sample_site))}
    assert reader.post("/cells/merge", data=form).status_code == 403
    assert sample_site.signed_in(Role.PATROLLER).get("/cells").status_code == 403


def test_ticked_cells_are_merged_from_monday_and_it_is_recorded(sample_site):
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    a, b = pair_of_one_zone(sample_site)
    answer = lead.post("/cells/merge", data={"valid_from": MONDAY, "codes": [a, b]})
    assert answer.status_code == 303
    shown = lead.get(answer.headers["location"])
    assert "2个网格自2026-11-30起停用，1个网格自这一天起生效" in shown.text
    assert not {a, b} & valid_codes(sample_site)
    with sample_site.session() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "cells.merge")).one()
    assert entry.details["ended"] == [a, b] and entry.details["from"] == MONDAY


def test_a_cell_is_split_with_one_button(sample_site):
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    before = valid_codes(sample_site)
    code = sorted(before)[3]
    answer = lead.post(f"/cells/{code}/split", data={"valid_from": MONDAY})
    assert answer.status_code == 303
    assert len(valid_codes(sample_site)) == len(before) + 1
    assert valid_codes(sample_site, "2026-11-29") == before


@pytest.mark.parametrize(
    ("codes", "sentence"), [([], "至少需要两个"), (["510304099901998", "x"], "找不到网格")]
)
def test_a_merge_that_cannot_be_is_refused_with_a_sentence(sample_site, codes, sentence):
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    before = valid_codes(sample_site)
    answer = lead.post("/cells/merge", data={"valid_from": MONDAY, "codes": codes})
    assert answer.status_code in {404, 422}
    assert sentence in answer.text and 'role="alert"' in answer.text
    assert valid_codes(sample_site) == before


def test_a_refused_merge_keeps_what_was_ticked(sample_site):
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    with sample_site.session() as session:
        community = session.scalars(select(Community)).one()
        single = [
            z.cells[0] for z in zones_on(session, community.id, SAMPLE_UNTIL) if len(z.cells) == 1
        ]
    answer = lead.post("/cells/merge", data={"valid_from": MONDAY, "codes": single[:2]})
    assert answer.status_code in {409, 422}
    assert answer.text.count(" checked") == 2


def test_a_proposal_is_looked_at_then_taken_with_its_zones(sample_site):
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    shown = lead.get("/cells/proposal?target=400")
    assert shown.status_code == 200 and "尚未采用" in shown.text
    assert lead.get("/cells/proposal/map?target=400").status_code == 200
    seen = re.search(r'name="seen" value="(\w+)"', shown.text).group(1)
    before = valid_codes(sample_site)
    form = {"valid_from": MONDAY, "target": 400, "seed": 0, "seen": seen}
    answer = lead.post("/cells/proposal", data=form)
    assert answer.status_code == 303
    assert not valid_codes(sample_site) & before
    with sample_site.session() as session:
        community = session.scalars(select(Community)).one()
        report = check(session, community.id, SAMPLE_UNTIL.fromisoformat(MONDAY))
        assert report.sound, [f.sentence() for f in report.findings]
        assert session.scalars(
            select(PatrolZone).where(PatrolZone.valid_from == date.fromisoformat(MONDAY))
        ).all()


def test_a_proposal_that_has_changed_since_it_was_looked_at_is_not_taken(sample_site):
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    seen = re.search(r'name="seen" value="(\w+)"', lead.get("/cells/proposal").text).group(1)
    with sample_site.session() as session, session.begin():
        for building in session.scalars(select(Building).where(Building.id % 3 == 0)):
            building.households += 90
    before = valid_codes(sample_site)
    form = {"valid_from": MONDAY, "target": 300, "seed": 0, "seen": seen}
    answer = lead.post("/cells/proposal", data=form)
    assert answer.status_code == 409 and "重新查看" in answer.text
    assert valid_codes(sample_site) == before


def test_a_community_without_boundary_is_told_what_to_import(site):
    lead = site.signed_in(Role.TEAM_LEAD)
    answer = lead.get("/cells")
    assert answer.status_code == 200 and "没有有效的网格" in answer.text
    proposal = lead.get("/cells/proposal")
    assert proposal.status_code == 409 and "还没有边界" in proposal.text
    assert lead.get("/cells/proposal/map").status_code == 409


def test_wrong_input_is_a_422_never_a_crash(sample_site):
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    assert lead.get("/cells/proposal?target=5").status_code == 422
    assert lead.post("/cells/merge", data={"valid_from": "soon"}).status_code == 422
    assert lead.post("/cells/1/split", data={}).status_code == 422
    assert lead.post("/cells/1/split", data={"valid_from": MONDAY}).status_code == 404
    assert lead.get("/cells?day=2026-02-31").status_code == 422
