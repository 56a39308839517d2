"""Where a post-mortem goes: a repository, the chat, the page; written once, visible, tried again; the five endings."""

from __future__ import annotations

from datetime import timedelta
from xml.etree.ElementTree import fromstring

import pytest

from tests.actions.desk_cast import adopt_preset
from tests.actions.postmortem_cast import adopt_rules, an_outage, the_postmortem, write
from tests.actions.tracker_world import HTTP, Tracked
from tests.connectors.chats import Slack
from tests.connectors.vendors import CUT, GitHub, GitLab, running
from tests.connectors.wikis import Confluence, ConfluenceDataCenter
from tests.connectors.world import settings_for
from tests.doors.chat_world import Slacking
from tests.egress.outside import Say
from tests.world import World
from watchbill import presets
from watchbill.actions import action_items, connectors, incidents, postmortems, publishing
from watchbill.actions.action_items import Wanted
from watchbill.core.reports.markdown import read_markdown
from watchbill.db.models import Export, PostMortem, Publication
from watchbill.kit.errors import NotAllowed, Refused
from watchbill.rules.postmortem_due import Settings

pytestmark = pytest.mark.django_db(transaction=True)
TO_GIT = {"publish_drafts": True, "publish_to": ["git"], "style": "myst", "path": "reports/{date}-{slug}.md"}


@pytest.mark.parametrize(("name", "vendor"), [("github", GitHub), ("gitlab", GitLab)])
def test_it_stands_in_the_repository_without_names_and_a_change_is_written_over_it(
    world: World, name: str, vendor: type[GitHub]
) -> None:
    """PM-06, PM-10, C16: one file, in the shape of the team; the same text twice is one commit."""
    adopt_rules(world, postmortem_due=TO_GIT)
    with running(vendor()) as repository:
        there = Tracked(world, name, repository)
        an_outage(world)
        found = the_postmortem()
        write(world, found, factors="Ben saw it first.")
        publishing.publish(found.pk, world.ana, world.now)
        assert there.leave() == ["sent"]
        (path,) = repository.files
        assert path == "reports/2026-03-03-nobody-can-sign-in.md"
        assert "A colleague saw it first." in repository.files[path]
        assert read_markdown(repository.files[path], path).title == "Nobody can sign in"
        world.now += timedelta(minutes=1)
        publishing.publish(found.pk, world.ana, world.now)
        there.leave()
        write(world, found, factors="It was seen by chance.")
        publishing.publish(found.pk, world.ana, world.now + timedelta(minutes=1))
        world.now += timedelta(minutes=2)
        there.leave()
        assert "It was seen by chance." in repository.files[path]
        assert len(repository.calls("PUT") + repository.calls("POST")) == 2
        (standing,) = publishing.standings(found)
        assert (standing.state, path in standing.publication.url) == ("done", True)


@pytest.mark.parametrize(
    ("vendor", "more", "create", "place"),
    [
        (Confluence, {}, "POST pages", "/wiki/spaces/OPS/pages/1000/x"),
        (
            ConfluenceDataCenter, {"flavour": "data_center", "email": ""}, "POST content",
            "/confluence/pages/viewpage.action?pageId=1000",
        ),
    ],
)  # fmt: skip
def test_it_is_one_page_of_the_wiki_also_when_an_answer_was_lost_and_its_title_changed(
    world: World, vendor: type[Confluence], more: dict[str, str], create: str, place: str
) -> None:
    """PM-10: Confluence, on Cloud and in a Data Center; C16."""
    adopt_rules(world, postmortem_due={"publish_drafts": True, "publish_to": ["confluence"]})
    with running(vendor()) as wiki:
        there = Tracked(world, "confluence", wiki)
        values = {**settings_for("confluence", wiki.url), **more}
        connectors.change(there.connection, "Wiki", values, world.eva, HTTP, world.now)
        assert connectors.try_it(there.connection, world.eva, HTTP, world.now) == "Reached the space Operations."
        an_outage(world)
        found = the_postmortem()
        write(world, found, factors="Ben saw <script>alert(1)</script> & ![a](https://there.example/x.png)")
        wiki.trouble.append((create, CUT))
        publishing.publish(found.pk, world.ana, world.now)
        there.leave()
        world.now += timedelta(minutes=5)
        there.leave()
        (page,) = wiki.pages.values()
        assert (page["version"]["number"], page["parentId"]) == (1, "77")
        text = page["body"]["storage"]["value"]
        fromstring(f"<page>{text.replace('&nbsp;', ' ')}</page>")
        assert "A colleague saw &lt;script&gt;" in text
        assert "<img" not in text
        postmortems.change(found.pk, {"title": "Sign-in was away"}, world.ana, world.now)
        publishing.publish(found.pk, world.ana, world.now)
        there.leave()
        (page,) = wiki.pages.values()
        assert (page["version"]["number"], page["title"]) == (2, "2026-03-03 Sign-in was away")
        (standing,) = publishing.standings(found)
        assert (standing.state, standing.publication.url.endswith(place)) == ("done", True)


