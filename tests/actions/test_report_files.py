"""Files of reports: which reader they get, and PDFs that are broken or made to harm."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from watchbill.actions.report_files import read_report, text_of_pdf
from watchbill.core.reports import pdf_text
from watchbill.core.reports.markdown import read_markdown
from watchbill.core.reports.pdf import write_pdf
from watchbill.kit.errors import Unreadable

TEXTS = Path(__file__).parent.parent / "core" / "reports" / "texts"
EXPORT = "2026-02-11-harbour-export.txt"


def test_a_file_is_read_by_what_it_is() -> None:
    """PM-10: reports come back from where they were published."""
    export = (TEXTS / EXPORT).read_bytes()
    assert read_report(export, EXPORT).owner == "Eva Marin"
    markdown = (TEXTS / "2026-01-20-buoy-silence.md").read_bytes()
    assert read_report(markdown, "2026-01-20-buoy-silence.md").duration == "1h 55m"
    assert read_report(markdown, "buoys.txt").duration == "1h 55m"


def test_a_real_pdf_is_read_in_a_process_of_its_own() -> None:
    report = read_markdown((TEXTS / "2026-01-20-buoy-silence.md").read_text(encoding="utf-8"), "2026-01-20-x.md")
    text = text_of_pdf(write_pdf(report))
    assert "The last buoy falls silent" in text
    assert "Thank the keepers" in text


@pytest.mark.parametrize(
    "content", [b"", b"no pdf", b"%PDF-1.7 and then nothing", b"%PDF-1.4\n" + bytes(range(256)) * 40]
)
def test_what_is_no_pdf_is_unreadable(content: bytes) -> None:
    with pytest.raises(Unreadable):
        read_report(content, "x.pdf")


def test_other_files_are_unreadable() -> None:
    for content, name in ((b"x", "x.docx"), (b"\xff\xfe\x00", "x.md")):
        with pytest.raises(Unreadable):
            read_report(content, name)


def test_a_pdf_that_is_too_large_is_not_even_opened() -> None:
    with pytest.raises(Unreadable, match="more than 10 MB"):
        text_of_pdf(b"%PDF-1.7" + bytes(pdf_text.MOST_BYTES))


def test_a_pdf_that_unpacks_to_much_more_is_unreadable() -> None:
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(b" " * 10_000_000) for _ in range(12)) + packer.flush()
    with pytest.raises(Unreadable):
        text_of_pdf(pdf_of_stream(bomb))


def test_a_pdf_of_a_scan_is_told_apart() -> None:
    with pytest.raises(Unreadable, match="scan"):
        text_of_pdf(pdf_of_stream(zlib.compress(b"0 0 m 10 10 l S")))


def pdf_of_stream(packed: bytes) -> bytes:
    """Make a PDF of one page whose content is what unpacks."""
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
        b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(packed), packed),
    )
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        body
        + b"xref\n0 5\n0000000000 65535 f \n"
        + table
        + b"trailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(body)
    )
