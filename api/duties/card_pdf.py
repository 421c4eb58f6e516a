"""Task cards as a PDF of A5: one patrol's, or a day's to hand out."""

from collections.abc import Sequence

from weasyprint import HTML

from api.duties.task_card import TaskCard
from api.rosters.pdf import Nowhere
from api.web import environment


def task_card_pdf(cards: Sequence[TaskCard]) -> bytes:
    """Return cards as a PDF file, each on a page of its own."""
    html = environment().get_template("duties/card_paper.html").render(cards=cards)
    written = HTML(string=html, url_fetcher=Nowhere()).write_pdf()
    assert isinstance(written, bytes)
    return written
