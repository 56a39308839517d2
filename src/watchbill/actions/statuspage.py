"""Status pages: made, changed and archived by the team's owners; which services stand on them, under which names.

A page is open to everybody, or only with the link that holds its key: the key's hash opens it, a sealed copy lets the
owners see the link again, a new key closes the old link.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.text import slugify

from watchbill.actions import status_changes
from watchbill.actions.access import may_change
from watchbill.actions.catalogue import hash_key
from watchbill.actions.checking import check_text
from watchbill.actions.log import Actor, Subject, record
from watchbill.db.models import Person, Service, StatusComponent, StatusPage, Team
from watchbill.kit.errors import Refused

LONGEST_INTRO = 4_000
LONGEST_SLUG = 50
MOST_COMPONENTS = 200


def subject_of(page: StatusPage) -> Subject:
    """Give the log's name for a page."""
    return Subject("status_page", page.pk, page.team_id)


def address_of(page: StatusPage) -> str:
    """Give the whole address of a page, with its key when it has one: whoever has it may read the page."""
    key = "" if page.is_public or not page.key else f"{page.key}/"
    return f"{settings.WATCHBILL_URL.rstrip('/')}/status/{page.slug}/{key}"


def create(team: Team, values: Mapping[str, Any], person: Person, now: datetime) -> StatusPage:
    """Make a page of a team: title, slug, intro, is_public. Raises Refused naming the field, NotAllowed."""
    may_change(person, team, f"make a status page of {team}")
    checked = _check(values, None)
    checked.setdefault("slug", _check_slug(slugify(checked["title"])[:LONGEST_SLUG], None))
    key = secrets.token_urlsafe(24)
    with transaction.atomic():
        page = StatusPage.objects.create(team=team, created_at=now, key=key, key_hash=hash_key(key), **checked)
        record(subject_of(page), "status_page.made", f"{person} made {page}", now, Actor.of(person))
        status_changes.page_changed(page.pk)
    return page


def change(page: StatusPage, values: Mapping[str, Any], person: Person, now: datetime) -> StatusPage:
    """Change title, slug, intro or is_public of a page. Raises Refused naming the field, NotAllowed."""
    may_change(person, page.team, f"change {page}")
    checked = _check({"title": page.title, **values}, page)
    with transaction.atomic():
        page = _lock(page)
        changed = [name for name, value in checked.items() if getattr(page, name) != value]
        if not changed:
            return page
        for name in changed:
            setattr(page, name, checked[name])
        page.save(update_fields=changed)
        what = ", ".join(name.replace("_", " ") for name in changed)
        record(subject_of(page), "status_page.changed", f"{person} changed {what}", now, Actor.of(person))
        status_changes.page_changed(page.pk)
    return page


def archive(page: StatusPage, person: Person, now: datetime, *, is_archived: bool = True) -> StatusPage:
    """Take a page away from its address, or put it back. Raises NotAllowed."""
    may_change(person, page.team, f"archive {page}")
    with transaction.atomic():
        page = _lock(page)
        page.archived_at = now if is_archived else None
        page.save(update_fields=["archived_at"])
        kind, said = ("archived", "archived") if is_archived else ("restored", "put back")
        record(subject_of(page), f"status_page.{kind}", f"{person} {said} {page}", now, Actor.of(person))
        status_changes.page_changed(page.pk)
    return page


def renew_key(page: StatusPage, person: Person, now: datetime) -> StatusPage:
    """Give a page a new link; the old one opens nothing any more. Raises NotAllowed."""
    may_change(person, page.team, f"renew the link of {page}")
    with transaction.atomic():
        page = _lock(page)
        page.key = secrets.token_urlsafe(24)
        page.key_hash = hash_key(page.key)
        page.save(update_fields=["key", "key_hash"])
        record(subject_of(page), "status_page.link_renewed", f"{person} renewed its link", now, Actor.of(person))
        status_changes.page_changed(page.pk)
    return page


def link_of(page: StatusPage, person: Person) -> str:
    """Give the whole address of a page to whoever may change it. Raises NotAllowed."""
    may_change(person, page.team, f"see the link of {page}")
    return address_of(page)


