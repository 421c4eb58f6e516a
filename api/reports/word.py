"""The report as a Word file that people go on writing in: real headings, tables and pictures."""

from collections.abc import Mapping, Sequence
from io import BytesIO

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from api.reports.figures import Report
from api.reports.sections import period, sections, title

BODY, HEAD = "宋体", "黑体"
WIDTH_CM = 16.0


def report_docx(report: Report, pictures: Mapping[str, bytes], office: str) -> bytes:
    """Return the .docx; ``pictures`` are PNG by the names that sections give them."""
    document = Document()
    page = document.sections[0]
    page.page_width, page.page_height = Cm(21), Cm(29.7)
    page.left_margin = page.right_margin = Cm(2.5)
    page.top_margin = page.bottom_margin = Cm(2.3)
    for name, face, size in (
        ("Normal", BODY, 12), ("Title", HEAD, 18), ("Heading 1", HEAD, 14),
    ):  # fmt: skip
        style = document.styles[name]
        style.font.name, style.font.size = face, Pt(size)
        style.font.color.rgb = RGBColor(0, 0, 0)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for kind in ("w:eastAsia", "w:ascii", "w:hAnsi"):
            fonts.set(qn(kind), face)
        for theme in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
            fonts.attrib.pop(qn(theme), None)
    document.core_properties.title = title(report)
    document.core_properties.author = office
    heading = document.add_paragraph(title(report), style="Title")
    heading.alignment = WD_ALIGN_PARAGRAPH.CENTER
    under = document.add_paragraph(f"{period(report)}    {office}    {report.made_on:%Y年%m月%d日}")
    under.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for section in sections(report):
        document.add_heading(section.title, level=1)
        for told in section.paragraphs:
            paragraph = document.add_paragraph(told)
            paragraph.paragraph_format.first_line_indent = Pt(24)
            paragraph.paragraph_format.space_after = Pt(4)
        if section.rows:
            _table(document, section.heads, section.rows)
        for name in section.pictures:
            if name in pictures:
                document.add_picture(BytesIO(pictures[name]), width=Cm(WIDTH_CM))
                document.paragraphs[-1].alignment = WD_ALIGN_PARAGRAPH.CENTER
    note = document.add_paragraph(
        "数字来自本社区事件台账和勤务记录，与系统页面一致；只涉及地点，不涉及个人。"
    )
    note.runs[0].font.size = Pt(9)
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def _table(document: object, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    table = document.add_table(rows=1, cols=len(heads), style="Table Grid")  # type: ignore[attr-defined]
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    for cell, head in zip(table.rows[0].cells, heads, strict=True):
        cell.text = head
        cell.paragraphs[0].runs[0].bold = True
    table.autofit = False
    # As wide as what stands in a column, within reason: numbers need less room than sentences.
    wide = [
        min(26, max(4, *(len(row[n]) for row in rows), len(head))) for n, head in enumerate(heads)
    ]
    # A head that repeats on the next page.
    mark = table.rows[0]._tr.get_or_add_trPr()
    mark.append(mark.makeelement(qn("w:tblHeader"), {qn("w:val"): "true"}))
    for row in rows:
        for cell, told in zip(table.add_row().cells, row, strict=True):
            cell.text = told
    for row in table.rows:
        for cell, share in zip(row.cells, wide, strict=True):
            cell.width = Cm(WIDTH_CM * share / sum(wide))
            for paragraph in cell.paragraphs:
                paragraph.paragraph_format.space_after = Pt(0)
                for run in paragraph.runs:
                    run.font.size = Pt(10)
    document.add_paragraph()  # type: ignore[attr-defined]
