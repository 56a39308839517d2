"""Publish post-mortems: a public page without names, a file in a repository, a page in a wiki, the outcome in the chat.

What leaves is written as the document stands when it leaves, through exports: at least once, visible, tried again. The
public page shows what was published, until somebody publishes again: what is written meanwhile stays inside. A private
incident is published nowhere, an exercise only in the team's own chat (C16, PM-06, PM-10, PM-11).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings as django_settings
from django.core import signing
from django.db import transaction
from markdown_it import MarkdownIt
from pydantic import TypeAdapter

from watchbill import connectors
from watchbill.actions import connector_out, exports
from watchbill.actions.access import require
from watchbill.actions.connector_out import Line
from watchbill.actions.desk import desk_of
from watchbill.actions.log import Actor, record
from watchbill.actions.postmortem_begin import subject_of, title_for_mail
from watchbill.actions.postmortem_files import day_words, public_report, slug_of
from watchbill.actions.postmortem_rules import rule_of
from watchbill.actions.postmortems import demand_approval, lock_for, move_locked
from watchbill.connectors import Document
from watchbill.core.postmortems import PUBLISHED
from watchbill.core.reports.report import ACTIONS, Report
from watchbill.core.reports.write import write_markdown, write_myst
from watchbill.db.models import Connection, Export, Person, PostMortem, Publication, PublicVersion
from watchbill.kit.errors import DeliveryFailed, Refused

SALT = "watchbill.postmortem"
TARGETS = ("page", "git", "confluence", "chat")
_XHTML = MarkdownIt("js-default", {"html": False, "xhtmlOut": True, "linkify": False}).disable("image")
_REPORT = TypeAdapter(Report)
REPOSITORIES = ("github", "gitlab")


@dataclass(frozen=True)
class Standing:
    """How far a publication is, and what the other side said: waiting, sent, failed, dropped; `url` leads there."""

    publication: Publication
    state: str
    answer: str


def publish(
    postmortem_id: int,
    person: Person,
    now: datetime,
    *,
    targets: Sequence[str] = (),
    connection: Connection | None = None,
) -> PostMortem:
    """Publish a post-mortem where the team's rule says, or to `targets`; again: as it stands now. Raises Refused, NotAllowed.

    `connection` names the repository or the wiki when the team has several.
    """
    with transaction.atomic():
        postmortem = lock_for(postmortem_id, person, "publish a post-mortem")
        require(person, postmortem.team, "member", "publish a post-mortem")
        rule = rule_of(desk_of(postmortem.team, now))
        chosen = list(targets or rule.publish_to)
        _check(postmortem, chosen)
        if postmortem.state != PUBLISHED:
            move_locked(postmortem, PUBLISHED, person, now)
        elif "page" in chosen and is_changed(postmortem):
            demand_approval(postmortem, rule, person)
        for target in chosen:
            _put(postmortem, target, person, now, connection)
    return postmortem


def _check(postmortem: PostMortem, targets: Sequence[str]) -> None:
    if not set(targets) <= set(TARGETS):
        raise Refused(f"it is published as {', '.join(TARGETS)}", "targets")
    if postmortem.incident.is_private:
        raise Refused("the incident is private: its post-mortem stays with those who may see it", "targets")
    if postmortem.incident.is_exercise and set(targets) - {"chat"}:
        raise Refused("it was an exercise: nothing of it reaches the public; the chat may hear of it", "targets")


def _put(postmortem: PostMortem, target: str, person: Person, now: datetime, connection: Connection | None) -> None:
    if target == "page":
        _keep_version(postmortem, person, now)
        postmortem.is_public = True
        postmortem.save(update_fields=["is_public"])
        row = _row(postmortem, target, None, person, now)
        row.state, row.url, row.done_at = "done", public_url(postmortem), now
        row.save(update_fields=["state", "url", "done_at"])
        _say(postmortem, "the public page", person, now)
        return
    found = _connections(postmortem, target, connection)
    if not found:
        row = _row(postmortem, target, None, person, now)
        row.state, row.answer = "failed", f"{postmortem.team} has no connection for it: an owner connects one"
        row.save(update_fields=["state", "answer"])
    for one in found:
        row = _row(postmortem, target, one, person, now)
        what = "postmortem.outcome" if target == "chat" else "postmortem.document"
        exports.put(
            subject_of(postmortem), what, f"publication-{row.pk}-{now.isoformat()}", f"{person} publishes it", now,
            connection=one, payload={"publication": row.pk},
        )  # fmt: skip
        _say(postmortem, one.name, person, now)


def _keep_version(postmortem: PostMortem, person: Person, now: datetime) -> None:
    if version_of(postmortem) is None or is_changed(postmortem):
        PublicVersion.objects.create(
            postmortem=postmortem,
            report=_REPORT.dump_python(public_report(postmortem), mode="json"),
            is_reviewed=postmortem.reviewed_at is not None,
            at=now,
            by=person,
        )


def version_of(postmortem: PostMortem) -> PublicVersion | None:
    """Read what the public read last of a post-mortem; None: it never had a public page."""
    return postmortem.versions.order_by("-id").first()


def read_version(version: PublicVersion) -> Report:
    """Give the report that was published."""
    return _REPORT.validate_python(version.report, strict=False)


def is_changed(postmortem: PostMortem) -> bool:
    """Tell whether a post-mortem reads otherwise now, without names, than what was published last."""
    version = version_of(postmortem)
    if version is None:
        return False
    is_reviewed = postmortem.reviewed_at is not None
    return is_reviewed != version.is_reviewed or read_version(version) != public_report(postmortem)


def _say(postmortem: PostMortem, where: str, person: Person, now: datetime) -> None:
    said = f"{person} publishes it: {where}"
    record(subject_of(postmortem), "postmortem.published", said, now, Actor.of(person))


def _row(
    postmortem: PostMortem, target: str, connection: Connection | None, person: Person, now: datetime
) -> Publication:
    row, _ = Publication.objects.update_or_create(
        postmortem=postmortem,
        target=target,
        connection=connection,
        defaults={"state": "waiting", "answer": "", "asked_at": now, "asked_by": person, "done_at": None},
    )
    return row


def _connections(postmortem: PostMortem, target: str, chosen: Connection | None) -> list[Connection]:
    rows = Connection.objects.filter(team=postmortem.team_id, removed_at=None).order_by("id")
    if target == "chat":
        chats = connectors.connectors_of("chat")
        return [one for one in rows.filter(connector__in=chats) if _room_of(one)]
    names = REPOSITORIES if target == "git" else ("confluence",)
    found = [one for one in rows.filter(connector__in=names) if connectors.keeps_documents(one.connector)]
    if chosen is not None and chosen in found:
        return [chosen]
    return found[:1]


def places_for(postmortem: PostMortem) -> list[Connection]:
    """Read the repositories and wikis of a team, to choose from."""
    rows = Connection.objects.filter(team=postmortem.team_id, removed_at=None).order_by("id")
    return [one for one in rows if connectors.keeps_documents(one.connector)]


def _room_of(connection: Connection) -> str:
    try:
        return str(connectors.read_settings(connection.connector, connection.settings).alerts_room)
    except DeliveryFailed:
        return ""


def retract(postmortem_id: int, why: str, person: Person, now: datetime) -> PostMortem:
    """Take the public page away; what stands in a repository or a wiki is taken away there. Raises Refused, NotAllowed."""
    with transaction.atomic():
        postmortem = lock_for(postmortem_id, person, "take a public page away")
        require(person, postmortem.team, "member", "take a public page away")
        if not why.strip():
            raise Refused("say why", "why")
        postmortem.is_public = False
        postmortem.save(update_fields=["is_public"])
        postmortem.publications.filter(target="page").delete()
        said = f"{person} took the public page away: {why.strip()}"
        record(subject_of(postmortem), "postmortem.retracted", said, now, Actor.of(person))
    return postmortem


def retry(publication_id: int, person: Person, now: datetime) -> None:
    """Try a publication again that failed. Raises Refused, NotAllowed."""
    row = Publication.objects.filter(pk=publication_id).select_related("connection").first()
    if row is None:
        raise Refused("there is no such publication", "publication")
    publish(row.postmortem_id, person, now, targets=[row.target], connection=row.connection)


def standings(postmortem: PostMortem) -> list[Standing]:
    """Read where it was published, and how far each is."""
    found = []
    for row in postmortem.publications.select_related("connection").order_by("id"):
        export = _export_of(row)
        state = row.state if row.state in {"done", "failed"} else export.state if export else "waiting"
        found.append(
            Standing(row, "done" if state == "sent" else state, row.answer or (export.answer if export else ""))
        )
    return found


def _export_of(row: Publication) -> Export | None:
    rows = Export.objects.filter(subject_kind="postmortem", subject_id=row.postmortem_id, payload__publication=row.pk)
    return rows.order_by("-id").first()


def public_token(postmortem: PostMortem) -> str:
    """Give the word that opens the public page."""
    return signing.Signer(salt=SALT).sign(str(postmortem.pk)).replace(":", ".")


def public_url(postmortem: PostMortem) -> str:
    """Give the address of the public page."""
    return f"{django_settings.WATCHBILL_URL.rstrip('/')}/postmortems/public/{public_token(postmortem)}/"


def find_public(token: str) -> PublicVersion | None:
    """Find what a public page shows; None: there is none, it was taken away, or its incident became private."""
    try:
        number = signing.Signer(salt=SALT).unsign(token.replace(".", ":", 1))
    except signing.BadSignature:
        return None
    rows = PublicVersion.objects.filter(
        postmortem=int(number),
        postmortem__is_public=True,
        postmortem__incident__is_private=False,
        postmortem__incident__is_exercise=False,
    )
    return rows.select_related("postmortem__team").order_by("-id").first()


def _fresh(export: Export) -> tuple[PostMortem, Publication] | None:
    rows = Publication.objects.select_related("postmortem__team", "postmortem__incident", "postmortem__owner")
    row = rows.filter(pk=export.payload.get("publication")).first()
    if row is None or row.postmortem.state != PUBLISHED or row.postmortem.incident.is_private:
        return None
    return row.postmortem, row


def _document(export: Export, line: Line, now: datetime) -> str:
    """Write the newest text where it stands; an older export finds nothing left to change."""
    found = _fresh(export)
    if found is None:
        return "it is not published any more"
    postmortem, row = found
    rule = rule_of(desk_of(postmortem.team, now))
    report = public_report(postmortem)
    text = write_myst(report) if rule.style == "myst" else write_markdown(report)
    date, slug = day_words(postmortem), slug_of(report.title) or str(postmortem.pk)
    document = Document(
        path=rule.path.format(date=date, slug=slug, id=postmortem.pk),
        title=f"{date} {report.title}"[:200],
        text=text,
        html=_html_of(report),
        note=f"{rule.name}: {report.title}"[:120],
        stands_at=row.url,
    )
    url: str = line.module.put_document(line.settings, line.http, document)
    _done(row, url, now)
    return url[:255]


def _html_of(report: Report) -> str:
    """Write a report as XHTML: no raw HTML of anybody, and no pictures, which a wiki would load from elsewhere."""
    body = write_markdown(report).split("\n---\n", 1)[-1]
    return str(_XHTML.render(body)).strip()


def _outcome(export: Export, line: Line, now: datetime) -> str:
    """Say in the team's channel what came out of it (PM-11)."""
    found = _fresh(export)
    if found is None:
        return "it is not published any more"
    postmortem, row = found
    posted = line.module.post(
        line.settings, line.http, line.settings.alerts_room, outcome_words(postmortem, now), f"publication-{export.pk}"
    )
    _done(row, posted.url, now)
    return str(posted.ref)[:255]


