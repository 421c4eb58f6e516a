"""What every response carries, and what no request body may be."""

from api.accounts import Role


def chunks(megabytes: int):
    for _ in range(megabytes):
        yield b"x" * 1024 * 1024


def test_a_100_mb_upload_is_refused_before_it_is_read(site):
    browser = site.signed_in(Role.ADMIN)
    answer = browser.post("/users", content=b"", headers={"content-length": str(100 * 1024 * 1024)})
    assert answer.status_code == 413
    assert "50 MB 上限" in answer.text


def test_an_upload_that_hides_its_length_is_cut_off_at_the_limit(site):
    browser = site.signed_in(Role.ADMIN)
    sent = 0

    def count():
        nonlocal sent
        for chunk in chunks(60):
            sent += len(chunk)
            yield chunk

    answer = browser.post(
        "/users", content=count(), headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code == 413


def test_a_program_reads_the_refusal_as_problem_details(site):
    program = site.browser()
    answer = program.get("/api/v1/jobs/none", headers={"accept": "application/json"})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 401
    assert answer.json()["detail"].startswith("请先登录")


def test_an_unknown_page_says_so_and_shows_the_way_back(site):
    answer = site.signed_in(Role.ADMIN).get("/nowhere")
    assert answer.status_code == 404
    assert "没有这个页面" in answer.text


def test_every_page_forbids_what_is_not_ours(site):
    answer = site.browser().get("/sign-in")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"


def test_a_fault_of_ours_is_a_sentence_with_a_reference_and_undoes_the_request(site):
    from typing import Annotated

    from sqlalchemy import text

    from api.database import Db
    from api.permissions import anyone

    @site.app.get("/break")
    def broken(db: Db, caller: Annotated[object, anyone()]):
        db.execute(text("INSERT INTO employer (community_id, name) VALUES (1, '将撤销')"))
        raise RuntimeError("boom")

    answer = site.browser().get("/break")
    assert answer.status_code == 500
    assert "错误编号" in answer.text
    assert "boom" not in answer.text
    with site.session() as session:
        assert session.scalar(text("SELECT count(*) FROM employer")) == 0


def test_the_api_describes_itself_in_openapi_3_1(site):
    document = site.signed_in(Role.ADMIN).get("/api/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert document["components"]["schemas"]["Problem"]["properties"]["detail"]
    for path, operations in document["paths"].items():
        assert path.startswith("/api/v1/"), path
        for operation in operations.values():
            assert {"401", "403", "404", "422"} <= set(operation["responses"]), path


def test_a_field_that_does_not_fit_is_told_in_the_callers_language(site):
    auditor = site.signed_in(Role.AUDITOR)
    assert "page 应不小于 1" in auditor.get("/audit?page=-1").text
    assert "page 应为整数" in auditor.get("/audit?page=x").text
    auditor.cookies.set("xunge_locale", "en")
    assert "greater than or equal to 1" in auditor.get("/audit?page=-1").text


def test_every_kind_of_misfit_can_be_told(site):
    from api.problems import MISFITS

    facts = {k: "x" for k in ("ge", "gt", "le", "lt", "max_length", "min_length", "expected")}
    assert all(text.format_map(facts) for text in MISFITS.values())
