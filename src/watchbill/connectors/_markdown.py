"""What trackers that write Markdown share: our mark hidden in a text, a comment written once, a list that is a list."""

from __future__ import annotations

from typing import Any

from watchbill.connectors._calling import Api
from watchbill.connectors._shapes import Comment, Draft
from watchbill.connectors._words import with_link, write_comment
from watchbill.core.foreign import read_fields, read_key, read_line, read_text
from watchbill.egress import Response
from watchbill.kit.errors import DeliveryFailed

LONGEST = 200_000


def hide_mark(text: str, mark: str) -> str:
    """Put a mark where no reader sees it."""
    return f"{text}\n\n<!-- {mark} -->"


def write_body(draft: Draft) -> str:
    """Write the text of a new issue."""
    return hide_mark(with_link(draft), draft.mark)


def carries(value: object, name: str, mark: str) -> bool:
    """Tell whether the text called `name` of a thing of theirs carries a mark."""
    return mark in read_text(read_fields(value).get(name), LONGEST)


def comment_once(api: Api, where: str, comment: Comment, **query: Any) -> str:
    """Write a comment unless one with its mark is in the list at the same place; gives its reference."""
    known = api.get(where, **query)
    for one in known if isinstance(known, list) else ():
        if carries(one, "body", comment.mark):
            return read_key(read_fields(one).get("id"))
    made = api.call("POST", where, {"body": hide_mark(write_comment(comment), comment.mark)})
    return read_key(read_fields(made).get("id"))


def rows_of(answer: Response) -> list[Any]:
    """Give the list that an answer is; raises DeliveryFailed."""
    found = answer.read_json()
    if not isinstance(found, list):
        raise DeliveryFailed(f"It did not answer with a list of issues: {answer.text[:200]}")
    return found


def label_names(labels: object, name: str) -> tuple[str, ...]:
    """Give labels, each a word or an object with its word in `name`."""
    rows = labels if isinstance(labels, list) else []
    words = [read_line(one.get(name) if isinstance(one, dict) else one, 40) for one in rows]
    return tuple(word for word in words if word)
