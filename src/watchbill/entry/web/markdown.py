"""Text that people wrote, as safe HTML: Markdown where a team writes for readers, plain text where somebody talks to us."""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

# What a page of ours may hold of somebody's Markdown: no pictures, which would call another host when they are shown.
_TAGS = {
    "p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a",
    "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
_WRITER = MarkdownIt("js-default", {"html": False, "linkify": False, "typographer": False})
_SHORTER = {"h1": "h3", "h2": "h4"}
_LINK = re.compile(r"https?://[^\s<>\"'\u00a0]+", re.IGNORECASE)
_AFTER = ".,;:!?…’”»)]}"


@lru_cache(maxsize=1024)
def markdown(text: str) -> SafeString:
    """Give Markdown as HTML that holds nothing but text, lists, tables and links to the web and to mail.

    A page has its own headings of the first two levels: those of the text become smaller ones.
    """
    tokens = _WRITER.parse(text)
    for token in tokens:
        token.tag = _SHORTER.get(token.tag, token.tag)
    made: str = _WRITER.renderer.render(tokens, _WRITER.options, {})
    clean = nh3.clean(
        made,
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(clean)  # noqa: S308 - nh3 has just cleaned it


@lru_cache(maxsize=1024)
def plain(text: str) -> SafeString:
    """Give plain text as HTML in which addresses of the web are links, and nothing else is anything."""
    parts, end = [], 0
    for found in _LINK.finditer(text):
        url = _trim(found[0])
        parts.append(escape(text[end : found.start()]))
        parts.append(f'<a href="{escape(url)}" rel="noopener noreferrer nofollow">{escape(url)}</a>')
        end = found.start() + len(url)
    parts.append(escape(text[end:]))
    return mark_safe("".join(parts))  # noqa: S308 - every part is escaped


def _trim(url: str) -> str:
    """Leave out what ends the sentence and not the address; a bracket that the address opened stays."""
    end, unopened = len(url), url.count(")") - url.count("(")
    while end and url[end - 1] in _AFTER:
        if url[end - 1] == ")":
            if unopened <= 0:
                break
            unopened -= 1
        end -= 1
    return url[:end]
