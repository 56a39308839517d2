"""Updates through their actions: who hears what and when, promises that are kept or told, and who never hears."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.actions.desk_cast import RIA, adopt, adopt_preset, ask
from tests.world import World
from watchbill.actions import catalogue, communities, declaring, desk_settings, incident_updates, incidents
from watchbill.actions.declaring import Declared
from watchbill.actions.incident_updates import Said, write_update
from watchbill.actions.update_telling import public_updates_of
from watchbill.db.models import (
    CannedResponse,
    Event,
    Export,
    Incident,
    IncidentCommunity,
    IncidentLink,
    IncidentUpdate,
    Message,
    Outgoing,
    Requester,
    RoleAssignment,
    Timer,
    UpdatePromise,
)
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)
PARTS = {"why": "The certificate has run out", "doing": "We renew it", "next": "We watch sign-ins"}
IMPACT_OF = {
    "laa-ops": "outage",
    "hub-support": "blocked",
    "library-devops": "down",
    "oncall-remodel": "interruption",
    "operate-first": "outage",
}


def declare(world: World, **said: object) -> Incident:
    values = {"title": "Nobody can sign in", "impact": "Users see an error", "impact_kind": "outage", **said}
    return declaring.declare(world.team, Declared(**values), world.ana, world.now)


def in_role(world: World, incident: Incident, role: str, person: object) -> None:
    RoleAssignment.objects.filter(incident=incident, role=role).delete()
    RoleAssignment.objects.create(
        incident=incident, role=role, person=person, state="accepted", offered_at=world.now, since=world.now
    )


def touch_community(world: World, incident: Incident) -> Requester:
    community = communities.add_community(world.team, {"name": "Geology"}, world.eva, world.now)
    IncidentCommunity.objects.create(incident=incident, community=community)
    return Requester.objects.create(
        team=world.team, community=community, name="Rex", email="rex@example.net", is_representative=True,
        created_at=world.now,
    )  # fmt: skip


def messages_about(incident: Incident) -> list[Outgoing]:
    """The messages that carry updates and reminders, not those that ask for a role."""
    rows = Outgoing.objects.filter(subject_kind="incident", subject_id=incident.pk).order_by("id")
    return [row for row in rows.select_related("person") if row.message["path"].endswith("#updates")]


def told(incident: Incident) -> set[str]:
    return {str(row.person) for row in messages_about(incident)}


def kinds(incident: Incident, *wanted: str) -> list[str]:
    lines = Event.objects.filter(subject_kind="incident", subject_id=incident.pk, kind__in=wanted).order_by("id")
    return list(lines.values_list("kind", flat=True))


def test_declaring_posts_at_once_and_ticks_that_it_was_posted(world: World) -> None:
    """INC-04: a message says that there is an incident in progress; the watch hears, whoever declared knows it."""
    world.forward(days=7)
    incident = declare(world)
    first = IncidentUpdate.objects.get(incident=incident, audience="responders")
    assert first.text.startswith("Nobody can sign in\n\nUsers see an error")
    assert told(incident) == {"Ben"}, "Ben is on watch, Ana wrote it"
    assert incident.steps.get(key="posted").done_at == world.now


def test_leadership_sees_it_from_the_start_where_the_team_says_so(world: World) -> None:
    """INC-07, ROL-17, ROL-19: the service's contact and the manager, not the whole team."""
    adopt_preset(world, "library-devops")
    world.team.manager = world.olga
    world.team.save()
    service = catalogue.add_service(world.team, {"name": "Catalogue"}, world.eva, world.now)
    service.leadership_contact = world.charlie
    service.save()
    incident = declare(world, impact_kind="down", services=[service])
    assert {"Olga", "Charlie"} <= told(incident)
    assert incident.steps.get(key="leadership").done_at


