"""The import pages: upload, look, choose, commit, undo; and the command that does the same."""

import json
import re

import prcoords
import pytest
import shapely
from sqlalchemy import func, select
from typer.testing import CliRunner

from api.accounts import Role
from api.audit import AuditEntry
from api.settings import Settings
from api.users.service import create_token
from grid.communities import Building, ImportBatch
from grid.places import KeyPlace

TRUE = (104.7716, 29.3444)
"""A point in the sample community."""


def houses(n=3, *, crs="urn:ogc:def:crs:EPSG::4490", move=None, at=None):
    x, y = at or centre
    features = []
    for i in range(n):
        ring = [
            (x + i * 2e-4 + dx, y + dy) for dx, dy in ((0, 0), (1e-4, 0), (1e-4, 1e-4), (0, 1e-4))
        ]
        ring = [*ring, ring[0]]
        features.append(
            {
                "type": "Feature",
                "properties": {"编码": f"N{i}", "名称": f"新楼{i}", "户数": 10 + i},
                "geometry": {
                    "type": "Polygon",
                    "coordinates": [[move(p) if move else p for p in ring]],
                },
            }
        )
    content = {"type": "FeatureCollection", "features": features}
    if crs:
        content["crs"] = {"type": "name", "properties": {"name": crs}}
    return json.dumps(content, ensure_ascii=False).encode()


centre = TRUE


@pytest.fixture(autouse=True)
def data_folder(sample_site, tmp_path):
    """Uploads of tests stay out of the real data folder; houses stand in the middle of the sample."""
    global centre
    from geoalchemy2.shape import to_shape

    from grid.communities import Community

    sample_site.app.state.settings = sample_site.settings = Settings(
        database_url=sample_site.database.url, today=sample_site.today, data=tmp_path / "data"
    )
    with sample_site.session() as session:
        point = to_shape(session.scalar(select(Community.boundary))).representative_point()
    centre = (point.x, point.y)


def upload(browser, content, name="楼栋.geojson", kind="buildings"):
    answer = browser.post("/imports", files={"file": (name, content)}, data={"kind": kind})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def waiting(site):
    folder = site.settings.data / "uploads"
    return list(folder.iterdir()) if folder.exists() else []


def count(site, table):
    with site.session() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_upload_look_commit_undo(sample_site):
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    before = count(sample_site, Building)
    url = upload(lead, houses())
    shown = lead.get(url)
    assert shown.status_code == 200
    assert "确认导入 3 条" in shown.text and "新楼1" in shown.text and "还没有入库" in shown.text
    assert count(sample_site, Building) == before
    picture = lead.get(f"{url}/map")
    assert picture.status_code == 200 and "sandbox" in picture.headers["content-security-policy"]
    done = lead.post(f"{url}/commit")
    assert done.headers["location"] == "/imports?said=done&count=3"
    assert count(sample_site, Building) == before + 3 and waiting(sample_site) == []
    listed = lead.get("/imports").text
    batch = re.search(r"/imports/(\d+)/undo", listed).group(1)
    assert "楼栋.geojson" in listed and "EPSG:4490" in listed
    assert lead.post(f"/imports/{batch}/undo").headers["location"] == "/imports?said=undone&count=3"
    assert count(sample_site, Building) == before
    with sample_site.session() as session:
        acts = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert acts[-2:] == ["import.commit", "import.undo"]


def test_committing_twice_stores_once(sample_site):
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    url = upload(lead, houses())
    assert lead.post(f"{url}/commit").status_code == 303
    assert lead.post(f"{url}/commit").status_code == 410
    url = upload(lead, houses())
    assert "没有可以新增的内容" in lead.get(url).text
    assert lead.post(f"{url}/commit").headers["location"] == "/imports?said=nothing"
    assert count(sample_site, ImportBatch) == 1


def test_a_file_without_a_system_is_asked_about_and_a_shifted_one_is_named(sample_site):
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    shift = lambda p: prcoords.wgs_gcj((p[1], p[0]))[::-1]  # noqa: E731
    url = upload(lead, houses(8, crs=None, move=shift))
    assert "请先选择" in lead.get(url).text
    assert "请先选择" in lead.post(f"{url}/commit").text
    right = lead.get(f"{url}?crs=GCJ-02").text
    assert "确认导入 8 条" in right and 'name="crs" value="GCJ-02"' in right
    assert lead.post(f"{url}/commit", data={"crs": "GCJ-02"}).status_code == 303
    with sample_site.session() as session:
        assert session.scalar(select(ImportBatch.source_crs)) == "GCJ-02"


