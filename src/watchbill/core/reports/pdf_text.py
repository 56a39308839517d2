"""The text of a PDF, line by line in the order of the page. Run as a program, it reads a PDF and prints its text.

A PDF may come from anybody, and may be made to keep a reader busy for ever. So it is read in a process of its own that
may use only so much time and memory (`actions/report_files.py` starts it); this module alone bounds size and pages.
"""

from __future__ import annotations

import logging
import re
import resource
import sys
from io import BytesIO

from pypdf import PdfReader

from watchbill.core.reports.words import MOST_CHARACTERS
from watchbill.kit.errors import Unreadable

MOST_BYTES = 10_000_000
MOST_PAGES = 100
MOST_SECONDS = 20
MOST_MEMORY = 1_000_000_000
# Letters that fonts draw as one: the words they are in must still be found.
_LIGATURES = {
    "\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl", "\ufb05": "st", "\ufb06": "st",
}  # fmt: skip
_SPACES = re.compile(r"[\u00a0\u2007\u202f]")


def text_of(content: bytes) -> str:
    """Give the text of a PDF. Raises Unreadable when it is none, is locked, too long, or holds no text (a scan)."""
    if len(content) > MOST_BYTES:
        raise Unreadable(f"a PDF of more than {MOST_BYTES // 1_000_000} MB")
    if b"%PDF-" not in content[:1024]:
        raise Unreadable("not a PDF")
    try:
        text = _pages(content)
    # A broken file breaks the library in ways that it does not name; whatever it is, the file cannot be read.
    except Unreadable:
        raise
    except Exception as broken:
        raise Unreadable(f"a PDF that cannot be read ({type(broken).__name__})") from broken
    if not text.strip():
        raise Unreadable("a PDF without text: perhaps a scan")
    for drawn, letters in _LIGATURES.items():
        text = text.replace(drawn, letters)
    return _SPACES.sub(" ", text)


def _pages(content: bytes) -> str:
    reader = PdfReader(BytesIO(content))
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable("a PDF that is locked with a password")
    if len(reader.pages) > MOST_PAGES:
        raise Unreadable(f"a PDF of more than {MOST_PAGES} pages")
    texts: list[str] = []
    for page in reader.pages:
        texts.append(page.extract_text())
        if sum(len(text) for text in texts) > MOST_CHARACTERS:
            raise Unreadable(f"a PDF of more than {MOST_CHARACTERS} characters")
    return "\n".join(texts)


def main() -> None:
    """Read a PDF from the input and print its text, within the limits; what is wrong goes to the errors, with code 1."""
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    logging.disable()
    try:
        text = text_of(sys.stdin.buffer.read(MOST_BYTES + 1))
    except Unreadable as unreadable:
        sys.stderr.write(unreadable.message)
        sys.exit(1)
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))


if __name__ == "__main__":
    main()
