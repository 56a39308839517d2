"""Post-mortem reports as files that somebody gives us: which reader a file needs, and PDFs at arm's length."""

from __future__ import annotations

import subprocess
import sys

from watchbill.core.reports import pdf_text
from watchbill.core.reports.markdown import read_markdown
from watchbill.core.reports.pagerduty import read_pdf_text
from watchbill.core.reports.report import Report
from watchbill.kit.errors import Unreadable

MARKDOWN = (".md", ".markdown", ".myst")
TEXT_OF_PDF = (".txt", ".text")


def read_report(content: bytes, name: str) -> Report:
    """Read the file of a report: Markdown, a PDF, or the text of a PDF, as its name says.

    Raises Unreadable when it is none of them, is too large, or is a PDF that cannot be read.
    """
    if content[:1024].lstrip().startswith(b"%PDF-") or name.lower().endswith(".pdf"):
        return read_pdf_text(text_of_pdf(content), name)
    if len(content) > pdf_text.MOST_BYTES:
        raise Unreadable("a file that is too large to be a report")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as broken:
        raise Unreadable("a file that is not text in UTF-8") from broken
    if name.lower().endswith(TEXT_OF_PDF) and not text.lstrip().startswith(("#", "---")):
        return read_pdf_text(text, name)
    if name.lower().endswith((*MARKDOWN, *TEXT_OF_PDF)):
        return read_markdown(text, name)
    raise Unreadable("a report is a file that ends in .md, .pdf or .txt")


def text_of_pdf(content: bytes) -> str:
    """Give the text of a PDF, read in a process that may use 20 seconds and 1 GB, and no more. Raises Unreadable.

    Takes about half a second: not for a page that somebody waits for with many files.
    """
    if len(content) > pdf_text.MOST_BYTES:
        raise Unreadable(f"a PDF of more than {pdf_text.MOST_BYTES // 1_000_000} MB")
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-m", pdf_text.__name__],
            input=content, capture_output=True, timeout=pdf_text.MOST_SECONDS * 2, check=False, env={},
        )  # fmt: skip
    except subprocess.TimeoutExpired as late:
        raise Unreadable("a PDF that takes too long to read") from late
    if done.returncode == 1 and done.stderr and b"Traceback" not in done.stderr:
        raise Unreadable(done.stderr.decode("utf-8", "replace")[:300])
    if done.returncode != 0:
        raise Unreadable("a PDF that cannot be read within 20 seconds and 1 GB")
    return done.stdout.decode("utf-8", "replace")
