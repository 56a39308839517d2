"""Who does what in an incident, through the actions: asked, answered, silent, handed on, and somebody always hears."""

from __future__ import annotations

import pytest

from tests.actions.desk_cast import adopt, adopt_preset, ask, mails
from tests.world import World, make_person
from watchbill.actions import declaring, incident_roles, incidents
from watchbill.actions.declaring import Declared
from watchbill.db import role_facts
from watchbill.db.models import Event, Incident, Membership, Outgoing, Person, RoleAssignment, Timer
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)
OFFER = {"designation": "offer", "offer_minutes": 5}


def declare(world: World, by: str = "ana", **said: object) -> Incident:
    values = {"title": "Nobody can sign in", "impact": "Users see an error", "severity": "", **said}
    return declaring.declare(world.team, Declared(**values), world.people[by], world.now)


def record(incident: Incident, role: str = "commander") -> list[tuple[str, str]]:
    rows = RoleAssignment.objects.filter(incident=incident, role=role).select_related("person").order_by("id")
    return [(str(row.person), row.state) for row in rows]


def offer_to(incident: Incident, person: Person) -> int:
    return RoleAssignment.objects.get(incident=incident, person=person, state="offered").pk


def told(world: World, name: str, words: str) -> int:
    """Count the messages to one of the cast whose subject has these words; leaving them as they are."""
    rows = Outgoing.objects.filter(person=world.people[name], subject_kind="incident")
    return sum(words in row.message["subject"] for row in rows)


def lines(incident: Incident, kind: str) -> list[str]:
    rows = Event.objects.filter(subject_kind="incident", subject_id=incident.pk, kind=f"incident.{kind}").order_by("id")
    return list(rows.values_list("why", flat=True))


def pia_is_product_manager(world: World) -> Person:
    world.people["pia"] = make_person("Pia", world.now)
    world.team.product_manager = world.people["pia"]
    world.team.save()
    return world.people["pia"]


def test_one_after_the_other_is_asked_until_somebody_says_yes(world: World) -> None:
    """ROL-09, ROL-18: the watch first; no answer falls to the next, who is asked once."""
    adopt(world, incident_roles=OFFER)
    incident = declare(world)
    assert record(incident) == [("Ana", "offered")]
    assert told(world, "ana", "Will you be Incident commander?") >= 1
    world.forward(minutes=5)
    world.work()
    assert record(incident) == [("Ana", "lapsed"), ("Ben", "offered")]
    incident_roles.accept(offer_to(incident, world.ben), world.ben, world.now)
    assert record(incident)[-1] == ("Ben", "accepted")
    assert incident.steps.get(key="commander").done_by == world.ben
    assert not Timer.objects.filter(subject_kind="incident", kind="lead").exists()
    with pytest.raises(Refused, match="Ben has it"):
        incident_roles.accept(RoleAssignment.objects.get(state="lapsed").pk, world.ana, world.now)


def test_no_needs_no_reason_and_when_nobody_is_left_the_project_manager_says_who(world: World) -> None:
    """ROL-09, ROL-10, ROL-11: who was asked may say no; nobody is asked twice; then Pia is told and asks herself."""
    pia = pia_is_product_manager(world)
    adopt(world, incident_roles=OFFER)
    incident = declare(world)
    for name in ("ana", "ben", "eva"):
        incident_roles.decline(offer_to(incident, world.people[name]), world.people[name], world.now)
    assert record(incident) == [("Ana", "declined"), ("Ben", "declined"), ("Eva", "declined")]
    assert told(world, "pia", "Say who is Incident commander") == 1
    incident_roles.offer(incident.pk, "commander", world.ben, pia, world.now, "you know the database")
    assert record(incident)[-1] == ("Ben", "offered")
    incident_roles.accept(offer_to(incident, world.ben), world.ben, world.now)
    assert role_facts.commander_of(incident) == world.ben


def test_without_anybody_who_breaks_ties_the_fallback_person_hears_of_it(world: World) -> None:
    """Somebody is always told."""
    adopt(world, incident_roles=OFFER)
    incident = declare(world)
    for name in ("ana", "ben", "eva"):
        incident_roles.decline(offer_to(incident, world.people[name]), world.people[name], world.now)
    assert told(world, "eva", "nobody is Incident commander") == 1