def test_swapped_columns_are_said_and_one_click_reads_them_right(sample_site):
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    url = upload(lead, houses(move=lambda p: p[::-1]))
    text = lead.get(url).text
    assert "放反" in text
    link = re.search(r'href="(\?crs=[^"]*swap=1[^"]*)"', text).group(1).replace("&amp;", "&")
    assert "确认导入 3 条" in lead.get(url + link).text


def test_bad_rows_are_listed_together_and_skipped_only_when_asked(sample_site):
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    content = json.loads(houses(4))
    content["features"][1]["properties"]["户数"] = "很多"
    (
        content["features"][2]["geometry"]["coordinates"][0][1],
        content["features"][2]["geometry"]["coordinates"][0][2],
    ) = (
        content["features"][2]["geometry"]["coordinates"][0][2],
        content["features"][2]["geometry"]["coordinates"][0][1],
    )
    url = upload(lead, json.dumps(content).encode())
    text = lead.get(url).text
    assert "不是整数" in text and "自相交" in text
    refused = lead.post(f"{url}/commit")
    assert refused.status_code == 422 and "有 2 行不能导入" in refused.text
    assert (
        lead.post(f"{url}/commit", data={"skip_errors": "true"})
        .headers["location"]
        .endswith("count=2")
    )


def test_a_hopeless_file_is_refused_at_once_and_not_kept(sample_site):
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    for content, name, words in (
        (houses()[:200], "x.geojson", "不完整或已损坏"),
        (b"%PDF-1.7", "x.geojson", "实际是 PDF"),
        (b"PK\x03\x04broken", "x.zip", "不完整或已损坏"),
        (b"", "x.csv", "没有内容"),
    ):
        url = upload(lead, content, name)
        answer = lead.get(url)
        assert words in answer.text and answer.status_code == 422
    assert waiting(sample_site) == []


def test_a_100_mb_upload_is_refused_with_the_limit(sample_site):
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    answer = lead.post(
        "/imports",
        content=b"",
        headers={
            "content-length": str(100 << 20),
            "content-type": "multipart/form-data; boundary=x",
        },
    )
    assert answer.status_code == 413 and "50 MB" in answer.text
    assert waiting(sample_site) == []


def test_no_file_and_unknown_kinds_are_sentences(sample_site):
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    assert "没有选择文件" in lead.post("/imports", data={"kind": "buildings"}).text
    assert (
        lead.post("/imports", files={"file": ("a", b"x")}, data={"kind": "people"}).status_code
        == 404
    )


def test_unrecognised_coordinate_columns_can_be_named(sample_site):
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    url = upload(lead, f"名称,甲,乙\n门,{centre[0]},{centre[1]}\n".encode(), "x.csv", "places")
    assert "请指定" in lead.get(url).text
    text = lead.get(f"{url}?x_column=甲&y_column=乙&crs=EPSG:4490").text
    assert "确认导入 1 条" in text
    hidden = dict(
        re.findall(
            r'<input type="hidden" name="([^"]+)" value="([^"]*)">', text.split("/commit")[1]
        )
    )
    before = count(sample_site, KeyPlace)
    assert lead.post(f"{url}/commit", data=hidden).status_code == 303
    assert count(sample_site, KeyPlace) == before + 1


def test_an_upload_is_its_owners_alone(sample_site):
    url = upload(sample_site.signed_in(Role.TEAM_LEAD), houses())
    admin = sample_site.signed_in(Role.ADMIN)
    assert admin.get(url).status_code == 410
    assert admin.post(f"{url}/commit").status_code == 410
    for token in ("1", "..%2f..%2fetc", "0" * 32):
        assert admin.get(f"/imports/pending/{token}").status_code in {404, 410}