@pytest.mark.parametrize(
    ("preset", "first", "then"),
    [
        ("laa-ops", {"users": 30, "leadership": 30}, {"users": 60, "leadership": 60}),
        ("hub-support", {"communities": 30, "leadership": 360}, {"communities": 180, "leadership": 360}),
        ("library-devops", {"users": 60, "leadership": 60}, {"users": 120, "leadership": 60}),
        ("oncall-remodel", {"public": 5, "manager": 20}, {"public": 20, "manager": 60}),
        ("operate-first", {"users": 15, "public": 15, "leadership": 120}, {"users": 30, "public": 30, "leadership": 120}),
    ],
)  # fmt: skip
def test_the_same_outage_is_promised_at_five_cadences(
    world: World, preset: str, first: dict[str, int], then: dict[str, int]
) -> None:
    """C10, COM-01, COM-02: the first update after declaring, and the one after that, by the team's own numbers."""
    adopt_preset(world, preset)
    incident = declare(world, impact_kind=IMPACT_OF[preset])

    def promised() -> dict[str, int]:
        rows = UpdatePromise.objects.filter(incident=incident, due_at__isnull=False)
        return {row.audience: (row.due_at - world.now) // timedelta(minutes=1) for row in rows}

    assert promised() == first
    said = [Said(audience, PARTS) for audience in first]
    incident_updates.write_updates(incident.pk, said, world.ana, world.now)
    assert promised() == then
    incident.refresh_from_db()
    assert incident.next_update_at == world.now + timedelta(minutes=min(then.values()))


def test_an_update_reaches_those_outside_by_mail_and_in_the_conversation_of_their_request(world: World) -> None:
    """COM-01, COM-05, COM-07: representatives by mail, whoever asked in their own request, each once."""
    incident = declare(world)
    touch_community(world, incident)
    request = ask(world)
    IncidentLink.objects.create(incident=incident, kind="request", subject_id=request.pk, created_at=world.now)
    due = world.now + timedelta(minutes=45)
    update = write_update(incident.pk, "communities", PARTS, world.ana, world.now, due)
    assert [heading for heading, _ in update.parts] == [
        "What is happening, and why",
        "What we are doing",
        "What we are going to do",
    ]
    mail = Export.objects.get(key__startswith=f"update-{update.pk}-")
    assert mail.recipient["email"] == "rex@example.net"
    assert "We renew it" in mail.payload["text"]
    assert "Tuesday 03 March, 09:45 (UTC)" in mail.payload["text"]
    answer = Message.objects.filter(request=request, direction="out").latest("id")
    assert (answer.text, answer.author) == (update.text, world.ana)
    mails = Export.objects.filter(subject_kind="request", subject_id=request.pk).order_by("id")
    assert (mails.last().recipient["email"], mails.last().payload["text"]) == (RIA.email, update.text)
    assert incident.steps.get(key="requesters").done_at == world.now


def test_the_words_are_the_teams_own_where_it_wrote_some(world: World) -> None:
    """COM-05: the ready message is the source of truth, and knows the fields of its kind alone."""
    text = "Dear all,\n\n{parts}\n\n{next_update}"
    values = {"kind": "incident_update", "name": "Ours", "text": text}
    desk_settings.add_canned(world.team, values, world.ana, world.now)
    incident = declare(world)
    assert write_update(incident.pk, "leadership", PARTS, world.ana, world.now).text.startswith("Dear all,\n\nWhat is")
    wrong = {"kind": "incident_update", "name": "Wrong", "text": "{requester}"}
    with pytest.raises(Refused, match=r"no field \{requester\}"):
        desk_settings.add_canned(world.team, wrong, world.ana, world.now)
    assert not [one for one in desk_settings.ready_messages(ask(world), world.ana, world.now) if one.name == "Ours"]
    assert CannedResponse.objects.get().kind == "incident_update"


def test_who_wrote_three_audiences_is_refused_as_a_whole_and_told_which_part_is_missing(world: World) -> None:
    incident = declare(world)
    said = [Said("leadership", PARTS), Said("communities", {**PARTS, "next": ""})]
    with pytest.raises(Refused) as refused:
        incident_updates.write_updates(incident.pk, said, world.ana, world.now)
    assert refused.value.field == "communities-next"
    assert not IncidentUpdate.objects.exclude(audience="responders").exists()
    for wrong, field in ((Said("mars", PARTS), "audience"), (Said("leadership", PARTS, world.now), "next_update_at")):
        with pytest.raises(Refused) as refused:
            incident_updates.write_updates(incident.pk, [wrong], world.ana, world.now)
        assert refused.value.field == field
    with pytest.raises(NotAllowed):
        write_update(incident.pk, "leadership", PARTS, world.charlie, world.now)


def test_the_liaison_is_reminded_before_and_the_commander_hears_of_a_miss_once_in_each_period(world: World) -> None:
    """COM-01, COM-02, C12: reminded five minutes before, told at the time, told again an hour later."""
    adopt(world, incident_updates={"audiences": {"users": {
        "title": "Users", "who": "communities", "through": ["mail"], "every_minutes": {"*": 60}}}})  # fmt: skip
    incident = declare(world)
    in_role(world, incident, "liaison", world.ben)
    in_role(world, incident, "commander", world.eva)
    world.forward(minutes=54)
    assert told(incident) == set()
    world.forward(minutes=1)
    assert told(incident) == {"Ben"}
    assert messages_about(incident)[-1].message["text"].endswith("You are the liaison.")
    world.forward(minutes=5)
    assert told(incident) == {"Ben", "Eva"}
    world.forward(minutes=59)
    assert kinds(incident, "incident.update_reminded", "incident.update_late") == [
        "incident.update_reminded",
        "incident.update_late",
    ]
    world.forward(minutes=1)
    assert kinds(incident, "incident.update_late") == ["incident.update_late"] * 2
    write_update(incident.pk, "users", PARTS, world.ben, world.now)
    world.forward(minutes=50)
    assert len(kinds(incident, "incident.update_reminded", "incident.update_late")) == 3, "it was kept"


def test_audiences_that_wait_for_the_same_moment_are_one_message(world: World) -> None:
    """Nobody is reminded twice in one minute; the record has a line for each audience."""
    adopt_preset(world, "operate-first")
    incident = declare(world)
    in_role(world, incident, "liaison", world.ben)
    in_role(world, incident, "commander", world.eva)
    world.forward(minutes=15)
    assert [(str(row.person), row.message["subject"].partition(": ")[2]) for row in messages_about(incident)] == [
        ("Ben", "Users of the cluster, The public page: an update is promised by 09:15 (UTC)"),
        ("Eva", "Users of the cluster, The public page: the update promised by 09:15 (UTC) has not come"),
    ]
    assert len(kinds(incident, "incident.update_reminded", "incident.update_late")) == 4


@pytest.mark.parametrize(
    ("speaks", "roles", "who"),
    [
        ("commander", {"commander": "eva"}, ["Eva"]),
        ("responders", {"commander": "ana"}, ["Ben"]),
        ("watch", {"commander": "eva"}, ["Ana"]),
        ("commander", {}, ["Ana"]),
        ("commander", {"commander": "eva", "liaison": "ben"}, ["Ben"]),
    ],
)
def test_who_speaks_follows_the_teams_answer(world: World, speaks: str, roles: dict[str, str], who: list[str]) -> None:
    """C12, COM-03, COM-04, ROL-05: the commander, the rest of the team, the watch; a liaison before them all."""
    adopt(world, incident_updates={"without_liaison": speaks})
    incident = declare(world)
    incidents.add_responder(incident.pk, world.ben, world.ana, world.now)
    for role, name in roles.items():
        in_role(world, incident, role, world.people[name])
    desk = incidents.desk_of(world.team, world.now)
    assert [str(person) for person, _ in incident_updates.speakers_of(incident, desk, world.now)] == who


def test_what_is_still_felt_after_half_an_hour_is_told_to_everybody_and_the_managers(world: World) -> None:
    """INC-13; what was mitigated before is not."""
    adopt_preset(world, "hub-support")
    world.team.product_manager = world.charlie
    world.team.save()
    felt, over = declare(world, impact_kind="blocked"), declare(world, impact_kind="blocked")
    incidents.mitigate(over.pk, world.ana, world.now)
    world.forward(minutes=29)
    assert "Charlie" not in told(felt)
    world.forward(minutes=1)
    assert {"Ana", "Ben", "Eva", "Charlie"} <= told(felt)
    assert "Olga" not in told(felt)
    assert "Charlie" not in told(over)


def test_the_end_is_announced_and_no_promise_remains(world: World) -> None:
    """COM-06: those inside hear at once; closing asks for those outside until somebody has told them."""
    adopt(world, incident_closing={"demands": ["final_update"]})
    incident = declare(world)
    incidents.mitigate(incident.pk, world.ana, world.now)
    assert write_update(incident.pk, "communities", PARTS, world.ana, world.now).state == "monitoring"
    incidents.resolve(incident.pk, world.ana, world.now, words="A new certificate is in place")
    last = incident.updates.filter(audience="responders").latest("id")
    assert (last.state, last.next_update_at) == ("resolved", None)
    assert "A new certificate is in place" in last.text
    assert not UpdatePromise.objects.filter(incident=incident, due_at__isnull=False).exists()
    assert not Timer.objects.filter(subject_kind="incident", kind__startswith="update_").exists()
    with pytest.raises(Refused, match="not told that it is over: Those who feel it"):
        incidents.close(incident.pk, world.ana, world.now)
    write_update(incident.pk, "communities", {"why": "You can sign in again"}, world.ana, world.now)
    assert not UpdatePromise.objects.filter(incident=incident, due_at__isnull=False).exists()
    incidents.close(incident.pk, world.ana, world.now)
    world.forward(days=2)
    assert kinds(incident, "incident.update_late") == []


def test_what_goes_on_again_or_became_worse_is_promised_again(world: World) -> None:
    """COM-10: the cadence is that of today's priority and today's policy."""
    incident = declare(world, impact_kind="minor")
    write_update(incident.pk, "communities", PARTS, world.ana, world.now)

    def due() -> timedelta:
        return UpdatePromise.objects.get(incident=incident, audience="communities").due_at - world.now

    assert due() == timedelta(minutes=240)
    incidents.set_severity(incident.pk, world.ana, world.now, severity="sev1")
    assert due() == timedelta(minutes=60)
    incidents.resolve(incident.pk, world.ana, world.now)
    world.forward(hours=3)
    incidents.reopen(incident.pk, "it came back", world.ana, world.now)
    assert due() == timedelta(minutes=60)
    world.forward(minutes=60)
    assert "incident.update_late" in kinds(incident, "incident.update_late")


def test_a_correction_is_a_new_update_and_moves_no_promise(world: World) -> None:
    incident = declare(world)
    wrong = write_update(incident.pk, "communities", PARTS, world.ana, world.now)
    world.forward(minutes=10)
    right = incident_updates.correct(wrong.pk, {**PARTS, "why": "The disk is full"}, world.ben, world.now)
    assert (right.corrects, right.next_update_at) == (wrong, wrong.next_update_at)
    wrong.refresh_from_db()
    assert "certificate" in wrong.text
    with pytest.raises(Refused, match="put right already"):
        incident_updates.correct(wrong.pk, PARTS, world.ben, world.now)


def test_nothing_of_a_private_one_reaches_who_may_not_see_it(world: World) -> None:
    """Nobody outside is an audience, no chat hears, the watch and the manager hear only when they are named."""
    adopt_preset(world, "library-devops")
    world.team.manager = world.olga
    world.team.save()
    world.forward(days=7)
    incident = declare(world, impact_kind="down", is_private=True)
    touch_community(world, incident)
    assert told(incident) == set(), "Ben is on watch and Olga manages; neither is named"
    with pytest.raises(Refused) as refused:
        write_update(incident.pk, "users", PARTS, world.ana, world.now)
    assert refused.value.field == "audience"
    incidents.add_responder(incident.pk, world.ben, world.ana, world.now)
    write_update(incident.pk, "responders", PARTS, world.ana, world.now)
    assert told(incident) == {"Ben"}
    assert not Export.objects.filter(subject_kind="incident").exists()
    assert public_updates_of(incident) == []


def test_an_exercise_says_so_everywhere_and_never_reaches_people_outside(world: World) -> None:
    """INC-21: what they would hear is written, with its promise, and stays here."""
    world.forward(days=7)
    incident = declare(world, is_exercise=True)
    touch_community(world, incident)
    update = write_update(incident.pk, "communities", PARTS, world.ana, world.now)
    public = write_update(incident.pk, "public", PARTS, world.ana, world.now)
    assert all(one.text.startswith("Exercise: ") for one in (update, public))
    assert not Export.objects.filter(subject_kind="incident", what="mail").exists()
    assert public_updates_of(incident) == []
    world.forward(hours=2)
    messages = messages_about(incident)
    assert len(messages) > 1
    assert all(row.message["subject"].startswith("Exercise: ") for row in messages)
    assert all(row.message["text"].startswith("Exercise: ") for row in messages)


def test_the_public_reads_what_was_written_for_the_public_alone(world: World) -> None:
    incident = declare(world)
    write_update(incident.pk, "leadership", {**PARTS, "why": "Ben let it run out"}, world.ana, world.now)
    update = write_update(incident.pk, "public", PARTS, world.ana, world.now)
    assert public_updates_of(incident) == [update]


def test_before_it_leaves_the_writer_sees_how_it_reads_and_what_should_not_leave(world: World) -> None:
    incident = declare(world)
    said = Said("communities", {"why": "Ben restarts 10.0.0.7"})
    text, worries = incident_updates.preview(incident, said, world.ana, world.now)
    assert "Ben restarts" in text
    assert worries == ["it names Ben: say the role", "it holds the address 10.0.0.7"]
    assert incident_updates.preview(incident, Said("leadership", said.parts), world.ana, world.now)[1] == []
    assert not IncidentUpdate.objects.exclude(audience="responders").exists()