def test_handing_on_waits_for_yes_and_leaves_both_on_the_record(world: World) -> None:
    """ROL-08, ROL-12: no moment without a commander, and no moment with two."""
    adopt(world, incident_roles={"designation": "declarer"})
    incident = declare(world)
    began = world.now
    incident_roles.offer(incident.pk, "commander", world.ben, world.ana, world.now)
    assert role_facts.commander_of(incident) == world.ana
    with pytest.raises(NotAllowed, match="only they can say"):
        incident_roles.accept(offer_to(incident, world.ben), world.ana, world.now)
    world.forward(minutes=3)
    incident_roles.accept(offer_to(incident, world.ben), world.ben, world.now)
    spans = RoleAssignment.objects.filter(role="commander").order_by("id").values_list("since", "until")
    assert list(spans) == [(began, world.now), (world.now, None)]
    assert told(world, "ana", "Ben is Incident commander after Ana") == 1


def test_an_offer_that_is_taken_back_does_not_leave(world: World) -> None:
    """Nobody is asked after somebody else said yes."""
    adopt(world, incident_roles={"designation": "team"})
    incident = declare(world)
    incident_roles.offer(incident.pk, "commander", world.ben, world.ana, world.now)
    incident_roles.take(incident.pk, "commander", world.ana, world.now)
    assert record(incident) == [("Ben", "withdrawn"), ("Ana", "accepted")]
    asked = [row for row in Outgoing.objects.filter(person=world.ben) if "Will you be" in row.message["subject"]]
    assert {row.state for row in asked} == {"dropped"}


def test_one_steps_in_with_a_reason_and_the_other_hears_of_it(world: World) -> None:
    adopt(world, incident_roles={"designation": "declarer"})
    incident = declare(world)
    with pytest.raises(Refused, match="Ana has it"):
        incident_roles.take(incident.pk, "commander", world.ben, world.now)
    incident_roles.take(incident.pk, "commander", world.ben, world.now, "Ana has no network")
    assert role_facts.commander_of(incident) == world.ben
    assert told(world, "ana", "Ben is Incident commander after Ana") == 1


def test_the_steward_commands_until_another_agrees_and_is_released_then(world: World) -> None:
    """ROL-07, ROL-13, ROL-14 (hub-support): the request goes along, and its requester hears who leads."""
    adopt_preset(world, "hub-support")
    request = ask(world)
    request.assignee = world.ana
    request.save()
    incident = declare(world, impact_kind="blocked", came_from=[("request", request.pk)])
    assert record(incident) == [("Ana", "accepted")]
    incident_roles.offer(incident.pk, "commander", world.ben, world.ana, world.now)
    incident_roles.accept(offer_to(incident, world.ben), world.ben, world.now)
    incident.refresh_from_db()
    request.refresh_from_db()
    assert (incident.owner, request.assignee) == (world.ben, world.ben)
    assert not incident.members.filter(person=world.ana, left_at=None).exists()
    assert any("Ben now leads the work" in text for text in mails(request))


def test_one_refusal_of_the_hubs_steward_goes_to_the_project_manager(world: World) -> None:
    """ROL-09, ROL-10 (hub-support): the steward keeps it meanwhile."""
    pia_is_product_manager(world)
    adopt_preset(world, "hub-support")
    incident = declare(world, impact_kind="blocked")
    incident_roles.offer(incident.pk, "commander", world.ben, world.ana, world.now)
    incident_roles.decline(offer_to(incident, world.ben), world.ben, world.now)
    assert told(world, "ana", "Ben: not this time") == 1
    assert told(world, "pia", "Say who is Incident commander") == 1
    assert role_facts.commander_of(incident) == world.ana


def test_who_is_new_need_not_name_anybody(world: World) -> None:
    """ROL-11: one button asks the project manager to say who."""
    pia = pia_is_product_manager(world)
    adopt(world, incident_roles={"designation": "declarer"})
    incident = declare(world)
    incident_roles.ask_who(incident.pk, "commander", world.ana, world.now)
    assert told(world, "pia", "Say who is Incident commander") == 1
    incident_roles.offer(incident.pk, "commander", world.ben, pia, world.now)
    assert record(incident)[-1] == ("Ben", "offered")


def test_the_agencys_team_chooses_its_lead_and_others_talk(world: World) -> None:
    """ROL-03, ROL-15, C9, C12 (laa-ops): the team hears "choose"; the liaison is asked among the watch, not the lead."""
    adopt_preset(world, "laa-ops")
    incident = declare(world, impact_kind="outage")
    assert record(incident) == []
    assert told(world, "ana", "Choose: who is Incident lead?") == 1
    incident_roles.take(incident.pk, "commander", world.ben, world.now)
    assert record(incident, "liaison") == [("Ana", "offered")]
    incident_roles.accept(offer_to(incident, world.ana), world.ana, world.now)
    assert role_facts.talks_for(role_facts.roles_of(incident), "watch") == world.ana


