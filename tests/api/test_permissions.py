"""Every endpoint declares who may call it, and the declaration holds for every role."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from sqlalchemy import text

from api.accounts import Role
from api.discovery import modules
from api.permissions import SESSION_COOKIE, Gate
from api.users.service import create_token


def gates(dependant: Dependant) -> list[Gate]:
    found = [dependant.call] if isinstance(dependant.call, Gate) else []
    for child in dependant.dependencies:
        found += gates(child)
    return found


def routes(app) -> list[tuple[str, APIRoute]]:
    """Every endpoint with its whole path: the rooms' routers and the app's own."""
    rooms = [("", m.router) for _, m in modules("pages")]
    rooms += [("/api/v1", m.router) for _, m in modules("endpoints")]
    found = [(prefix + r.path, r) for prefix, router in rooms for r in router.routes]
    return found + [(r.path, r) for r in app.routes if isinstance(r, APIRoute)]


def test_every_endpoint_declares_exactly_one_gate(site):
    undeclared = [
        f"{sorted(r.methods)} {path}"
        for path, r in routes(site.app)
        if len(gates(r.dependant)) != 1
    ]
    assert undeclared == []


def concrete(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "1", path)


def test_the_matrix_of_role_and_endpoint_holds(site):
    browsers = {role: site.signed_in(role) for role in Role if role is not Role.SERVICE}
    with site.session() as session, session.begin():
        community = session.scalar(text("SELECT min(id) FROM community"))
        token = create_token(session, "matrix", community, actor="test")
    program = site.browser()
    program.headers["authorization"] = f"Bearer {token}"
    browsers[Role.SERVICE] = program
    nobody = site.browser()
    walked = 0
    wrong = []
    for path, route in routes(site.app):
        gate = gates(route.dependant)[0]
        for method in route.methods - {"HEAD"}:
            url = concrete(path)
            if url in {"/sign-out", "/language"}:
                continue  # they end or change the very sessions the walk goes on with
            for role, browser in browsers.items():
                answer = browser.request(method, url, headers={"accept": "application/json"})
                refused = answer.status_code in {401, 403}
                if gate.anyone is False and refused != (role not in gate.roles):
                    wrong.append((method, url, role.value, answer.status_code))
                walked += 1
            if not gate.anyone:
                answer = nobody.request(method, url, headers={"accept": "application/json"})
                if answer.status_code != 401:
                    wrong.append((method, url, "nobody", answer.status_code))
    assert walked > 100
    assert wrong == []


def test_no_address_breaks_on_absurd_numbers_or_words(site):
    browsers = {role: site.signed_in(role) for role in Role if role is not Role.SERVICE}
    broken = []
    for path, route in routes(site.app):
        roles = gates(route.dependant)[0].roles & set(browsers)
        if "GET" not in route.methods or not roles:
            continue
        browser = browsers[min(roles)]
        numbers = (10**30, -1, "%00", "' OR 1=1 --") if "{" in path else ("",)
        for number in numbers:
            url = re.sub(r"\{[^}]+\}", str(number), path)
            for query in ("", "?page=-1&week=9999-99-99&q=%00&from=x&kind=..%2F..&member=-5"):
                answer = browser.get(url + query)
                if answer.status_code >= 500 and answer.status_code != 503:
                    broken.append((url + query, answer.status_code))
    assert broken == []


def test_a_form_without_its_token_is_refused(site):
    browser = site.signed_in(Role.ADMIN)
    del browser.headers["x-csrf-token"]
    answer = browser.post("/users", data={"username": "x"})
    assert answer.status_code == 403
    assert "刷新页面" in answer.text


def test_a_form_started_by_another_site_is_refused(site):
    browser = site.signed_in(Role.ADMIN)
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        assert browser.post("/users", data={}, headers=headers).status_code == 403


def test_an_ended_session_signs_nobody_in(site):
    browser = site.signed_in(Role.ADMIN)
    assert browser.get("/users").status_code == 200
    with site.session() as session, session.begin():
        session.execute(
            text("UPDATE session SET expires_at = :t"),
            {"t": datetime.now(UTC) - timedelta(minutes=1)},
        )
    answer = browser.get("/users")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/users"


def test_a_disabled_account_is_out_at_once(site):
    admin, lead = site.signed_in(Role.ADMIN), site.signed_in(Role.AUDITOR)
    assert lead.get("/audit").status_code == 200
    name = site.account(Role.AUDITOR)
    assert admin.post(f"/users/{name}/active", data={"active": "false"}).status_code == 303
    assert lead.get("/audit").status_code == 303


@pytest.mark.parametrize("cookie", ["", "x", "A" * 5000, "'; DROP TABLE session; --"])
def test_a_made_up_cookie_is_nobody(site, cookie):
    browser = site.browser()
    browser.cookies.set(SESSION_COOKIE, cookie)
    assert browser.get("/audit").status_code == 303


def test_a_revoked_token_is_refused(site):
    with site.session() as session, session.begin():
        community = session.scalar(text("SELECT min(id) FROM community"))
        token = create_token(session, "meter", community, actor="test")
    program = site.browser()
    program.headers["authorization"] = f"Bearer {token}"
    assert program.get("/api/openapi.json").status_code == 200
    admin = site.signed_in(Role.ADMIN)
    assert admin.post("/tokens/meter/revoke").status_code == 303
    answer = program.get("/api/openapi.json")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
