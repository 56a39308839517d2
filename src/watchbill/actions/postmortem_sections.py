"""Write the sections of a post-mortem: several at once lose nothing.

Everybody saves against the version that they began from. Changes in different lines are put together; words that meet
another's in the same place are kept beside the section, set aside, until somebody settles them: whoever wrote them hears
so, wherever they saved from. Every saved text stays as a revision.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from watchbill.actions import delivery
from watchbill.actions.delivery import Words
from watchbill.actions.log import Actor, record
from watchbill.actions.postmortem_begin import subject_of, title_for_mail
from watchbill.actions.postmortems import lock_for
from watchbill.core.section_merge import merge
from watchbill.db.models import Person, PostMortemSection, SectionRevision
from watchbill.kit.errors import Refused

LONGEST_TEXT = 100_000


@dataclass(frozen=True)
class Saved:
    """What became of what somebody saved: the section, whether others' changes were in between, what was set aside."""

    section: PostMortemSection
    was_merged: bool = False
    set_aside: SectionRevision | None = None


def save(section_id: int, text: str, base_version: int, person: Person, now: datetime) -> Saved:
    """Save what somebody made of version `base_version` of a section. Raises Refused naming the field, NotAllowed."""
    if len(text) > LONGEST_TEXT:
        raise Refused(f"at most {LONGEST_TEXT} characters", "text")
    mine = text.replace("\r\n", "\n").replace("\r", "\n").rstrip()
    with transaction.atomic():
        section = _lock(section_id, person)
        base = section.revisions.filter(version=base_version, set_aside=False).order_by("id").first()
        if base is None:
            raise Refused("this version of the section is not known: copy your words and open it again", "text")
        merged = mine if base_version == section.version else merge(base.text, section.text, mine)
        if merged is None:
            return Saved(section, set_aside=_set_aside(section, mine, person, now))
        if merged != section.text:
            write(section, merged, person, now)
    return Saved(section, was_merged=merged != mine)


def write(section: PostMortemSection, text: str, person: Person, now: datetime) -> None:
    """Give a section whose post-mortem is locked its next version."""
    section.text, section.version = text, section.version + 1
    section.changed_at, section.changed_by = now, person
    section.save(update_fields=["text", "version", "changed_at", "changed_by"])
    SectionRevision.objects.create(section=section, version=section.version, text=text, at=now, by=person)
    postmortem = section.postmortem
    postmortem.changed_at = now
    postmortem.save(update_fields=["changed_at"])
    data = {"section": section.pk, "version": section.version}
    said = f"{person} wrote in “{section.heading}”"
    record(subject_of(postmortem), "postmortem.written", said, now, Actor.of(person), data)


def _set_aside(section: PostMortemSection, text: str, person: Person, now: datetime) -> SectionRevision:
    kept = SectionRevision.objects.create(
        section=section, version=section.version, text=text, at=now, by=person, set_aside=True
    )
    said = (
        f"{person} and {section.changed_by or 'another'} wrote in the same place of “{section.heading}”: both are kept"
    )
    data = {"section": section.pk, "revision": kept.pk}
    line = record(subject_of(section.postmortem), "postmortem.set_aside", said, now, Actor.of(person), data)
    words = _words_for_author(section, kept)
    # It is theirs alone to know: when nothing reaches them nobody else is told, the page shows it to all.
    delivery.reach(person.pk, subject_of(section.postmortem), words, line, "your words are set aside", now)
    return kept


def _words_for_author(section: PostMortemSection, kept: SectionRevision) -> Words:
    postmortem, other = section.postmortem, section.changed_by
    who = "You" if other == kept.by else str(other or "Somebody")
    return Words(
        subject=title_for_mail(postmortem, f"Your words are set aside: {postmortem.title}"),
        text=(
            f"{who} had changed the same place of “{section.heading or 'the beginning'}” before you saved. Nothing is lost: "
            "what you wrote stands beside the section until somebody makes one text of both."
        ),
        purpose="notice",
        path=f"/postmortems/{postmortem.pk}/#aside-{kept.pk}",
        action="See both",
    )


def settle(revision_id: int, text: str, base_version: int, person: Person, now: datetime) -> Saved:
    """Settle words that were set aside: the section becomes `text`, made with both before one's eyes. Raises Refused.

    When the section changed meanwhile nothing is settled yet, and `text` is treated as any other save.
    """
    with transaction.atomic():
        found = SectionRevision.objects.filter(pk=revision_id, set_aside=True).select_related("section").first()
        if found is None:
            raise Refused("nothing was set aside here", "revision")
        _lock(found.section_id, person)
        saved = save(found.section_id, text, base_version, person, now)
        fresh = SectionRevision.objects.select_for_update(of=("self",)).get(pk=found.pk)
        if saved.set_aside is None and fresh.settled_at is None:
            fresh.settled_at = now
            fresh.save(update_fields=["settled_at"])
            said = f"{person} settled what was set aside in “{found.section.heading}”"
            record(subject_of(saved.section.postmortem), "postmortem.settled", said, now, Actor.of(person))
    return saved


def _lock(section_id: int, person: Person) -> PostMortemSection:
    number = PostMortemSection.objects.filter(pk=section_id).values_list("postmortem", flat=True).first()
    if number is None:
        raise Refused("there is no such section", "section")
    postmortem = lock_for(number, person, "write in a post-mortem")
    section = PostMortemSection.objects.select_related("changed_by").get(pk=section_id)
    section.postmortem = postmortem
    return section
