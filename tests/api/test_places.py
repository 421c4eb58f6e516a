"""Places on a map, in lists, as files and as GeoJSON; the check of the partition in sentences."""

import json

import pytest
from sqlalchemy import select, text

from api.accounts import Role
from api.audit import AuditEntry
from api.users.service import create_token
from grid.communities import Community
from grid.export import Kind

READERS = (Role.TEAM_LEAD, Role.STREET_OFFICE, Role.ADMIN, Role.AUDITOR)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_a_list_and_a_map(sample_site, kind):
    browser = sample_site.signed_in(Role.STREET_OFFICE)
    answer = browser.get(f"/places?kind={kind.value}")
    assert answer.status_code == 200 and "共 " in answer.text
    picture = browser.get(f"/places/map?kind={kind.value}")
    assert picture.status_code == 200
    assert "sandbox" in picture.headers["content-security-policy"]
    assert "//cdn" not in picture.text


def test_the_sample_partition_is_said_to_be_sound(sample_site):
    text_ = sample_site.signed_in(Role.TEAM_LEAD).get("/places").text
    assert "正好铺满社区" in text_


def test_a_hole_in_the_partition_is_a_sentence_with_its_square_metres(sample_site):
    with sample_site.session() as session, session.begin():
        session.execute(
            text("DELETE FROM patrol_zone_cell WHERE cell_id = (SELECT min(id) FROM grid_cell)")
        )
        session.execute(
            text(
                "UPDATE grid_cell SET valid_to = valid_from + 1 WHERE id = (SELECT min(id) FROM grid_cell)"
            )
        )
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    page = lead.get("/places").text
    assert "平方米空隙" in page and "正好铺满" not in page
    report = lead.get("/api/v1/partition-check").json()
    assert report["sound"] is False and any(f["kind"] == "gap" for f in report["findings"])


def test_lists_are_filtered_by_word_and_estate(sample_site):
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    whole = lead.get("/api/v1/places/buildings?limit=1").json()["numberMatched"]
    estate = lead.get("/api/v1/places/buildings?estate=铸钢花园&limit=1000").json()
    assert 0 < estate["numberMatched"] < whole
    assert {f["properties"]["estate"] for f in estate["features"]} == {"铸钢花园"}
    assert "没有符合条件" in lead.get("/places?kind=buildings&q=没有这个楼").text
    assert "%" not in lead.get("/places?kind=buildings&q=%25").text.split("<tbody>")[-1][:10]
    assert lead.get("/api/v1/places/buildings?q=%25").json()["numberMatched"] == 0


def test_json_is_paged_with_a_link_to_the_next(sample_site):
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    seen, url = [], "/api/v1/places/walkways?limit=100"
    while url:
        answer = lead.get(url).json()
        assert answer["numberReturned"] == len(answer["features"])
        seen += [f["id"] for f in answer["features"]]
        url = answer["links"][0]["href"] if answer["links"] else None
    assert len(seen) == len(set(seen)) == answer["numberMatched"]


def test_a_program_gets_geojson(sample_site):
    with sample_site.session() as session, session.begin():
        token = create_token(session, "t", session.scalar(select(Community.id)), actor="test")
    program = sample_site.browser()
    program.headers["authorization"] = f"Bearer {token}"
    zones = program.get("/api/v1/places/zones").json()
    assert zones["type"] == "FeatureCollection"
    assert zones["features"][0]["geometry"]["type"] == "MultiPolygon"
    wrong = program.get("/api/v1/places/people")
    assert wrong.status_code == 422 and wrong.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("form", ["gpkg", "geojson", "xlsx"])
def test_a_download_is_a_file_and_is_recorded(sample_site, form):
    browser = sample_site.signed_in(Role.AUDITOR)
    answer = browser.get(f"/exports/cells.{form}?crs=EPSG:4490")
    assert answer.status_code == 200 and f".{form}" in answer.headers["content-disposition"]
    if form == "geojson":
        assert json.loads(answer.text)["crs"]["properties"]["name"].endswith("4490")
    with sample_site.session() as session:
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "places.export")
        ).one()
    assert entry.target == f"cells.{form}" and entry.details["crs"] == "EPSG:4490"


def test_what_cannot_be_downloaded_is_a_sentence(sample_site):
    browser = sample_site.signed_in(Role.TEAM_LEAD)
    assert browser.get("/exports/people.gpkg").status_code == 404
    assert browser.get("/exports/cells.dwg").status_code == 422
    assert "EPSG:4490" in browser.get("/exports/cells.gpkg?crs=EPSG:3857").text
    assert "GeoPackage" in browser.get("/exports/all.geojson").text


def test_an_empty_community_says_what_to_do(site):
    lead = site.signed_in(Role.TEAM_LEAD)
    page = lead.get("/places").text
    assert "还没有边界" in page and "还没有网格" in page and "/imports?kind=cells" in page
    assert lead.get("/places/map").status_code == 200
    assert "还没有网格" in lead.get("/exports/cells.gpkg").text


def test_an_account_without_a_community_is_told_so(site):
    from api.accounts import Account

    with site.session() as session, session.begin():
        office = session.scalar(text("SELECT id FROM street_office"))
        session.add(Community(street_office_id=office, code="510304901002", name="乙社区"))
    admin = site.signed_in(Role.ADMIN)
    with site.session() as session, session.begin():
        session.query(Account).update({Account.community_id: None})
    answer = admin.get("/places")
    assert answer.status_code == 409 and "没有所属社区" in answer.text


def test_patrollers_are_not_shown_the_ground_truth(sample_site):
    patroller = sample_site.signed_in(Role.PATROLLER)
    for url in ("/places", "/places/map", "/exports/cells.gpkg", "/api/v1/places/cells"):
        assert patroller.get(url).status_code == 403
