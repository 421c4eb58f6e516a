"""A task card as a PDF of A5."""

from weasyprint import HTML

from api.duties.task_card import TaskCard
from api.rosters.pdf import Nowhere
from api.web import environment


def task_card_pdf(card: TaskCard) -> bytes:
    """Return a card as a PDF file."""
    html = environment().get_template("duties/card_paper.html").render(card=card)
    written = HTML(string=html, url_fetcher=Nowhere()).write_pdf()
    assert isinstance(written, bytes)
    return written