def test_the_manager_says_who_leads_where_the_team_works_so(world: World) -> None:
    """ROL-18, C11 (oncall-remodel): others may take it, not name somebody."""
    adopt_preset(world, "oncall-remodel")
    world.team.manager = world.people["max"] = make_person("Max", world.now)
    world.team.save()
    incident = declare(world, impact_kind="interruption")
    assert told(world, "max", "Say who is Lead") == 1
    with pytest.raises(NotAllowed, match="the manager says who"):
        incident_roles.offer(incident.pk, "commander", world.ben, world.ana, world.now)
    incident_roles.take(incident.pk, "commander", world.ana, world.now)
    assert role_facts.talks_for(role_facts.roles_of(incident), "commander") == world.ana


def test_a_commander_who_does_not_work_the_problem_may_not_lead_the_fix(world: World) -> None:
    """ROL-01, ROL-04, C9: in the small team hands off; in the hub's they may."""
    adopt_preset(world, "library-devops")
    incident = declare(world, impact_kind="down")
    incident_roles.take(incident.pk, "commander", world.ana, world.now)
    with pytest.raises(Refused, match="hand that on first"):
        incident_roles.take(incident.pk, "technical_lead", world.ana, world.now)
    adopt_preset(world, "hub-support")
    incident = declare(world, impact_kind="blocked")
    assert role_facts.commander_of(incident) == world.ana
    incident_roles.take(incident.pk, "technical_lead", world.ana, world.now)


def test_ten_minutes_without_a_lead_everybody_is_told_to_pick_one(world: World) -> None:
    """ROL-18 (operate-first): again later, then with whoever is above; nobody leads is never silent."""
    pia_is_product_manager(world)
    adopt(
        world, incident_roles={"designation": "offer", "offer_minutes": 60}, incident_start={"lead_after_minutes": 10}
    )
    incident = declare(world)
    world.forward(minutes=10)
    world.work()
    assert lines(incident, "lead_missing") == ["nobody is Incident commander after 10 minutes: pick one"]
    assert (told(world, "ana", "Pick one"), told(world, "pia", "Pick one")) == (1, 0)
    world.forward(minutes=10)
    world.work()
    assert (told(world, "ana", "Pick one"), told(world, "pia", "Pick one")) == (2, 1)
    incident_roles.take(incident.pk, "commander", world.ana, world.now)
    world.forward(minutes=60)
    world.work()
    assert len(lines(incident, "lead_missing")) == 2


def test_half_an_hour_on_the_team_and_the_project_manager_hear_of_it(world: World) -> None:
    """INC-13 (hub-support)."""
    pia_is_product_manager(world)
    adopt_preset(world, "hub-support")
    declare(world, impact_kind="blocked")
    world.forward(minutes=30)
    world.work()
    assert [told(world, name, "it goes on") for name in ("ana", "ben", "pia", "olga")] == [1, 1, 1, 0]


def test_what_was_over_by_then_is_not_told(world: World) -> None:
    """INC-13: not if it is solved within the half hour."""
    adopt_preset(world, "hub-support")
    incident = declare(world, impact_kind="blocked")
    incidents.resolve(incident.pk, world.ana, world.now)
    world.forward(minutes=30)
    world.work()
    assert lines(incident, "wider") == []


def test_they_gather_every_hour_only_where_the_team_says_so(world: World) -> None:
    """INC-19, C10: disputed in the text itself, so off unless it is set; only for major ones."""
    adopt_preset(world, "laa-ops")
    assert not Timer.objects.filter(subject_id=declare(world, impact_kind="outage").pk, kind="gather").exists()
    adopt(world, incident_start={"gather_every_minutes": 60}, incident_roles={"designation": "declarer"})
    incident = declare(world)
    for _ in range(2):
        world.forward(minutes=60)
        world.work()
    assert len(lines(incident, "gather")) == 2
    assert told(world, "ana", "Gather") == 2


def test_after_hours_in_a_role_a_fresh_person_is_proposed(world: World) -> None:
    """ROL-06."""
    adopt(world, incident_roles={"designation": "declarer", "fresh_after_minutes": 120})
    incident = declare(world)
    world.forward(minutes=120)
    world.work()
    assert lines(incident, "role_tired") == ["Ana is Incident commander: 2 h in one role"]
    assert told(world, "ana", "Time for a fresh Incident commander?") == 1