def add_component(
    page: StatusPage, service: Service, values: Mapping[str, Any], person: Person, now: datetime
) -> StatusComponent:
    """Put a service on a page under the name that the public knows: name, group, description. Raises Refused, NotAllowed."""
    may_change(person, page.team, f"change {page}")
    if service.team_id != page.team_id or service.archived_at is not None:
        raise Refused("choose a service of the team", "service")
    checked = _check_component({"name": service.name, **values})
    with transaction.atomic():
        page = _lock(page)
        standing = StatusComponent.objects.filter(page=page, removed_at=None)
        if standing.filter(service=service).exists():
            raise Refused(f"{service} stands on the page already", "service")
        if standing.count() >= MOST_COMPONENTS:
            raise Refused(f"a page has at most {MOST_COMPONENTS} components", "service")
        last = standing.order_by("-position").values_list("position", flat=True).first()
        component = StatusComponent.objects.create(
            page=page, service=service, since=now, position=0 if last is None else last + 1, **checked
        )
        said = f"{person} put {service} on the page as {component}"
        record(subject_of(page), "status_page.component_added", said, now, Actor.of(person))
        status_changes.page_changed(page.pk)
    return component


def change_component(
    component: StatusComponent, values: Mapping[str, Any], person: Person, now: datetime
) -> StatusComponent:
    """Change what the public calls a component: name, group, description. Raises Refused naming the field, NotAllowed."""
    may_change(person, component.page.team, f"change {component.page}")
    named = {"name": component.name, "group": component.group, "description": component.description}
    checked = _check_component({**named, **values})
    with transaction.atomic():
        page = _lock(component.page)
        for name, value in checked.items():
            setattr(component, name, value)
        component.save(update_fields=list(checked))
        record(subject_of(page), "status_page.component", f"{person} changed {component}", now, Actor.of(person))
        status_changes.page_changed(page.pk)
    return component


def remove_component(component: StatusComponent, person: Person, now: datetime) -> None:
    """Take a component off its page. Raises NotAllowed."""
    may_change(person, component.page.team, f"change {component.page}")
    with transaction.atomic():
        page = _lock(component.page)
        StatusComponent.objects.filter(pk=component.pk, removed_at=None).update(removed_at=now)
        said = f"{person} took {component} off the page"
        record(subject_of(page), "status_page.component_removed", said, now, Actor.of(person))
        status_changes.page_changed(page.pk)


def order_components(page: StatusPage, order: Sequence[int], person: Person, now: datetime) -> None:
    """Put the components of a page in an order, by their ids; those not named follow. Raises Refused, NotAllowed."""
    may_change(person, page.team, f"change {page}")
    with transaction.atomic():
        page = _lock(page)
        rows = {one.pk: one for one in StatusComponent.objects.filter(page=page, removed_at=None).order_by("position")}
        if not set(order) <= set(rows) or len(set(order)) != len(order):
            raise Refused("name each component of the page once", "order")
        whole = [*order, *(number for number in rows if number not in set(order))]
        for position, number in enumerate(whole):
            rows[number].position = position
        StatusComponent.objects.bulk_update(rows.values(), ["position"])
        record(subject_of(page), "status_page.ordered", f"{person} changed the order", now, Actor.of(person))
        status_changes.page_changed(page.pk)


def _lock(page: StatusPage) -> StatusPage:
    return StatusPage.objects.select_related("team").select_for_update(of=("self",)).get(pk=page.pk)


def _check(values: Mapping[str, Any], page: StatusPage | None) -> dict[str, Any]:
    given = dict(values)
    checked: dict[str, Any] = {"title": check_text(given, "title", 80, "give it a title")}
    if given.get("slug"):
        checked["slug"] = _check_slug(str(given["slug"]).strip().lower(), page)
    if "intro" in given:
        checked["intro"] = str(given["intro"] or "").strip()
        if len(checked["intro"]) > LONGEST_INTRO:
            raise Refused(f"at most {LONGEST_INTRO} characters", "intro")
    if "is_public" in given:
        checked["is_public"] = bool(given["is_public"])
    return checked


def _check_slug(slug: str, page: StatusPage | None) -> str:
    if not slug or slug != slugify(slug) or len(slug) > LONGEST_SLUG:
        raise Refused("an address has small letters, digits and dashes, at most 50", "slug")
    others = StatusPage.objects.filter(slug=slug)
    if (others.exclude(pk=page.pk) if page else others).exists():
        raise Refused("another page has this address", "slug")
    return slug


def _check_component(values: Mapping[str, Any]) -> dict[str, str]:
    given = dict(values)
    return {
        "name": check_text(given, "name", 80, "give it the name that the public knows"),
        "group": check_text(given, "group", 80),
        "description": check_text(given, "description", 200),
    }
