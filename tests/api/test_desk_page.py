"""The desk's page: whose it is, what it says, and that it can be read whatever the version's state."""

import json
import re
from html import unescape

import pytest
from sqlalchemy import select, text

from api.accounts import Role
from grid.communities import Community
from scheduling.found import found_demand
from scheduling.versions import store_draft
from scheduling.week import load_problem
from tests.api.test_desk import WEEK
from tests.scheduling.desk_problems import quickly


@pytest.fixture
def page(sample_site):
    """A quick draft of a week on the sample community, and the address of its desk."""
    with sample_site.session() as session, session.begin():
        community = session.scalar(select(Community.id))
        found_demand(session, community)
        problem = load_problem(session, community, WEEK)
        sample_site.version = store_draft(
            session, community, problem, quickly(problem), by="lead"
        ).id
    sample_site.path = f"/rosters/{sample_site.version}/desk"
    return sample_site


def words_of(html: str) -> dict[str, object]:
    found = re.search(r'data-words="([^"]*)"', html)
    assert found is not None
    return json.loads(unescape(found.group(1)))


def test_the_lead_edits_a_draft_and_others_have_no_desk(page):
    html = page.signed_in(Role.TEAM_LEAD).get(page.path).text
    assert 'data-editable="yes"' in html
    assert "送审" in html
    for role in (Role.STREET_OFFICE, Role.AUDITOR, Role.PATROLLER, Role.ADMIN):
        assert page.signed_in(role).get(page.path).status_code == 403


def test_a_published_version_can_be_read_and_copied_not_edited(page):
    with page.session() as session, session.begin():
        session.execute(text("UPDATE roster_version SET state = 'published'"))
    lead = page.signed_in(Role.TEAM_LEAD)
    html = lead.get(page.path).text
    assert 'data-editable=""' in html
    assert "复制为草稿再调整" in html
    assert 'id="undo"' not in html
    board = lead.get(f"/api/v1{page.path}")
    assert board.status_code == 200
    assert board.json()["version"]["state"] == "published"
    assert lead.post(f"/api/v1{page.path}/undo").status_code == 409


def test_every_word_the_script_asks_for_is_there_in_both_languages(page):
    lead = page.signed_in(Role.TEAM_LEAD)
    chinese = words_of(lead.get(page.path).text)
    scripts = ["desk", "desk_board", "desk_panels", "desk_dialogs", "desk_jobs", "desk_parts"]
    asked = set()
    for name in scripts:
        source = lead.get(f"/static/{name}.js").text
        asked |= set(re.findall(r'\bsay\("(\w+)"', source)) | set(
            re.findall(r"\bwords\.(\w+)", source)
        )
    assert len(asked) > 40
    assert asked <= set(chinese)
    # Some are named by a variable: a target's kind, a change's word, a day's kind.
    by_name = {
        "move",
        "swap",
        "place",
        "done",
        "undone",
        "redone",
        "holiday",
        "compensatory_workday",
    }
    assert by_name <= set(chinese)
    assert set(chinese) <= asked | by_name, "a word that nobody says"
    lead.post("/language", data={"locale": "en", "next": page.path})
    english = words_of(lead.get(page.path).text)
    assert set(english) == set(chinese)
    untold = [key for key in chinese if english[key] == chinese[key]]
    assert untold == []


def test_a_version_of_another_community_or_none_is_not_found(page):
    lead = page.signed_in(Role.TEAM_LEAD)
    assert lead.get("/rosters/999999/desk").status_code == 404