def test_who_has_two_incidents_is_told_and_asked_last(world: World) -> None:
    """INC-18: several at once are normal; an exercise does not count."""
    adopt(world, incident_roles={"designation": "declarer", "most_at_once": 2})
    declare(world, is_exercise=True)
    declare(world)
    second = declare(world)
    assert lines(second, "role_load") == ["Ana has 2 incidents at once: hand one on to a fresh person"]
    third = declare(world, "ben")
    assert [one.name for one in incident_roles.suggest(third, "commander", world.now)] == ["Eva", "Ana"]


def test_a_private_incident_asks_and_tells_only_those_who_see_it(world: World) -> None:
    """Ben is not named: he is neither asked nor told; Eva owns the team and is."""
    adopt(world, incident_roles=OFFER, incident_updates={"wider_after_minutes": 30})
    incident = declare(world, is_private=True)
    incident_roles.decline(offer_to(incident, world.ana), world.ana, world.now)
    assert record(incident) == [("Ana", "declined"), ("Eva", "offered")]
    world.forward(minutes=31)
    world.work()
    assert not Outgoing.objects.filter(person=world.ben).exists()
    with pytest.raises(Refused, match="no such incident"):
        incident_roles.take(incident.pk, "commander", world.ben, world.now)


def test_messages_about_an_exercise_say_so_first(world: World) -> None:
    """INC-21."""
    adopt(world, incident_roles=OFFER)
    declare(world, is_exercise=True)
    subjects = [row.message["subject"] for row in Outgoing.objects.filter(person=world.ana)]
    assert subjects
    assert all(subject.startswith("Exercise: ") for subject in subjects)


def test_who_speaks_to_leadership_follows_the_service_and_the_line_above(world: World) -> None:
    """ROL-17, ROL-19: the contact of the service, the boss and the boss's boss."""
    simon, max_, gill = (make_person(name, world.now) for name in ("Simon", "Max", "Gill"))
    world.service.leadership_contact = simon
    world.service.save()
    world.team.manager = max_
    world.team.save()
    other = world.charlie.memberships.get().team
    other.manager = gill
    other.save()
    Membership.objects.create(team=other, person=max_, role="member", created_at=world.now)
    incident = declare(world, services=[world.service])
    found = [str(person) for person, _ in role_facts.leadership_of(incident, role_facts.touched_of(incident))]
    assert found == ["Simon", "Max", "Gill"]


def test_roles_end_with_the_incident_and_whoever_led_is_asked_again_when_it_goes_on(world: World) -> None:
    adopt(world, incident_roles={"designation": "declarer"}, incident_closing={"demands": ["resolved"]})
    incident = declare(world)
    incidents.resolve(incident.pk, world.ana, world.now)
    incidents.close(incident.pk, world.ana, world.now)
    world.work()
    assert record(incident) == [("Ana", "ended")]
    incidents.reopen(incident.pk, "it came back", world.ben, world.now)
    world.work()
    assert record(incident) == [("Ana", "ended"), ("Ana", "offered")]


def test_a_member_of_another_team_is_neither_asked_nor_may_ask(world: World) -> None:
    incident = declare(world)
    with pytest.raises(Refused, match="is not in"):
        incident_roles.offer(incident.pk, "scribe", world.charlie, world.ana, world.now)
    with pytest.raises(NotAllowed):
        incident_roles.offer(incident.pk, "scribe", world.ben, world.charlie, world.now)
    with pytest.raises(Refused, match="a role is one of"):
        incident_roles.take(incident.pk, "cook", world.ana, world.now)


def test_an_expert_says_when_they_are_done_and_the_commander_hands_on(world: World) -> None:
    """INC-15: those who know are called, with what for, and may be several."""
    adopt(world, incident_roles={"designation": "declarer"})
    incident = declare(world)
    for person in (world.ben, world.eva):
        incident_roles.offer(incident.pk, "expert", person, world.ana, world.now, scope="the database")
        incident_roles.accept(offer_to(incident, person), person, world.now)
    assert [state for _, state in record(incident, "expert")] == ["accepted", "accepted"]
    held = RoleAssignment.objects.get(person=world.ben, role="expert")
    incident_roles.end(held.pk, world.ben, world.now)
    assert record(incident, "expert")[0] == ("Ben", "ended")
    with pytest.raises(Refused, match="hand it on"):
        incident_roles.end(RoleAssignment.objects.get(role="commander").pk, world.ana, world.now)
