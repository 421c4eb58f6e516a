"""Signing in: the right password opens, wrong ones are counted, guessing is slowed."""

from sqlalchemy import text

from api.accounts import Role
from api.permissions import SESSION_COOKIE
from tests.api.conftest import PASSWORD


def sign_in(browser, username, password, **more):
    return browser.post("/sign-in", data={"username": username, "password": password, **more})


def test_the_right_password_opens_the_roles_first_page(site):
    browser = site.browser()
    answer = sign_in(browser, site.account(Role.AUDITOR), PASSWORD)
    assert answer.status_code == 303
    assert SESSION_COOKIE in answer.cookies
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert browser.get("/").headers["location"] == "/audit"


def test_six_wrong_passwords_lock_the_account_even_for_the_right_one(site):
    browser, name = site.browser(), site.account(Role.AUDITOR)
    said = [sign_in(browser, name, f"wrong {n}") for n in range(6)]
    assert [answer.status_code for answer in said] == [401, 401, 401, 401, 429, 429]
    assert "还可以再试 4 次" in said[0].text
    assert "账号已锁定" in said[5].text
    assert sign_in(browser, name, PASSWORD).status_code == 429
    admin = site.signed_in(Role.ADMIN)
    admin.post(f"/users/{name}/unlock")
    assert sign_in(browser, name, PASSWORD).status_code == 303


def test_an_unknown_name_is_told_the_same_as_a_wrong_password(site):
    browser = site.browser()
    known = sign_in(browser, site.account(Role.AUDITOR), "wrong")
    unknown = sign_in(browser, "nobody-at-all", "wrong")
    assert known.status_code == unknown.status_code == 401
    assert ("还可以再试 4 次" in known.text) and ("还可以再试 4 次" in unknown.text)


def test_guessing_many_names_from_one_address_is_stopped(site):
    browser = site.browser()
    codes = [sign_in(browser, f"name{n}", "wrong").status_code for n in range(31)]
    assert codes[-1] == 429
    assert set(codes[:-1]) == {401}


def test_every_sign_in_and_refusal_is_in_the_audit_log(site):
    browser, name = site.browser(), site.account(Role.AUDITOR)
    sign_in(browser, name, "wrong")
    sign_in(browser, name, PASSWORD)
    with site.session() as session:
        actions = session.scalars(text("SELECT action FROM audit_entry ORDER BY id")).all()
    assert actions == ["sign_in.refused", "sign_in.ok"]


def test_the_audit_log_cannot_be_edited_even_in_the_database(site):
    sign_in(site.browser(), site.account(Role.AUDITOR), PASSWORD)
    for statement in ("DELETE FROM audit_entry", "UPDATE audit_entry SET actor = 'x'"):
        with site.session() as session:
            try:
                session.execute(text(statement))
            except Exception as refused:
                assert "append-only" in str(refused)
            else:
                raise AssertionError(statement)


def test_a_redirect_after_sign_in_never_leaves_the_site(site):
    for target in ("//evil.example/x", "https://evil.example", "/\\evil.example"):
        answer = sign_in(site.browser(), site.account(Role.AUDITOR), PASSWORD, next=target)
        assert answer.headers["location"] == "/"


def test_signing_out_ends_the_session_on_the_server(site):
    browser = site.browser()
    sign_in(browser, site.account(Role.AUDITOR), PASSWORD)
    cookie = browser.cookies[SESSION_COOKIE]
    page = browser.get("/audit").text
    csrf = page.split('data-csrf="')[1].split('"')[0]
    assert browser.post("/sign-out", data={"csrf_token": csrf}).status_code == 303
    browser.cookies.set(SESSION_COOKIE, cookie)
    assert browser.get("/audit").status_code == 303


def test_a_weak_password_is_refused_with_a_sentence(site):
    admin = site.signed_in(Role.ADMIN)
    answer = admin.post("/users", data={"username": "new", "password": "short", "role": "auditor"})
    assert answer.status_code == 422
    assert "密码至少 10 位" in answer.text


def test_english_is_one_click_away(site):
    browser = site.browser()
    browser.post("/language", data={"locale": "en", "next": "/sign-in"})
    assert "Sign in" in browser.get("/sign-in").text