def test_a_repository_that_is_away_is_visible_and_tried_again(world: World) -> None:
    adopt_rules(world, postmortem_due=TO_GIT)
    with running(GitHub()) as repository:
        there = Tracked(world, "github", repository)
        an_outage(world)
        found = the_postmortem()
        repository.trouble.append(("PUT contents", Say(403, b'{"message":"Resource not accessible by token"}')))
        publishing.publish(found.pk, world.ana, world.now)
        there.leave()
        (standing,) = publishing.standings(found)
        assert standing.state == "failed"
        assert "not accessible" in standing.answer
        world.now += timedelta(minutes=1)
        publishing.retry(standing.publication.pk, world.ben, world.now)
        there.leave()
        assert publishing.standings(found)[0].state == "done"
        assert Publication.objects.count() == 1


def test_the_outcome_is_said_in_the_chat_in_a_few_lines(world: World) -> None:
    """PM-11, PM-03: what it was, what changes, where it is talked about."""
    rule = {"publish_drafts": True, "publish_to": ["chat"], "also_in": "the weekly meeting of all teams"}
    adopt_rules(world, postmortem_due=rule)
    with running(Slack()) as chat:
        Slacking(world, "slack", chat, alerts_room="C9")
        an_outage(world)
        found = the_postmortem()
        action_items.add(found.pk, Wanted("Alert earlier"), world.ana, world.now)
        publishing.publish(found.pk, world.ana, world.now)
        world.work()
        (text,) = [one["text"] for one in chat.messages if "Alert earlier" in one["text"]]
        assert "Nobody can sign in" in text
        assert "the weekly meeting of all teams" in text
        assert publishing.standings(found)[0].state == "done"


def test_a_team_without_a_place_for_it_is_told_so(world: World) -> None:
    adopt_rules(world, postmortem_due=TO_GIT)
    an_outage(world)
    publishing.publish(the_postmortem().pk, world.ana, world.now)
    (standing,) = publishing.standings(the_postmortem())
    assert standing.state == "failed"
    assert "an owner connects one" in standing.answer
    assert not Export.objects.exists()


def shown(postmortem: PostMortem) -> str | None:
    """What the public page says of the contributing factors; None: there is no page."""
    version = publishing.find_public(publishing.public_token(postmortem))
    if version is None:
        return None
    section = publishing.read_version(version).section("factors")
    return section.text if section else ""


def test_the_public_page_keeps_what_was_published_until_somebody_publishes_again(world: World) -> None:
    """What is written meanwhile stays inside; every version is kept."""
    adopt_rules(world, postmortem_due={"publish_drafts": True, "publish_to": ["page"]})
    an_outage(world)
    found = the_postmortem()
    write(world, found, factors="Ben saw it first.")
    action_items.add(found.pk, Wanted("Alert earlier"), world.ana, world.now)
    publishing.publish(found.pk, world.ana, world.now)
    assert (shown(found), publishing.is_changed(the_postmortem())) == ("A colleague saw it first.", False)
    write(world, found, factors="Nobody saw it.")
    assert (shown(found), publishing.is_changed(the_postmortem())) == ("A colleague saw it first.", True)
    world.now += timedelta(minutes=5)
    publishing.publish(found.pk, world.ben, world.now)
    assert (shown(found), publishing.is_changed(the_postmortem())) == ("Nobody saw it.", False)
    publishing.publish(found.pk, world.ana, world.now)
    versions = found.versions.order_by("id")
    assert [(str(one.by), publishing.read_version(one).section("factors").text) for one in versions] == [
        ("Ana", "A colleague saw it first."),
        ("Ben", "Nobody saw it."),
    ]


def test_what_is_shown_beside_the_words_is_of_the_same_version(world: World) -> None:
    """An action that was done, a figure, a milestone that was put right, a title: all of it waits."""
    adopt_rules(world, postmortem_due={"publish_drafts": True, "publish_to": ["page"]})
    incident = an_outage(world)
    number, end = the_postmortem().pk, incident.resolved_at - timedelta(minutes=5)
    for change in (
        lambda: postmortems.set_impact(number, {"People": "120"}, world.ana, world.now),
        lambda: postmortems.change(number, {"title": "Sign-in was away"}, world.ana, world.now),
        lambda: action_items.add(number, Wanted("Alert earlier"), world.ana, world.now),
        lambda: incidents.move_milestone(incident.pk, "mitigated", end, "it was before", world.ana, world.now),
    ):
        publishing.publish(number, world.ana, world.now)
        before = publishing.read_version(publishing.version_of(the_postmortem()))
        world.now += timedelta(minutes=1)
        change()
        found = the_postmortem()
        assert publishing.is_changed(found)
        assert publishing.read_version(publishing.version_of(found)) == before


