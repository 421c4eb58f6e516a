"""The hotspot page: filters, headline figures, the map in its frame, the table, the hours."""

import csv
import io
from datetime import date, timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from api.accounts import Role
from api.audit import record
from api.hotspots import words
from api.hotspots.asked import PERIODS, Asked, address_of
from api.hotspots.findings import Findings, Question, investigate
from api.hotspots.picture import filter_words, period_words, picture
from api.i18n import translate
from api.incidents.export import harmless
from api.jobs import ask
from api.permissions import Caller, allow
from api.sign_in.pages import client_address
from api.today import today
from api.web import Db, page, see_other
from grid.basemap import load_basemap
from grid.incident_counts import categories_seen
from maps.folium_page import FRAME_POLICY, FRAME_SANDBOX, configure_assets

router = APIRouter()

READERS = (Role.STREET_OFFICE, Role.TEAM_LEAD, Role.AUDITOR)
RAISERS = (Role.STREET_OFFICE, Role.TEAM_LEAD)
MOST_USUAL = 12
"""How many places that are not hot are listed beside the hot ones."""


@router.get("/hotspots")
def hotspots_page(
    request: Request, db: Db, caller: Annotated[Caller, allow(*READERS)], question: Asked
) -> Response:
    """Show where, when and what, against what is usual and against the year before."""
    day = today(request.app.state.settings)
    findings = investigate(db, caller.community_id, question, day)
    _ = partial(translate, caller.locale)
    return page(
        request,
        caller,
        "hotspots/hotspots.html",
        findings=findings,
        question=question,
        chosen_period=_chosen_period(question, day),
        periods=PERIODS,
        last_day=question.until - timedelta(1),
        period=period_words(question),
        filters=filter_words(question, _),
        class_words=words.class_words(_),
        source_words=words.source_words(_),
        kind_words=words.kind_words(_),
        categories=_categories(categories_seen(db, caller.community_id), question),
        hot=findings.hot,
        usual=[one for one in findings.findings if not one.hot][:MOST_USUAL],
        words=words,
        address=address_of(question),
        sandbox=FRAME_SANDBOX,
        heat=heat_table(findings),
        may_raise=caller.is_(*RAISERS),
    )


def _chosen_period(question: Question, day: date) -> str:
    if question.until == day and str(question.days) in PERIODS:
        return str(question.days)
    return "dates"


def _categories(seen: list[tuple[str, str]], question: Question) -> list[str]:
    wanted = question.incident_class
    return sorted({name for kind, name in seen if wanted is None or kind == wanted})


def heat_table(findings: Findings) -> dict[str, Any]:
    """Return the hour × weekday matrix as rows of (n, step 0–5): steps by share of the fullest."""
    matrix = findings.matrix
    most = int(matrix.max(initial=0))

    def step(n: int) -> int:
        return 0 if n == 0 else min(5, 1 + (n - 1) * 5 // max(1, most))

    return {
        "rows": [[(int(n), step(int(n))) for n in row] for row in matrix],
        "days": [int(n) for n in matrix.sum(axis=1)],
        "hours": [int(n) for n in matrix.sum(axis=0)],
        "total": int(matrix.sum()),
    }


@router.get("/hotspots/map")
def hotspots_map(
    request: Request, db: Db, caller: Annotated[Caller, allow(*READERS)], question: Asked
) -> Response:
    """Return the map for the page's frame, under its own content-security policy."""
    settings = request.app.state.settings
    day = today(settings)
    configure_assets(settings.offline_assets)
    html = picture(
        investigate(db, caller.community_id, question, day),
        load_basemap(db, caller.community_id, day),
        day,
        locale=caller.locale,
        with_links=caller.is_(*RAISERS),
    )
    return HTMLResponse(html, headers={"content-security-policy": FRAME_POLICY})


@router.get("/hotspots/map.html")
def download_map(
    request: Request, db: Db, caller: Annotated[Caller, allow(*READERS)], question: Asked
) -> Response:
    """Return the map as a file that opens without any network; the export is recorded."""
    settings = request.app.state.settings
    day = today(settings)
    configure_assets(settings.offline_assets)
    findings = investigate(db, caller.community_id, question, day)
    html = picture(findings, load_basemap(db, caller.community_id, day), day, locale=caller.locale)
    _record_export(request, db, caller, findings, "map")
    return Response(
        html,
        media_type="text/html; charset=utf-8",
        headers={
            "content-disposition": f'attachment; filename="hotspots-{question.first}-{question.until}.html"'
        },
    )


@router.get("/hotspots/export.csv")
def export_csv(
    request: Request, db: Db, caller: Annotated[Caller, allow(*READERS)], question: Asked
) -> Response:
    """Return the table as CSV that Excel reads in Chinese; the export is recorded."""
    findings = investigate(db, caller.community_id, question, today(request.app.state.settings))
    _record_export(request, db, caller, findings, "csv")
    return Response(
        "\ufeff" + as_csv(findings, caller.locale),
        media_type="text/csv; charset=utf-8",
        headers={
            "content-disposition": f'attachment; filename="hotspots-{question.first}-{question.until}.csv"'
        },
    )


def _record_export(request: Request, db: Db, caller: Caller, findings: Findings, form: str) -> None:
    record(
        db,
        actor=caller.username,
        action="hotspot.export",
        target=f"community:{caller.community_id}",
        address=client_address(request),
        community_id=caller.community_id,
        details={"form": form, "question": address_of(findings.question), "n": findings.n},
    )


def as_csv(findings: Findings, locale: str = "zh") -> str:
    """Return every place × category with n ≥ 5 as CSV, hot ones first."""
    _ = partial(translate, locale)
    kinds = words.kind_words(_)
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(
        [
            _("地点"), _("地点类型"), _("巡区"), _("类型"), _("件数"), _("上年同期"), _("增减"),
            _("增减百分比"), _("应有件数"), _("倍数"), _("倍数下限"), _("倍数上限"), "p", "q",
            _("热点"), _("集中时段"), _("时段内件数"), _("说明"),
        ]
    )  # fmt: skip
    for one in findings.findings:
        percent = one.change.percent
        expected = one.expected > 0
        rows.writerow(
            [
                harmless(cell)
                for cell in (
                    one.place.label, kinds[one.place.kind.value], one.place.zone, one.category,
                    one.n, one.change.base, one.change.difference,
                    "" if percent is None else round(percent, 1),
                    round(one.expected, 2) if expected else "",
                    round(one.ratio, 2) if expected else "",
                    round(one.low, 2) if expected else "",
                    round(one.high, 2) if expected else "",
                    f"{one.p:.3g}", f"{one.q:.3g}", _("是") if one.hot else _("否"),
                    words.band_words(one.band.start_min, one.band.end_min, _), one.band.n,
                    words.sentence(one, _),
                )
            ]
        )  # fmt: skip
    return text.getvalue()


@router.post("/hotspots/raise")
def raise_all(db: Db, caller: Annotated[Caller, allow(*RAISERS)]) -> Response:
    """Ask for the job that raises a requirement for every hot place of the last year."""
    run_id = ask(
        db,
        "hotspots.compute",
        {"raise": True},
        community_id=caller.community_id,
        asked_by=caller.username,
    )
    record(
        db,
        actor=caller.username,
        action="hotspot.raise",
        target=f"job:{run_id}",
        community_id=caller.community_id,
    )
    return see_other(f"/jobs/{run_id}")
