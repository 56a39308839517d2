"""What a status page said, as Atom (RFC 4287) and RSS 2.0: one entry for each thing that was said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from xml.etree import ElementTree as Xml

from watchbill.core.statuspage import NOTICE_SAID, STATE_WORDS, View

MOST = 50
ATOM, RSS = "application/atom+xml; charset=utf-8", "application/rss+xml; charset=utf-8"
_NAMES = "http://www.w3.org/2005/Atom"


@dataclass(frozen=True)
class Entry:
    """One thing that was said; `id` never changes."""

    id: str
    url: str
    title: str
    text: str
    at: datetime


def entries(view: View, url: str) -> list[Entry]:
    """Gather what was said, newest first."""
    found = []
    for one in view.incidents:
        link = f"{url}incidents/{one.id}/"
        found.append(Entry(f"{link}#begun", link, one.title, "", one.published_at))
        found += [
            Entry(
                f"{link}#{said.id}", link, f"{STATE_WORDS.get(said.state, said.state)}: {one.title}", said.text, said.at
            )
            for said in one.updates
        ]
        if one.ended_at and "resolved" not in {said.state for said in one.updates}:
            found.append(Entry(f"{link}#over", link, f"{STATE_WORDS['resolved']}: {one.title}", "", one.ended_at))
    for notice in view.notices:
        link = f"{url}#planned-{notice.id}"
        found += [
            Entry(
                f"{link}-{said.id}",
                link,
                f"{NOTICE_SAID.get(said.state, said.state)}: {notice.title}",
                said.text or notice.text,
                said.at,
            )
            for said in notice.updates
        ]
    return sorted(found, key=lambda one: (one.at, one.id))[::-1][:MOST]


def atom(view: View, url: str) -> bytes:
    """Write the page as an Atom feed."""
    Xml.register_namespace("", _NAMES)
    told = entries(view, url)
    root = Xml.Element(f"{{{_NAMES}}}feed")
    newest = max((one.at for one in told), default=datetime(2000, 1, 1, tzinfo=UTC))
    _texts(root, {"id": url, "title": view.title, "updated": newest.isoformat()}, f"{{{_NAMES}}}")
    Xml.SubElement(root, f"{{{_NAMES}}}link", rel="self", href=f"{url}feed.atom")
    Xml.SubElement(root, f"{{{_NAMES}}}link", rel="alternate", href=url)
    author = Xml.SubElement(root, f"{{{_NAMES}}}author")
    _texts(author, {"name": view.title}, f"{{{_NAMES}}}")
    for one in told:
        node = Xml.SubElement(root, f"{{{_NAMES}}}entry")
        texts = {"id": one.id, "title": one.title, "updated": one.at.isoformat(), "content": one.text}
        _texts(node, texts, f"{{{_NAMES}}}")
        Xml.SubElement(node, f"{{{_NAMES}}}link", href=one.url)
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True))


def rss(view: View, url: str) -> bytes:
    """Write the page as an RSS feed."""
    root = Xml.Element("rss", version="2.0")
    channel = Xml.SubElement(root, "channel")
    _texts(channel, {"title": view.title, "link": url, "description": view.words})
    for one in entries(view, url):
        node = Xml.SubElement(channel, "item")
        when = format_datetime(one.at.astimezone(UTC), usegmt=True)
        _texts(node, {"title": one.title, "link": one.url, "description": one.text, "pubDate": when})
        Xml.SubElement(node, "guid", isPermaLink="false").text = one.id
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True))


def _texts(node: Xml.Element, texts: dict[str, str], names: str = "") -> None:
    for name, text in texts.items():
        # What XML cannot hold is left out.
        Xml.SubElement(node, f"{names}{name}").text = "".join(sign for sign in text if sign >= " " or sign in "\n\t")
