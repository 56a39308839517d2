"""Bring a signal inside its bounds: what a monitor made of a stranger's payload is fit for every part of Watchbill."""

from __future__ import annotations

from dataclasses import replace

from watchbill.core.foreign import LONGEST_KEY, read_key, read_labels, read_line, read_links, read_text, read_word
from watchbill.core.signals import Signal
from watchbill.kit.errors import Unreadable


def tidy(signal: Signal) -> Signal:
    """Give the signal with every part inside its bounds; one that is inside already comes back equal.

    Raises Unreadable if nothing tells which alert it is: with an empty key all such alerts would be one.
    """
    fingerprint = read_key(signal.fingerprint)
    if not fingerprint:
        raise Unreadable(f"nothing tells which alert this is: {read_line(signal.title, 200)}", "fingerprint")
    return replace(
        signal,
        fingerprint=fingerprint,
        title=read_line(signal.title) or "Alert without a title",
        group=read_key(signal.group),
        severity=read_word(signal.severity),
        source=read_line(signal.source, LONGEST_KEY),
        description=read_text(signal.description),
        labels=read_labels(signal.labels),
        links=read_links(signal.links),
    )
