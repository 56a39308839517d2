"""Jira Cloud's document format (ADF, version 1) to plain text and back.

Source: Atlassian's public description of the document format; only what a person types is written, everything that
a document may hold is read, so that no comment arrives empty.
"""

from __future__ import annotations

import re
from typing import Any

from watchbill.core.foreign import read_fields, read_text

DEEPEST = 30
URL = re.compile(r"https?://[^\s<>()]+[^\s<>().,;:]")


def write_document(text: str) -> dict[str, Any]:
    """Give a text as a document: paragraphs at empty lines, line breaks kept, addresses as links."""
    parts = [part for part in re.split(r"\n\s*\n", text.strip()) if part.strip()]
    content = [{"type": "paragraph", "content": _lines(part)} for part in parts]
    return {"type": "doc", "version": 1, "content": content}


def _lines(text: str) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = []
    for number, line in enumerate(text.split("\n")):
        if number:
            nodes.append({"type": "hardBreak"})
        nodes += _words(line)
    return nodes


def _words(line: str) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = []
    at = 0
    for found in URL.finditer(line):
        if found.start() > at:
            nodes.append({"type": "text", "text": line[at : found.start()]})
        link = {"type": "link", "attrs": {"href": found.group()}}
        nodes.append({"type": "text", "text": found.group(), "marks": [link]})
        at = found.end()
    if line[at:]:
        nodes.append({"type": "text", "text": line[at:]})
    return nodes


def read_document(value: object, limit: int = 100_000) -> str:
    """Give a document as text; a text (webhooks, Data Center) is itself, null is nothing."""
    if not isinstance(value, dict):
        return read_text(value, limit).strip()
    return read_text(re.sub(r"\n{3,}", "\n\n", _block(value, 0)), limit).strip()


def _block(node: dict[str, Any], depth: int) -> str:
    kind = str(node.get("type", ""))
    if depth > DEEPEST:
        return "…"
    inner = [part for part in node.get("content") or () if isinstance(part, dict)]
    match kind:
        case "text" | "hardBreak" | "mention" | "emoji" | "inlineCard" | "blockCard" | "date" | "status":
            return _leaf(kind, node)
        case "bulletList" | "orderedList" | "taskList":
            marks = [f"{number}. " if kind == "orderedList" else "- " for number in range(1, len(inner) + 1)]
            rows = [mark + _join(part, depth).strip() for mark, part in zip(marks, inner, strict=True)]
            return "\n".join(rows) + "\n\n"
        case "codeBlock":
            return f"```\n{_join(node, depth)}\n```\n\n"
        case "blockquote":
            return "\n".join(f"> {line}" for line in _join(node, depth).strip().split("\n")) + "\n\n"
        case "paragraph" | "heading" | "panel" | "expand" | "tableRow":
            return _join(node, depth) + "\n\n"
        case "tableCell" | "tableHeader":
            return _join(node, depth).strip() + " | "
        case "rule":
            return "---\n\n"
    return _join(node, depth)


def _join(node: dict[str, Any], depth: int) -> str:
    content = node.get("content")
    return "".join(_block(part, depth + 1) for part in content or () if isinstance(part, dict))


def _leaf(kind: str, node: dict[str, Any]) -> str:
    about = read_fields(node.get("attrs"))
    match kind:
        case "text":
            return read_text(node.get("text"))
        case "hardBreak":
            return "\n"
        case "inlineCard" | "blockCard":
            return read_text(about.get("url"))
    return read_text(about.get("text") or about.get("shortName") or about.get("timestamp"))