def test_a_page_that_was_taken_away_comes_back_as_the_document_stands(world: World) -> None:
    adopt_rules(world, postmortem_due={"publish_drafts": True, "publish_to": ["page"]})
    an_outage(world)
    found = the_postmortem()
    publishing.publish(found.pk, world.ana, world.now)
    write(world, found, factors="Nobody saw it.")
    publishing.retract(found.pk, "too early", world.ana, world.now)
    assert shown(found) is None
    publishing.publish(found.pk, world.ana, world.now)
    assert shown(found) == "Nobody saw it."
    postmortems.move(found.pk, "draft", world.ana, world.now, "a factor is missing")
    assert shown(found) is None


def test_whoever_lets_it_out_lets_a_change_out_too(world: World) -> None:
    adopt_rules(world, postmortem_due={"publish_drafts": True, "publish_to": ["page"], "approve": "owner"})
    an_outage(world)
    found = the_postmortem()
    publishing.publish(found.pk, world.eva, world.now)
    publishing.publish(found.pk, world.ana, world.now)
    write(world, found, factors="Nobody saw it.")
    with pytest.raises(NotAllowed, match="owners"):
        publishing.publish(found.pk, world.ana, world.now)
    assert shown(found) != "Nobody saw it."
    publishing.publish(found.pk, world.eva, world.now)
    assert shown(found) == "Nobody saw it."


@pytest.mark.parametrize("said", [{"is_private": True}, {"is_exercise": True}])
def test_what_is_private_or_an_exercise_never_reaches_the_public(world: World, said: dict[str, bool]) -> None:
    """INC-21."""
    adopt_rules(world, postmortem_due=TO_GIT)
    incident = an_outage(world, **said)
    found = PostMortem.objects.first() or postmortems.begin_by_hand(incident.pk, world.ana, world.now, "to practise")
    for target in ("page", "git"):
        with pytest.raises(Refused):
            publishing.publish(found.pk, world.ana, world.now, targets=[target])
    PostMortem.objects.update(is_public=True, state="published")
    assert publishing.find_public(publishing.public_token(found)) is None


def test_what_was_published_and_became_private_leaves_no_more(world: World) -> None:
    adopt_rules(world, postmortem_due=TO_GIT)
    with running(GitHub()) as repository:
        there = Tracked(world, "github", repository)
        incident = an_outage(world)
        publishing.publish(the_postmortem().pk, world.ana, world.now)
        incident.is_private = True
        incident.save()
        there.leave()
        assert repository.files == {}


STORY = {
    # preset: (what they feel, it is begun, who writes, due after hours (about), people at the meeting, may a draft go out)
    "oncall-remodel": ("interruption", True, "ana", {"ana", "ben", "eva"}, False),
    "operate-first": ("outage", True, "ana", {"ana", "ben", "eva", "olga"}, False),
    "laa-ops": ("outage", True, "ana", {"ana", "ben", "eva"}, False),
    "hub-support": ("blocked", True, "ana", set(), True),
    "library-devops": ("down", True, "ana", {"ana", "ben", "olga"}, False),
}


@pytest.mark.parametrize("name", presets.all_presets())
def test_the_same_outage_ends_in_five_ways(world: World, name: str) -> None:
    """C15, C16, PM-01 to PM-13: the same hour, five teams."""
    kind, is_begun, writer, guests, drafts = STORY[name]
    world.team.manager = world.olga
    world.team.save()
    adopt_preset(world, name)
    an_outage(world, kind)
    assert PostMortem.objects.exists() is is_begun
    found = the_postmortem()
    assert found.owner == world.people[writer]
    assert {row.person.name.lower() for row in found.attendees.all()} == guests
    rule = Settings.model_validate(presets.load(name).rules["postmortem_due"])
    keys = list(found.sections.order_by("position").values_list("key", flat=True))
    assert keys == [*rule.sections, "questions"]
    lacks = postmortems.missing_of(found, "published", world.now)
    assert (lacks == []) is drafts
    if name == "hub-support":
        item = action_items.add(
            found.pk, Wanted("Raise the limit", is_smallest=True, owner=world.ben), world.ana, world.now
        )
        assert (item.ticket.priority, item.ticket.is_priority_pinned) == ("funded", True)
        assert "next sprint" in " ".join(postmortems.missing_of(found, "reviewed", world.now))
