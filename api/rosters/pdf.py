"""The 排班表 as PDF: the workbook's pages, for those who only print or send it on."""

from pathlib import Path

from sqlalchemy.orm import Session
from weasyprint import HTML, Document
from weasyprint.urls import URLFetcher

from api.rosters.paper import Paper
from api.web import environment, weekday
from scheduling.rosters import RosterVersion


class Nowhere(URLFetcher):  # type: ignore[misc]
    """A paper is made from what we hand over; nothing is fetched."""

    def fetch(self, url: str, headers: object = None) -> object:
        """Refuse any address."""
        raise ValueError(f"a paper reaches for {url}")


def roster_document(session: Session, version: RosterVersion) -> Document:
    """Return a version laid out page by page."""
    paper = Paper(session, version)
    problem = paper.board.problem
    html = (
        environment()
        .get_template("rosters/paper.html")
        .render(
            paper=paper,
            pages=paper.pages(),
            members=paper.members(),
            days=[
                (problem.date_of(n), weekday(problem.date_of(n)), kind)
                for n, kind in enumerate(problem.days)
            ],
        )
    )
    return HTML(string=html, url_fetcher=Nowhere()).render()


def roster_pdf(session: Session, version: RosterVersion) -> bytes:
    """Return a version as a PDF file."""
    written = roster_document(session, version).write_pdf()
    assert isinstance(written, bytes)
    return written


def write_roster_pdf(session: Session, roster_version_id: int, path: Path) -> None:
    """Write a version's PDF to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(roster_pdf(session, session.get_one(RosterVersion, roster_version_id)))
