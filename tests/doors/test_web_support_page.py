"""The public page and the requester's own: no account, no JavaScript, no cookie; nothing of the team's leaks."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.doors.web_world import Cast
from watchbill.actions import communities, desk_settings, public_asking, request_links, support
from watchbill.actions.asked import LARGEST_FILE, Asked, File
from watchbill.actions.requesters import Asker
from watchbill.db.models import Attachment, Event, Export, Message, Policy, Requester, SupportRequest

DAY = [{"weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday"], "start": "08:00", "end": "18:00"}]
RIA = Asker("Ria", "ria@example.net")
PAGE = "/support/platform/"


@pytest.fixture
def as_(world):
    return Cast(world)


@pytest.fixture
def desk(world):
    """The world with office hours and a public desk."""
    adopt(world)
    words = {
        "is_public": True,
        "what": "The **shop** and its tools.",
        "how_long": "Most are answered the same day.",
        "escalation": "First write again on your request, then:",
        "contacts": [{"name": "Eva", "how": "+44 1"}],
    }
    desk_settings.change_desk(world.team, words, world.eva, world.now)
    return world


def adopt(world, **rules):
    settings = {"coverage": DAY, "rules": rules}
    last = Policy.objects.filter(team=world.team).latest("version").version
    Policy.objects.create(
        team=world.team, version=last + 1, preset="laa-ops", settings=settings, adopted_at=world.now, why="test"
    )


def typed(desk, as_, **changes):
    """Open the page, read it for a minute, and type."""
    mark = re.search(r'name="page" value="([^"]+)"', as_.nobody.text(PAGE)).group(1)
    desk.now += timedelta(minutes=1)
    return {
        "page": mark,
        "website": "",
        "title": "I cannot log in",
        "text": "Since this morning.",
        "request_class": "incident_report",
        "name": "Ria",
        "email": "ria@example.net",
        **changes,
    }


def ask(world, asker=RIA, **asked) -> SupportRequest:
    return support.open_request(world.team, asker, Asked("I cannot log in", "Since today.", **asked), world.now)


def own(request: SupportRequest) -> str:
    return request_links.path_of(request)


def test_the_page_answers_before_anybody_has_to_write(desk, as_):
    """INT-09, INT-10, INT-11, RUN-08: what, where, when, how long, how to escalate, answers first."""
    desk.service.environment, desk.service.host, desk.service.vendor = "production", "north-1", "Larchwood"
    desk.service.save()
    desk_settings.add_faq(desk.team, {"question": "Where is the VPN?", "answer": "See [here](https://x.example)."},
                          desk.ana, desk.now)  # fmt: skip
    text = as_.nobody.text(PAGE)
    for words in (
        "The <strong>shop</strong>",
        "Monday to Friday, 08:00 to 18:00",
        "answered within 2 working hours",
        "answered within 1 working day",
        "Whoever is on watch looks at it first.",
        "checkout",
        "production",
        "hosted at north-1",
        "run by Larchwood",
        "First write again on your request",
        "Eva",
        "+44 1",
    ):
        assert words in text, words
    assert text.index("Where is the VPN?") < text.index("Send it to Platform")


def test_answers_are_searched_by_a_plain_get(desk, as_):
    for question, answer in (("Where is the VPN?", "At the gate."), ("How do I print?", "By the door.")):
        desk_settings.add_faq(desk.team, {"question": question, "answer": answer}, desk.ana, desk.now)
    text = as_.nobody.text(f"{PAGE}?q=vpn+gate")
    assert "Where is the VPN?" in text
    assert "How do I print?" not in text
    assert "No answer has all of these words" in as_.nobody.text(f"{PAGE}?q=zebra")


def test_only_the_team_previews_a_page_that_is_not_public(world, as_):
    assert as_.nobody.get(PAGE).status_code == 404
    assert as_.charlie.get(PAGE).status_code == 404
    assert "Only the team sees this page" in as_.ana.text(PAGE)
    assert as_.ana.post(PAGE, {"title": "x"}).status_code == 404
    assert as_.nobody.get("/support/nothing/").status_code == 404


def test_a_request_is_sent_and_thanked_for_with_what_happens_next(desk, as_):
    """INT-02, INT-05, INT-09: reference, next step, by when, and a link of their own."""
    response = as_.nobody.post(PAGE, typed(desk, as_, component="the log-in page", service=str(desk.service.pk)))
    one = SupportRequest.objects.get()
    assert response.status_code == 302
    text = as_.nobody.text(response.url)
    for words in (
        f"We have it as R-{one.pk}",
        "Whoever is on watch looks at it first.",
        "You hear from us by",
        "Tuesday 03 March, 11:01",
        own(one),
        "ria@example.net",
    ):
        assert words in text, words
    assert (one.door, one.component, one.service, one.requester.email) == (
        "page", "the log-in page", desk.service, "ria@example.net",
    )  # fmt: skip


def test_it_needs_no_cookie_and_sets_none(desk, as_):
    response = as_.nobody.get(PAGE)
    assert not response.cookies
    sent = as_.nobody.post(PAGE, typed(desk, as_))
    assert sent.status_code == 302
    assert not sent.cookies


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"title": ""}, "This field is required"),
        ({"email": "nonsense"}, "is no mail address"),
        ({"website": "https://buy.example"}, "One field must stay empty"),
        ({"page": "forged"}, "has been open for long"),
        ({"text": "x" * 30_000}, "at most 20000 characters"),
        ({"service": "999000999"}, "Select a valid choice"),
    ],
)
def test_a_refusal_keeps_everything_that_was_typed(desk, as_, changes, said):
    given = typed(desk, as_, component="the kept part", **changes)
    response = as_.nobody.post(PAGE, given)
    text = response.content.decode()
    assert response.status_code == 409
    assert said in text
    assert 'value="the kept part"' in text
    assert given["text"][:19] in text
    assert not SupportRequest.objects.exists()


def test_what_a_machine_filled_is_emptied_so_that_a_person_sends_it_again(desk, as_):
    given = typed(desk, as_, website="https://buy.example")
    text = as_.nobody.post(PAGE, given).content.decode()
    assert "buy.example" not in text
    assert as_.nobody.post(PAGE, {**given, "website": ""}).status_code == 302


def test_too_quick_is_asked_again_and_then_taken(desk, as_):
    given = typed(desk, as_)
    desk.now -= timedelta(seconds=58)
    assert "That was quick!" in as_.nobody.post(PAGE, given).content.decode()
    desk.now += timedelta(seconds=5)
    assert as_.nobody.post(PAGE, given).status_code == 302


def test_an_old_page_is_renewed_by_its_refusal(desk, as_):
    given = typed(desk, as_)
    desk.now += timedelta(days=2)
    text = as_.nobody.post(PAGE, given).content.decode()
    fresh = re.search(r'name="page" value="([^"]+)"', text).group(1)
    desk.now += timedelta(seconds=10)
    assert as_.nobody.post(PAGE, {**given, "page": fresh}).status_code == 302


def test_a_form_on_another_site_is_not_taken(desk, as_):
    response = as_.nobody.post(PAGE, typed(desk, as_), headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 409
    assert not SupportRequest.objects.exists()


def test_one_address_does_not_flood_the_team(desk, as_):
    for number in range(public_asking.MOST_BY_ADDRESS):
        assert as_.nobody.post(PAGE, typed(desk, as_, title=f"Thing {number}")).status_code == 302
    refused = as_.nobody.post(PAGE, typed(desk, as_, title="One more"))
    assert "several requests from this address" in refused.content.decode()
    assert 'value="One more"' in refused.content.decode()
    desk.now += timedelta(hours=1)
    assert as_.nobody.post(PAGE, typed(desk, as_, title="One more")).status_code == 302


def test_one_place_does_not_flood_the_team_by_many_addresses(desk, as_):
    def send(number, place):
        given = typed(desk, as_, email=f"r{number}@example.net")
        return as_.nobody.post(PAGE, given, REMOTE_ADDR=place).status_code

    for number in range(public_asking.MOST_BY_ORIGIN):
        assert send(number, "192.0.2.7") == 302
    assert send(50, "192.0.2.7") == 409
    assert send(51, "192.0.2.8") == 302
    marks = [line.data["from"] for line in Event.objects.filter(kind="desk.asked")]
    assert "192.0.2.7" not in marks


def test_files_come_along_within_limits(desk, as_):
    small = SimpleUploadedFile("screen.png", b"\x89PNG", "image/png")
    assert as_.nobody.post(PAGE, {**typed(desk, as_), "attached": [small]}).status_code == 302
    assert Attachment.objects.get().name == "screen.png"
    large = SimpleUploadedFile("film.mp4", b"x" * (public_asking.LARGEST_FILE + 1), "video/mp4")
    refused = as_.nobody.post(PAGE, {**typed(desk, as_), "attached": [large]})
    assert "“film.mp4” is larger than 5 MB" in refused.content.decode()
    larger = SimpleUploadedFile("films.mp4", b"x" * (LARGEST_FILE + 1), "video/mp4")
    refused = as_.nobody.post(PAGE, {**typed(desk, as_), "attached": [larger]})
    assert "“films.mp4”: at most 10 MB" in refused.content.decode()


def test_the_own_page_says_who_has_the_ball_and_by_when_they_hear(desk, as_):
    """INT-09, INT-13."""
    one = ask(desk, request_class="incident_report")
    first = as_.nobody.text(own(one)).partition("What was said")[0]
    assert "You hear from us by" in first
    assert "Tuesday 03 March, 11:00" in first
    support.answer(one.pk, "Which page?", desk.ana, desk.now)
    text = as_.nobody.text(own(one))
    assert "With you" in text
    assert "please answer below" in text
    support.pass_ball(one.pk, "vendor", "their case", desk.ana, desk.now)
    assert "a company that we depend on" in as_.nobody.text(own(one))


def test_being_late_is_said_plainly(desk, as_):
    one = ask(desk, request_class="incident_report")
    desk.forward(hours=3)
    assert "We are late: you should have heard from us by" in as_.nobody.text(own(one))


def test_nothing_of_the_teams_own_leaks(desk, as_):
    """Notes, reasons of a priority, names of other requesters, files of notes stay inside."""
    one = ask(desk)
    support.note(one.pk, "Between us: a secret", desk.ana, desk.now)
    support.set_priority(one.pk, "security", "reason for us alone", desk.ana, desk.now)
    support.hear(one.pk, Asker("Otto Other", "otto@example.net"), Asked("Re", "Me too."), desk.now)
    note = Message.objects.get(direction="note")
    inside = Attachment.objects.create(message=note, name="inside.txt", media_type="text/plain", size=1, content=b"x")
    text = as_.nobody.text(own(one))
    for words in ("secret", "reason for us alone", "Otto", "otto@example.net", "inside.txt", "Security compliance"):
        assert words not in text, words
    assert "Me too." in text
    assert "Somebody else who was asked" in text
    assert as_.nobody.get(f"{own(one)}files/{inside.pk}/").status_code == 404


def test_their_own_file_is_theirs_to_save(desk, as_):
    one = ask(desk, files=(File("log.txt", "text/html", b"<b>"),))
    response = as_.nobody.get(f"{own(one)}files/{Attachment.objects.get().pk}/")
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    other = ask(desk, Asker("Otto", "otto@example.net"))
    assert as_.nobody.get(f"{own(other)}files/{Attachment.objects.get().pk}/").status_code == 404


def test_it_is_kept_out_of_caches_referrers_and_search_engines(desk, as_):
    one = ask(desk)
    for url in (own(one), f"{PAGE}thanks/{own(one).split('/')[2]}/", "/r/broken/"):
        headers = as_.nobody.get(url).headers
        if url != "/r/broken/":
            assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Robots-Tag"].startswith("noindex")
        assert "private" in headers["Cache-Control"]


def test_a_broken_link_says_so_and_shows_nothing(desk, as_):
    one = ask(desk)
    response = as_.nobody.get(own(one)[:-3] + "xx/")
    assert response.status_code == 404
    assert one.title not in response.content.decode()


def test_a_reply_reopens_and_stands_in_the_conversation(desk, as_):
    """MET-02: reopen by reply."""
    one = ask(desk)
    support.resolve(one.pk, "done", "", desk.ana, desk.now)
    response = as_.nobody.post(own(one), {"do": "reply", "text": "Still broken."})
    assert response.status_code == 302
    text = as_.nobody.text(response.url)
    assert "Sent. It stands below" in text
    assert "Still broken." in text
    assert SupportRequest.objects.get(pk=one.pk).state == "open"


def test_a_reply_that_comes_too_late_is_a_new_request_with_its_own_page(desk, as_):
    one = ask(desk)
    support.resolve(one.pk, "done", "", desk.ana, desk.now)
    desk.forward(days=60)
    response = as_.nobody.post(own(one), {"do": "reply", "text": "It is back."})
    later = SupportRequest.objects.exclude(pk=one.pk).get()
    assert response.url.startswith(own(later))


def test_many_replies_within_the_hour_are_slowed(desk, as_):
    one = ask(desk)
    for _ in range(public_asking.MOST_REPLIES):
        as_.nobody.post(own(one), {"do": "reply", "text": "And"})
    response = as_.nobody.post(own(one), {"do": "reply", "text": "the last words"})
    assert response.status_code == 409
    assert "the last words" in response.content.decode()
    assert as_.nobody.post(own(one), {"do": "escalate", "why": "now"}).status_code == 409


def test_escalation_goes_by_the_published_path(desk, as_):
    """INT-10: first in the conversation, then the named contacts."""
    one = ask(desk)
    first = as_.nobody.post(own(one), {"do": "escalate", "why": "The court sits at noon."})
    assert "Whoever has it is told" in as_.nobody.text(first.url)
    second = as_.nobody.post(own(one), {"do": "escalate", "why": "Still nothing."})
    text = as_.nobody.text(second.url)
    assert "The people above are told" in text
    assert "Eva" in text
    refused = as_.nobody.post(own(one), {"do": "escalate", "why": ""})
    assert refused.status_code == 409


def test_a_look_rates_nothing_and_one_click_does(desk, as_):
    """MET-02: one click; scanners of mail only look."""
    one = ask(desk)
    assert "How was it?" not in as_.nobody.text(own(one))
    support.resolve(one.pk, "done", "", desk.ana, desk.now)
    text = as_.nobody.text(f"{own(one)}?rating=5")
    assert 'value="5" aria-pressed="true"' in text
    assert SupportRequest.objects.get(pk=one.pk).rating is None
    as_.nobody.post(own(one), {"do": "rate", "rating": "4", "comment": "quick"})
    rated = SupportRequest.objects.get(pk=one.pk)
    assert (rated.rating, rated.rating_comment) == (4, "quick")
    assert as_.nobody.post(own(one), {"do": "rate", "rating": "9"}).status_code == 409


def test_a_confirmation_closes_it(desk, as_):
    one = ask(desk)
    support.resolve(one.pk, "done", "", desk.ana, desk.now)
    as_.nobody.post(own(one), {"do": "confirm"})
    assert SupportRequest.objects.get(pk=one.pk).state == "closed"
    assert "It is closed." in as_.nobody.text(own(one))


@pytest.mark.parametrize("do", ["", "take", "note", "resolve"])
def test_the_link_can_do_nothing_else(desk, as_, do):
    one = ask(desk)
    before = Event.objects.filter(subject_kind="request", subject_id=one.pk).count()
    assert as_.nobody.post(own(one), {"do": do, "text": "x"}).status_code == 200
    assert Event.objects.filter(subject_kind="request", subject_id=one.pk).count() == before


@pytest.fixture
def spoken_for(desk):
    """A community whose representatives decide, and a request of somebody who is none."""
    adopt(desk, representatives={"who": "representatives"})
    community = communities.add_community(
        desk.team, {"name": "Casework", "mail_domains": ["example.net"]}, desk.eva, desk.now
    )
    speaker = Requester.objects.create(
        team=desk.team, name="Sam", email="sam@example.net", community=community, is_representative=True,
        created_at=desk.now,
    )  # fmt: skip
    return ask(desk, request_class="change_request"), speaker


@pytest.mark.parametrize(("word", "approval", "state"), [("yes", "given", "open"), ("no", "refused", "resolved")])
def test_a_representative_says_yes_or_no_by_a_link_of_their_own(desk, as_, spoken_for, word, approval, state):
    """INT-04: somebody else writes, a representative decides."""
    one, speaker = spoken_for
    link = request_links.path_of(one, speaker)
    text = as_.nobody.text(link)
    assert "You speak for Casework, Sam" in text
    assert "Since today." in text
    assert SupportRequest.objects.get(pk=one.pk).approval == "asked"
    as_.nobody.post(link, {"willing": word})
    after = SupportRequest.objects.get(pk=one.pk)
    assert (after.approval, after.state) == (approval, state)
    assert "no longer waits" in as_.nobody.text(link)


def test_a_representatives_link_opens_no_conversation_and_ends_with_the_office(desk, as_, spoken_for):
    one, speaker = spoken_for
    support.answer(one.pk, "Only for Ria", desk.ana, desk.now)
    link = request_links.path_of(one, speaker)
    assert "Only for Ria" not in as_.nobody.text(link)
    assert as_.nobody.get(f"{PAGE}thanks/{link.split('/')[2]}/").status_code == 404
    assert as_.nobody.post(link, {"do": "reply", "text": "x"}).status_code in {200, 409}
    speaker.is_representative = False
    speaker.save()
    assert as_.nobody.get(link).status_code == 404


def test_the_mail_to_a_representative_carries_their_link_and_not_the_requesters(desk, spoken_for):
    one, _ = spoken_for
    letters = Export.objects.filter(key__contains="approval").values_list("payload", flat=True)
    bodies = "\n".join(str(payload["text"]) for payload in letters)
    assert "/r/" in bodies
    assert own(one) not in bodies
