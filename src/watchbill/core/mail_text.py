"""The words of a mail: decoded whatever its charset, HTML made plain, what was quoted and signed folded away.

Nothing is lost: what is folded is given beside what is new, and both together are every line that was sent.
"""

from __future__ import annotations

import re
from html import unescape

from mailparser_reply import EmailReplyParser

LANGUAGES = ["en", "de", "fr", "es", "it", "nl", "pl", "sv", "da"]
# The folder's expressions are slow on what no person writes, so it sees only so much of a mail: it decides by lines.
MOST_LINES, LONGEST_LINE = 300, 200
# These two are written for host names and take a quadratic time on a text.
NO_CHARSETS = frozenset({"idna", "punycode"})
BLOCKS = frozenset(
    {"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "pre", "table", "ul", "ol", "blockquote", "hr"}
)
UNSEEN = frozenset({"script", "style", "head", "title", "template"})
LINKS = ("http://", "https://", "mailto:")
# Every expression here takes a time that grows with the text and no faster: a mail comes from anybody, and both the
# standard library's parser and an HTML5 tree are quadratic on some of what anybody may send.
TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*+)([^<>]*+)>")
HREF = re.compile(r"""href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
SPACES = re.compile(r"[ \t\r\f\v\u00a0]+")


def decode(content: bytes, charset: str = "") -> str:
    """Decode as the sender says, else as UTF-8, else as what a Western desktop writes; never raises."""
    name = charset.strip().lower()
    names = [known for known in (name, "utf-8") if known and known not in NO_CHARSETS]
    for known in names:
        try:
            return content.decode(known)
        except (LookupError, ValueError):
            continue
    return content.decode("cp1252", "replace")


def clean(text: str) -> str:
    """Give a text that any database can hold: no half characters, no NUL, one kind of line end."""
    whole = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return whole.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")


def html_to_text(html: str) -> str:
    """Give what an HTML mail says: its links stay beside their words, its quotations get a ">"."""
    reader = _Reader()
    at = 0
    html = _without_comments(html)
    for tag in TAG.finditer(html):
        reader.say(unescape(html[at : tag.start()]))
        (reader.end if tag[1] else reader.begin)(tag[2].lower(), tag[3])
        at = tag.end()
    reader.say(unescape(html[at:]))
    return reader.text()


def _without_comments(html: str) -> str:
    kept, at = [], 0
    while (start := html.find("<!--", at)) >= 0 and (end := html.find("-->", start + 4)) >= 0:
        kept.append(html[at:start])
        at = end + 3
    return "".join([*kept, html[at:]])


class _Reader:
    """Writes the words of HTML as lines. Only plain text comes out, so there is nothing to sanitise: no tag survives."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line = ""
        self.quotes = 0
        self.preformatted = 0
        self.unseen = 0
        self.link = ""
        self.words = ""

    def begin(self, tag: str, attributes: str) -> None:
        """Begin a line, a quotation or a link."""
        if tag in BLOCKS:
            self._end_line(forced=tag == "br")
        if tag == "blockquote":
            self.quotes += 1
        elif tag == "pre":
            self.preformatted += 1
        elif tag == "li":
            self.line = "- "
        elif tag == "a":
            found = HREF.search(attributes)
            link = unescape(found[1] or found[2] or found[3] or "") if found else ""
            self.link, self.words = link if link.startswith(LINKS) else "", ""
        elif tag in UNSEEN:
            self.unseen += 1

    def end(self, tag: str, attributes: str = "") -> None:
        """End them."""
        if tag == "a" and self.link:
            if self.link.removeprefix("mailto:").rstrip("/") not in self.words:
                self.line += f" ({self.link})"
            self.link = ""
        if tag in UNSEEN:
            self.unseen = max(self.unseen - 1, 0)
        if tag in BLOCKS and tag != "br":
            self._end_line(forced=tag in {"p", "h1", "h2", "h3", "h4"})
        if tag == "blockquote":
            self.quotes = max(self.quotes - 1, 0)
        elif tag == "pre":
            self.preformatted = max(self.preformatted - 1, 0)
        elif tag in {"td", "th"}:
            self.line += " "

    def say(self, data: str) -> None:
        """Write words; line ends of the source are spaces, but in preformatted text."""
        if self.unseen:
            return
        self.words += data
        if self.preformatted:
            *lines, last = data.split("\n")
            for line in lines:
                self.line += line
                self._end_line(forced=True)
            self.line += last
        else:
            said = SPACES.sub(" ", data.replace("\n", " "))
            self.line += said.lstrip() if not self.line or self.line.endswith(" ") else said

    def _end_line(self, *, forced: bool) -> None:
        line = self.line.rstrip()
        if line or (forced and self.lines and self.lines[-1].strip("> ")):
            self.lines.append(f"{'> ' * min(self.quotes, 5)}{line}".rstrip())
        self.line = ""

    def text(self) -> str:
        """Give what was written."""
        self._end_line(forced=False)
        return "\n".join(self.lines).strip()


def fold(text: str) -> tuple[str, str]:
    """Split a mail into what is new in it and what is folded: the signature and the quoted past.

    The library says where a reply ends; the cut is made in the mail's own lines, so that indentation stays as it was
    sent. When nothing would be left (an answer below a quotation), nothing is folded.
    """
    lines = text.strip().split("\n")
    sample = [line.strip()[:LONGEST_LINE].rstrip() for line in lines[:MOST_LINES]]
    cut = _end_of_reply(sample)
    new = "\n".join(lines[:cut]).strip()
    if not new:
        return text.strip(), ""
    return new, "\n".join(lines[cut:]).strip("\n")


def _end_of_reply(sample: list[str]) -> int:
    """Find the line after the last one that is new; a very large number when everything is."""
    everything = 1 << 62
    try:
        replies = EmailReplyParser(languages=list(LANGUAGES)).read("\n".join(sample)).replies
    except (RecursionError, ValueError, TypeError, IndexError):
        return everything  # a mail that the folder stumbles over is shown whole
    if not replies or replies[0].headers:
        return everything
    at = last = 0
    for wanted in replies[0].body.split("\n"):
        if not wanted.strip():
            continue
        while at < len(sample) and sample[at] != wanted.strip():
            at += 1
        if at == len(sample):
            return everything
        at += 1
        last = at
    return everything if last == len(sample) else last
