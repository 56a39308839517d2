"""Status pages through their actions: who may make one, what stands on it, what is published and what never is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.actions.desk_cast import adopt
from tests.actions.status_cast import declare, make_page, say
from tests.world import World
from watchbill.actions import incident_updates, incidents, status_incidents, status_publishing, statuspage
from watchbill.actions.incident_updates import Said
from watchbill.core.statuspage import View, public_view
from watchbill.db.models import Event, Export, Notice, NoticeUpdate, PublicIncident, ServiceCondition, StatusPage
from watchbill.db.status_facts import facts_of
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)


def view(world: World, page: StatusPage) -> View:
    return public_view(facts_of(page, world.now), world.now)


def test_an_owner_makes_a_page_with_a_link_that_can_be_renewed(world: World) -> None:
    """The key opens it by its hash; only owners see the link, and the old one ends."""
    page = make_page(world, is_public=False)
    link = statuspage.link_of(page, world.eva)
    assert link.endswith(f"/status/hub/{page.key}/")
    assert page.key not in page.key_hash
    with pytest.raises(NotAllowed):
        statuspage.link_of(page, world.ana)
    assert statuspage.link_of(statuspage.renew_key(page, world.eva, world.now), world.eva) != link


@pytest.mark.parametrize(
    ("values", "field"),
    [({"title": ""}, "title"), ({"title": "A", "slug": "Ä b"}, "slug"), ({"title": "A", "slug": "hub"}, "slug")],
)
def test_a_page_that_cannot_be_is_refused_by_its_field(world: World, values: dict[str, str], field: str) -> None:
    make_page(world)
    with pytest.raises(Refused) as refused:
        statuspage.create(world.team, values, world.eva, world.now)
    assert refused.value.field == field


def test_only_owners_change_a_page(world: World) -> None:
    page = make_page(world)
    for act in (
        lambda: statuspage.create(world.team, {"title": "B"}, world.ana, world.now),
        lambda: statuspage.change(page, {"title": "B"}, world.ana, world.now),
        lambda: statuspage.archive(page, world.ana, world.now),
        lambda: statuspage.renew_key(page, world.charlie, world.now),
        lambda: statuspage.remove_component(page.components.first(), world.ana, world.now),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_components_stand_in_their_order_and_groups(world: World) -> None:
    page = make_page(world)
    first, second = page.components.order_by("position")
    statuspage.order_components(page, [second.pk], world.eva, world.now)
    assert [one.name for one in view(world, page).components] == ["Mail", "Signing in"]
    with pytest.raises(Refused, match="already"):
        statuspage.add_component(page, first.service, {}, world.eva, world.now)
    statuspage.remove_component(second, world.eva, world.now)
    assert [name for name, _ in view(world, page).groups] == ["People"]


def test_nothing_of_an_incident_is_public_before_somebody_publishes_it(world: World) -> None:
    """Its condition, its title and what was said stay inside until then."""
    page = make_page(world)
    world.forward(minutes=10)
    incident = declare(world)
    update = say(world, incident, "We are on it")
    assert update.pk
    assert (view(world, page).words, view(world, page).incidents) == ("Everything works", ())
    row = status_incidents.publish(incident.pk, page, "Nobody can sign in", world.ben, world.now)
    shown = view(world, page)
    assert (shown.words, shown.components[0].condition) == ("Something is down", "major_outage")
    assert [(one.title, one.updates[0].text) for one in shown.incidents] == [("Nobody can sign in", "We are on it")]
    world.forward(minutes=5)
    incidents.resolve(incident.pk, world.ana, world.now)
    over = view(world, page)
    assert (over.words, over.incidents[0].state) == ("Everything works", "resolved")
    assert over.components[0].days[-1].minutes == (("major_outage", 5),)
    incidents.reopen(incident.pk, "it is back", world.ana, world.now)
    row.refresh_from_db()
    assert row.ended_at is None


def test_every_change_that_the_public_may_see_moves_the_version_of_its_page(world: World) -> None:
    page = make_page(world)
    incident = declare(world)
    status_incidents.publish(incident.pk, page, "Trouble", world.ana, world.now)
    seen = [StatusPage.objects.get(pk=page.pk).version]

    def moved() -> bool:
        seen.append(StatusPage.objects.get(pk=page.pk).version)
        return seen[-1] > seen[-2]

    say(world, incident, "Inside", audience="responders")
    assert not moved()
    say(world, incident, "Outside")
    assert moved()
    incidents.touch(incident.pk, page.components.get(name="Mail").service, "degraded", world.ana, world.now)
    assert moved()
    incidents.resolve(incident.pk, world.ana, world.now)
    assert moved()
    incidents.set_privacy(incident.pk, True, "names", world.ana, world.now)
    assert moved()


def test_a_private_incident_and_an_exercise_are_never_published(world: World) -> None:
    """A private incident leaves no trace, also when it became so after it was published."""
    page = make_page(world)
    secret = declare(world, is_private=True)
    drill = declare(world, "drill", is_exercise=True)
    for one in (secret, drill):
        with pytest.raises(Refused, match=r"private|exercise"):
            status_incidents.publish(one.pk, page, "Trouble", world.ana, world.now)
        say(world, one, "We are on it")
    with pytest.raises(Refused, match="no such"):
        status_incidents.publish(secret.pk, page, "Trouble", world.ben, world.now)
    with pytest.raises(NotAllowed):
        status_incidents.publish(declare(world).pk, page, "Trouble", world.charlie, world.now)
    later = declare(world)
    status_incidents.publish(later.pk, page, "Trouble", world.ana, world.now)
    incidents.set_privacy(later.pk, True, "names", world.ana, world.now)
    assert view(world, page).incidents == ()
    assert view(world, page).condition == "operational"


def test_what_is_withdrawn_is_gone_with_its_history_and_the_timeline_says_why(world: World) -> None:
    page = make_page(world)
    world.forward(minutes=10)
    incident = declare(world)
    row = status_incidents.publish(incident.pk, page, "Trouble", world.ana, world.now)
    world.forward(minutes=10)
    with pytest.raises(Refused, match="why"):
        status_incidents.withdraw(row.pk, " ", world.ana, world.now)
    status_incidents.withdraw(row.pk, "it was our own test", world.ana, world.now)
    shown = view(world, page)
    assert (shown.incidents, shown.components[0].uptime) == ((), 100)
    line = Event.objects.get(subject_kind="incident", subject_id=incident.pk, kind="incident.withdrawn")
    assert "it was our own test" in line.why
    status_incidents.publish(incident.pk, page, "Trouble after all", world.ana, world.now)
    assert view(world, page).incidents[0].title == "Trouble after all"


def test_by_the_teams_rule_the_first_public_update_publishes_under_public_names_alone(world: World) -> None:
    """The rule of who communicates differs (C12); the incident's own title never leaves by itself."""
    page = make_page(world)
    adopt(world, status_page={"publish": "with_first_update"})
    incident = declare(world, "acme's idp-prod-3 is on fire")
    say(world, incident, "not yet", audience="leadership")
    assert view(world, page).incidents == ()
    say(world, incident, "We are on it")
    assert [one.title for one in view(world, page).incidents] == ["Trouble with Signing in"]
    say(world, incident, "It works again", state="resolved")
    assert view(world, page).incidents[0].ended_at == world.now
    assert PublicIncident.objects.count() == 1


