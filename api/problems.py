"""Every refusal becomes one answer: problem details (RFC 9457) for programs, a page for people."""

import logging
import uuid
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException

from api.permissions import Caller, NotSignedIn, locale_of
from api.web import page
from grid.errors import DomainError

LOG = logging.getLogger(__name__)
API_PREFIX = "/api/"


class UnexpectedError(DomainError):
    """A fault of ours."""

    zh = "系统出错，操作没有生效，已保存的数据未受影响。请稍后重试；仍不行请把错误编号 {reference} 告诉管理员。"
    en = "Something went wrong on our side; nothing was changed. Try again later, or tell the administrator reference {reference}."
    status = 500


class NoSuchPage(DomainError):
    """Nothing is served at this address."""

    zh = "没有这个页面：{path}。请从上方菜单进入。"
    en = "There is no page at {path}. Use the menu above."
    status = 404


class FieldErrors(DomainError):
    """One or more fields of the request do not fit."""

    zh = "填写有误：{fields}。请更正后重新提交。"
    en = "Some fields do not fit: {fields}. Correct them and send again."
    status = 422


class ValueRefused(DomainError):
    """A number or text that the database cannot hold."""

    zh = "请求中的编号或内容超出可用范围，没有执行任何操作。请从页面上的链接或按钮进入，或改短内容后重试。"
    en = "A number or text in the request is beyond what can be stored; nothing was done. Use the links and buttons of the pages, or shorten the text."
    status = 422


class MethodRefused(DomainError):
    """The address exists, the method does not."""

    zh = "该地址不支持 {method} 请求。请从页面上的按钮操作。"
    en = "This address does not take {method}. Use the buttons on the page."
    status = 405


class Problem(BaseModel):
    """Problem details (RFC 9457) as every refusal of the JSON API is answered."""

    type: str
    title: str
    status: int
    detail: str
    """The sentence, in the caller's language: what is wrong and what to do."""
    instance: str = ""
    errors: list[dict[str, str]] = []


DOCUMENTED: dict[int | str, dict[str, Any]] = {
    status: {
        "description": HTTPStatus(status).phrase,
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        },
    }
    for status in (400, 401, 403, 404, 405, 409, 413, 422, 500)
}
"""The refusals every operation of the JSON API documents."""


def is_for_program(request: Request) -> bool:
    """Say whether the answer goes to a program rather than a person."""
    return request.url.path.startswith(API_PREFIX) or "application/json" in request.headers.get(
        "accept", ""
    )


def caller_of(request: Request) -> Caller:
    """Return whoever the request was identified as, or nobody."""
    found = getattr(request.state, "caller", None)
    return found if isinstance(found, Caller) else Caller("", "", None, 0, locale_of(request))


def problem(request: Request, refusal: DomainError, **members: Any) -> JSONResponse:  # noqa: ANN401
    """Return a problem-details answer."""
    locale = caller_of(request).locale
    return JSONResponse(
        {
            "type": f"urn:xunge:problem:{type(refusal).__name__}",
            "title": HTTPStatus(refusal.status).phrase,
            "status": refusal.status,
            "detail": refusal.sentence(locale),
            "instance": request.url.path,
            **members,
        },
        status_code=refusal.status,
        media_type="application/problem+json",
        headers={"www-authenticate": "Bearer"} if refusal.status == 401 else None,
    )


def answer(request: Request, refusal: DomainError, **members: Any) -> Response:  # noqa: ANN401
    """Return a refusal as a program or a person reads it."""
    if is_for_program(request):
        return problem(request, refusal, **members)
    caller = caller_of(request)
    if isinstance(refusal, NotSignedIn):
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        target = "/sign-in"
        if request.method == "GET" and wanted != "/":
            target += f"?next={quote(wanted)}"
        if request.headers.get("hx-request"):
            return Response(status_code=401, headers={"HX-Redirect": target})
        return RedirectResponse(target, status_code=303)
    return page(
        request,
        caller,
        "refusal.html",
        status_code=refusal.status,
        sentence=refusal.sentence(caller.locale),
        status=refusal.status,
        details=members,
    )


MISFITS = {
    "missing": "必填",
    "greater_than_equal": "应不小于 {ge}",
    "greater_than": "应大于 {gt}",
    "less_than_equal": "应不大于 {le}",
    "less_than": "应小于 {lt}",
    "string_too_long": "最多 {max_length} 个字",
    "string_too_short": "至少 {min_length} 个字",
    "string_pattern_mismatch": "格式不符",
    "int_parsing": "应为整数",
    "int_from_float": "应为整数",
    "int_type": "应为整数",
    "float_parsing": "应为数字",
    "bool_parsing": "应为是或否",
    "date_parsing": "应为日期，如 2026-11-30",
    "date_from_datetime_parsing": "应为日期，如 2026-11-30",
    "datetime_parsing": "应为日期和时间，如 2026-11-30 19:00",
    "datetime_from_date_parsing": "应为日期和时间，如 2026-11-30 19:00",
    "time_parsing": "应为时间，如 19:00",
    "enum": "应为 {expected} 之一",
    "literal_error": "应为 {expected} 之一",
    "extra_forbidden": "不接受此项",
    "json_invalid": "不是有效的 JSON",
}
"""Pydantic's kinds of error as a person reads them; English is Pydantic's own."""


def _field_errors(
    error: RequestValidationError, locale: str
) -> tuple[FieldErrors, list[dict[str, str]]]:
    rows = []
    for found in error.errors():
        message = str(found["msg"])
        if locale != "en" and found["type"] in MISFITS:
            message = MISFITS[found["type"]].format_map(found.get("ctx") or {})
        field = ".".join(str(part) for part in found["loc"][1:]) or str(found["loc"][0])
        rows.append({"field": field, "message": message})
    joint = "; " if locale == "en" else "；"
    return FieldErrors(fields=joint.join(f"{r['field']} {r['message']}" for r in rows)), rows


def install(app: FastAPI) -> None:
    """Map every kind of failure once."""

    @app.exception_handler(DomainError)
    def refused(request: Request, error: DomainError) -> Response:
        return answer(request, error)

    @app.exception_handler(RequestValidationError)
    def unfit(request: Request, error: RequestValidationError) -> Response:
        refusal, rows = _field_errors(error, caller_of(request).locale)
        return answer(request, refusal, errors=rows)

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            return answer(request, NoSuchPage(path=request.url.path))
        if error.status_code == 405:
            return answer(request, MethodRefused(method=request.method))
        refusal = FieldErrors(fields=str(error.detail))
        refusal.status = error.status_code  # type: ignore[misc]
        return answer(request, refusal)

    @app.exception_handler(DataError)
    def unstorable(request: Request, error: DataError) -> Response:
        LOG.warning("request %s held what cannot be stored: %s", request.url.path, error.orig)
        return answer(request, ValueRefused())

    @app.exception_handler(Exception)
    def broke(request: Request, error: Exception) -> Response:
        reference = uuid.uuid4().hex[:8]
        LOG.error("request %s broke, reference %s", request.url.path, reference, exc_info=error)
        return answer(request, UnexpectedError(reference=reference))
