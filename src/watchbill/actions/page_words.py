"""What a page says to the people it asks."""

from __future__ import annotations

from watchbill.actions.delivery import Words
from watchbill.db.models import Page


def words_of(page: Page) -> Words:
    """Write what a page says to the person it asks."""
    where = page.service.name if page.service else page.team.name
    severity = f"{page.severity}: " if page.severity else ""
    lines = [page.title, "", f"{where}, since {page.opened_at:%a %d %b %H:%M} UTC", page.details]
    return Words(
        subject=f"{severity}{page.title}"[:180] + f" · {where}",
        text="\n".join(line for line in lines if line is not None).strip(),
        purpose="page",
        urgency=page.urgency,
        path=f"/alerts/{page.group_id}" if page.group_id else f"/pages/{page.pk}",
        action="Answer this page",
    )