def test_it_can_be_over_in_public_before_the_paperwork_is(world: World) -> None:
    page = make_page(world)
    row = status_incidents.publish(declare(world).pk, page, "Trouble", world.ana, world.now)
    assert status_incidents.rename(row.pk, "Signing in fails", world.ana, world.now).title == "Signing in fails"
    status_incidents.end(row.pk, world.ana, world.now)
    assert view(world, page).open_incidents == []
    with pytest.raises(Refused, match="over"):
        status_incidents.end(row.pk, world.ana, world.now)


def test_planned_work_for_the_public_is_announced_and_counted_as_up(world: World) -> None:
    page = make_page(world)
    service = page.components.get(name="Mail").service
    world.forward(hours=1)
    values = {"team": world.team, "text": "Short breaks", "ends_at": world.now + timedelta(hours=2)}
    values |= {"starts_at": world.now - timedelta(hours=1), "created_at": world.now, "state": "in_progress"}
    for title, audiences in (("New disks", ["public"]), ("Rotate keys", ["responders"])):
        notice = Notice.objects.create(title=title, audiences=audiences, **values)
        notice.services.add(service)
        ServiceCondition.objects.create(
            service=service, condition="maintenance", notice=notice, starts_at=world.now - timedelta(minutes=30)
        )
        said = NoticeUpdate.objects.create(notice=notice, state="in_progress", text="Begun", at=world.now)
        status_publishing.on_notice_update(said, world.now)
    shown = view(world, page)
    assert [(one.title, one.updates[0].state) for one in shown.notices] == [("New disks", "in_progress")]
    mail = next(one for one in shown.components if one.name == "Mail")
    assert (mail.condition, mail.uptime, mail.days[-1].minutes) == ("maintenance", 100, (("maintenance", 30),))
    assert Export.objects.filter(what="status_tell").count() == 1


def test_what_people_write_for_the_public_is_on_the_page_in_its_parts_alone(world: World) -> None:
    """COM-07: the parts; a mail's words, the incident's own title and who wrote it stay inside."""
    page = make_page(world)
    incident = declare(world, "acme's idp-prod-3 is on fire")
    status_incidents.publish(incident.pk, page, "Nobody can sign in", world.ana, world.now)
    said = Said("public", {"why": "A disk is full", "doing": "We make room", "next": "We add a disk"})
    incident_updates.write_updates(incident.pk, [said], world.ana, world.now)
    update = view(world, page).incidents[0].updates[0]
    assert "A disk is full" in update.text
    assert not [word for word in ("acme", "idp", "Ana") if word in update.text]
    assert Export.objects.filter(what="status_tell", key__contains=f"-update-{update.id}").exists()