def _done(row: Publication, url: str, now: datetime) -> None:
    Publication.objects.filter(pk=row.pk).update(state="done", url=url[:500], done_at=now, answer="")


def outcome_words(postmortem: PostMortem, now: datetime) -> str:
    """Write the outcome in a few lines: what it was, what changes, where it is talked about."""
    rule, report = rule_of(desk_of(postmortem.team, now)), public_report(postmortem)
    first = report.section("summary") or report.section("went_wrong")
    lines = [title_for_mail(postmortem, f"{rule.name}: {report.title}")]
    if first and first.text.strip():
        lines.append(first.text.strip()[:600])
    if report.actions:
        lines.append("\n".join(["What we change:", *(f"- {one.text.splitlines()[0]}" for one in report.actions[:10])]))
    if rule.also_in:
        lines.append(f"It is talked about in {rule.also_in}.")
    lines.append(f"{django_settings.WATCHBILL_URL.rstrip('/')}/postmortems/{postmortem.pk}/")
    return "\n\n".join(lines)


def without_actions(report: Report) -> list[tuple[str, str]]:
    """Give the written sections of a report for a page: heading and text."""
    return [(one.heading, one.text) for one in report.sections if one.text.strip() and one.key != ACTIONS]


connector_out.WAYS.update({"postmortem.document": _document, "postmortem.outcome": _outcome})