def test_a_file_name_cannot_lead_out_of_its_folder(sample_site):
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    url = upload(lead, houses(), "..\\../../evil.geojson")
    assert lead.get(url).status_code == 200
    (kept,) = waiting(sample_site)
    assert {p.name for p in kept.iterdir()} == {"about.json", "evil.geojson"}


def test_readers_see_the_list_and_may_not_import(sample_site):
    for role in (Role.STREET_OFFICE, Role.AUDITOR):
        browser = sample_site.signed_in(role)
        text = browser.get("/imports").text
        assert "导入记录" in text and "上传并预览" not in text
        assert browser.post("/imports", data={"kind": "buildings"}).status_code == 403
    assert sample_site.signed_in(Role.PATROLLER).get("/imports").status_code == 403


def test_a_batch_in_use_is_not_undone_and_the_page_says_why(sample_site):
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    lead.post(f"{upload(lead, houses())}/commit")
    with sample_site.session() as session, session.begin():
        building = session.scalars(select(Building).where(Building.source_key == "N0")).one()
        batch = building.batch_id
        from grid.people import Steward

        session.add(
            Steward(
                community_id=building.community_id,
                building_id=building.id,
                number="Z9",
                name="某甲",
            )
        )
    answer = lead.post(f"/imports/{batch}/undo")
    assert answer.status_code == 409 and "1 条小管家" in answer.text
    assert lead.post("/imports/999999/undo").status_code == 404


def test_programs_read_the_batches(sample_site):
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    lead.post(f"{upload(lead, houses())}/commit")
    with sample_site.session() as session, session.begin():
        community = session.scalar(select(ImportBatch.community_id))
        token = create_token(session, "t", community, actor="test")
    program = sample_site.browser()
    program.headers["authorization"] = f"Bearer {token}"
    answer = program.get("/api/v1/imports").json()
    assert (answer["total"], answer["items"][0]["rows"]) == (1, 3)


# --- The command ---


@pytest.fixture
def xunge(sample_site, monkeypatch):
    import api.exports.commands
    import api.imports.commands

    for module in (api.imports.commands, api.exports.commands):
        monkeypatch.setattr(module, "settings", lambda: sample_site.settings)

    def run(group, *words):
        module = api.imports.commands if group == "import" else api.exports.commands
        return CliRunner().invoke(module.commands, [str(w) for w in words])

    return run


def test_the_command_looks_commits_and_undoes(sample_site, xunge, tmp_path):
    path = tmp_path / "楼栋.geojson"
    path.write_bytes(houses())
    before = count(sample_site, Building)
    seen = xunge("import", "buildings", path, "--preview")
    assert (
        seen.exit_code == 0 and "新增 3" in seen.output and count(sample_site, Building) == before
    )
    asked = xunge("import", "buildings", path)
    assert "没有导入" in asked.output or asked.exit_code == 1
    done = xunge("import", "buildings", path, "--yes")
    assert done.exit_code == 0 and "已导入 3 条" in done.output
    again = xunge("import", "buildings", path, "--yes")
    assert again.exit_code == 0 and "没有新的内容" in again.output
    number = re.search(r"批次 (\d+)", done.output).group(1)
    assert number in xunge("import", "list").output
    assert "移走 3 条" in xunge("import", "undo", number).output
    assert count(sample_site, Building) == before


def test_the_command_refuses_in_a_sentence(sample_site, xunge, tmp_path):
    path = tmp_path / "x.geojson"
    path.write_bytes(houses(crs=None))
    refused = xunge("import", "buildings", path, "--yes")
    assert refused.exit_code == 1 and "请先选择" in str(refused.exception)
    assert "找不到" in str(
        xunge("import", "buildings", path, "--community", "999999999999").exception
    )


def test_the_export_command_writes_what_the_import_command_finds_unchanged(
    sample_site, xunge, tmp_path
):
    path = tmp_path / "out" / "cells.gpkg"
    out = xunge("export", "cells", path, "--crs", "EPSG:4490")
    assert out.exit_code == 0 and "EPSG:4490" in out.output, out.exception
    assert "没有新的内容" in xunge("import", "cells", path, "--yes").output
    assert xunge("export", "all", tmp_path / "all.gpkg").exit_code == 0
    assert "结尾" in str(xunge("export", "cells", tmp_path / "x.dwg").exception)
    assert shapely is not None
