"""Mail that comes to a desk: threads, strangers, the team's own answers, machines, and what nobody understands."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.mail_world import DESK, arrives, give_desk, letter
from tests.world import World, make_person
from watchbill.actions import desk_inbox, support
from watchbill.db.models import Desk, Event, Export, Inbox, Message, Policy, SupportRequest, Team
from watchbill.kit.errors import NotAllowed

pytestmark = pytest.mark.django_db(transaction=True)


def opened(world: World) -> SupportRequest:
    give_desk(world)
    arrives(world, letter())
    return SupportRequest.objects.get()


def received(world: World, address: str = "ria@example.net") -> list:
    return [mail for mail in world.mailbox.messages if mail["X-To"] == address]


def kinds(request: SupportRequest) -> list[str]:
    lines = Event.objects.filter(subject_kind="request", subject_id=request.pk).order_by("id")
    return list(lines.values_list("kind", flat=True))


def test_a_mail_becomes_a_request_at_the_desk_it_was_sent_to(world: World) -> None:
    """INT-03, INT-04: mail is a door like the others; its requester hears that we have it."""
    request = opened(world)
    assert (request.team, request.title, request.door) == (world.team, "I cannot log in", "email")
    assert (request.requester.name, request.requester.email) == ("Ria", "ria@example.net")
    assert Message.objects.filter(direction="in").get().text == "It fails since this morning."
    confirmation = received(world)[0]
    assert confirmation["Subject"] == f"[R-{request.pk}] I cannot log in"
    assert confirmation["From"] == f"Platform <{DESK}>"
    assert confirmation["In-Reply-To"] == "<1@example.net>"
    assert confirmation["Auto-Submitted"] == "auto-generated"


def test_the_same_mail_twice_makes_one_request(world: World) -> None:
    """INT-08: a mail delivered twice, or read again, makes nothing twice."""
    opened(world)
    row = arrives(world, letter())
    Inbox.objects.filter(pk=row.pk).update(state=Inbox.WAITING)
    world.work()
    assert (SupportRequest.objects.count(), Message.objects.filter(direction="in").count()) == (1, 1)
    assert len(received(world)) == 1


def test_a_reply_finds_its_request_by_the_mail_it_answers(world: World) -> None:
    request = opened(world)
    support.answer(request.pk, "Which page?", world.ana, world.now)
    world.work()
    answer = received(world)[-1]
    assert answer.get_content().strip() == "Which page?"
    assert "Auto-Submitted" not in answer
    reply = letter("The first.", id="<2@example.net>", subject="whatever", In_Reply_To=str(answer["Message-ID"]))
    arrives(world, reply)
    assert SupportRequest.objects.count() == 1
    assert Message.objects.filter(request=request, direction="in").latest("id").text == "The first."
    assert SupportRequest.objects.get().waiting_on == "us"


def test_nobody_writes_into_a_request_by_guessing_a_message_id(world: World) -> None:
    """A Message-ID of ours counts only with its signature."""
    request = opened(world)
    forged = f"<request-{request.pk}.message-1.0123456789abcdef@watchbill.test>"
    arrives(world, letter("Let me in", sender="Eve <eve@evil.example>", id="<e@evil.example>", In_Reply_To=forged))
    assert SupportRequest.objects.count() == 2
    assert Message.objects.filter(request=request, direction="in").count() == 1


@pytest.mark.parametrize(("sender", "joins"), [("ria@example.net", True), ("eve@evil.example", False)])
def test_the_number_in_the_subject_counts_from_whoever_asked_only(world: World, sender: str, joins: bool) -> None:
    request = opened(world)
    arrives(world, letter("More.", sender=sender, id="<2@x.example>", subject=f"Re: [R-{request.pk}] I cannot log in"))
    assert (Message.objects.filter(request=request, direction="in").count() == 2) == joins
    assert (SupportRequest.objects.count() == 1) == joins


def test_a_mail_to_no_desk_is_kept_shown_told_and_read_again(world: World) -> None:
    """INT-08: what nobody can place is not lost and not silent."""
    admin = make_person("Root", world.now, is_superuser=True)
    row = arrives(world, letter(to="nobody@platform.example"))
    assert (row.state, row.error) == (
        Inbox.NOT_UNDERSTOOD,
        "no desk has this address: it was sent to nobody@platform.example",
    )
    assert list(desk_inbox.not_understood()) == [row]
    assert Event.objects.filter(kind="desk.not_understood").count() == 1
    with pytest.raises(NotAllowed):
        desk_inbox.replay(row, world.ana, world.now)
    give_desk(world, "nobody@platform.example")
    desk_inbox.replay(row, admin, world.now)
    world.work()
    assert SupportRequest.objects.get().title == "I cannot log in"
    assert list(desk_inbox.not_understood()) == []


def test_a_bad_row_never_stops_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """INT-08: a reader's bug keeps its own row as failed, and nothing else."""

    def broken(row: Inbox, now: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setitem(desk_inbox.READERS, "broken", broken)
    give_desk(world)
    bad = desk_inbox.store("broken", 0, b"x", {}, "", world.now)
    unknown = desk_inbox.store("nobody reads this", 0, b"x", {}, "", world.now)
    arrives(world, letter())
    states = dict(Inbox.objects.values_list("pk", "state"))
    assert (states[bad], states[unknown]) == (Inbox.FAILED, Inbox.NOT_UNDERSTOOD)
    assert SupportRequest.objects.count() == 1


def test_what_comes_to_a_desk_is_no_alert_of_a_service(world: World) -> None:
    give_desk(world)
    desk_inbox.store("mail", 0, letter().as_bytes(), {}, "", world.now)
    world.event()
    world.work()
    assert Inbox.objects.exclude(state=Inbox.PARSED).count() == 0
    assert (SupportRequest.objects.count(), world.page().state) == (1, "climbing")


def test_a_member_answers_by_mail_from_their_own_address(world: World) -> None:
    """INT-03: the notice that reached Ana can be answered; the requester receives it from the desk."""
    request = opened(world)
    notice = world.mailbox.to(world.ana)[-1]
    reply = letter(
        "Try again now.\n\n-- \nAna", sender="Ana <ana@example.org>", id="<a@x>", In_Reply_To=str(notice["Message-ID"])
    )
    arrives(world, reply)
    arrives(world, reply)
    message = Message.objects.filter(request=request, direction="out", author=world.ana).get()
    assert (message.text, message.folded, message.door) == ("Try again now.", "-- \nAna", "email")
    assert SupportRequest.objects.get().first_response_at == world.now
    forwarded = received(world)[-1]
    assert forwarded.get_content().strip() == "Try again now."
    assert forwarded["From"] == f"Platform <{DESK}>"


def test_somebody_of_another_team_who_has_the_thread_is_heard_as_a_requester(world: World) -> None:
    request = opened(world)
    confirmation = received(world)[0]
    reply = letter("Me too.", sender="charlie@example.org", id="<c@x>", In_Reply_To=str(confirmation["Message-ID"]))
    arrives(world, reply)
    assert Message.objects.filter(request=request, direction="in").count() == 2


def test_an_unverified_address_of_a_member_does_not_speak_for_the_team(world: World) -> None:
    request = opened(world)
    world.ben.addresses.update(verified_at=None)
    answer = str(received(world)[0]["Message-ID"])
    arrives(world, letter("All good.", sender="ben@example.org", id="<b@x>", In_Reply_To=answer))
    assert Message.objects.filter(request=request, direction="in").count() == 2
    assert SupportRequest.objects.get().first_response_at is None


def test_a_holiday_notice_is_kept_beside_the_request_and_moves_nothing(world: World) -> None:
    request = opened(world)
    support.resolve(request.pk, "done", "", world.ana, world.now)
    world.work()
    before = len(world.mailbox.messages)
    notice = letter("I am away.", id="<h@x>", In_Reply_To=str(received(world)[-1]["Message-ID"]))
    notice["Auto-Submitted"] = "auto-replied"
    arrives(world, notice)
    assert SupportRequest.objects.get().state == "resolved"
    assert Message.objects.filter(request=request, direction="note").get().text == "I am away."
    assert len(world.mailbox.messages) == before


@pytest.mark.parametrize("header", [("Auto-Submitted", "auto-generated"), ("Precedence", "bulk"), ("List-Id", "<l.x>")])
def test_what_a_machine_wrote_is_taken_in_and_never_answered(world: World, header: tuple[str, str]) -> None:
    give_desk(world)
    mail = letter()
    mail[header[0]] = header[1]
    arrives(world, mail)
    assert SupportRequest.objects.count() == 1
    assert received(world) == []


def test_two_machines_that_answer_each_other_are_stopped(world: World) -> None:
    """At most so many confirmations per requester and hour."""
    give_desk(world)
    for number in range(8):
        arrives(world, letter(id=f"<{number}@example.net>"))
    assert SupportRequest.objects.count() == 8
    assert len(received(world)) == 5
    world.forward(hours=1, minutes=1)
    arrives(world, letter(id="<9@example.net>"))
    assert len(received(world)) == 6


BOUNCE = """From: MAILER-DAEMON@mx.test
To: desk@platform.example
Return-Path: <>
Message-ID: <bounce@mx.test>
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.test

Final-Recipient: rfc822; ria@example.net
Action: failed
Diagnostic-Code: smtp; 550 no such user

--b
Content-Type: text/rfc822-headers

Message-ID: {id}
--b--
"""


def test_a_mail_that_comes_back_is_told_to_whoever_has_the_request(world: World) -> None:
    request = opened(world)
    support.take(request.pk, world.ben, world.now)
    bounce = BOUNCE.format(id=received(world)[0]["Message-ID"]).encode()
    arrives(world, bounce)
    arrives(world, bounce)
    assert kinds(request).count("request.undeliverable") == 1
    told = [mail["Subject"] for mail in world.mailbox.to(world.ben)]
    assert told == ["A mail did not arrive: I cannot log in"]
    assert SupportRequest.objects.count() == 1


def test_a_refused_address_is_told_and_one_that_is_away_is_tried_again(world: World) -> None:
    give_desk(world)
    world.mailbox.refuse("ria@example.net", "451 try later")
    arrives(world, letter())
    request = SupportRequest.objects.get()
    assert Export.objects.get(what="mail").state == "waiting"
    world.mailbox.refuse("ria@example.net", "550 no such user")
    world.forward(seconds=30)
    assert Export.objects.get(what="mail").state == "failed"
    assert kinds(request).count("request.undeliverable") == 1
    assert "A mail did not arrive: I cannot log in" in [mail["Subject"] for mail in world.mailbox.to(world.ana)]


def test_a_lease_that_ended_makes_the_same_mail_leave_with_the_same_id(world: World) -> None:
    opened(world)
    Export.objects.update(state="waiting", due_at=world.now)
    world.work()
    ids = [mail["Message-ID"] for mail in received(world)]
    assert len(ids) == 2
    assert len(set(ids)) == 1


def test_files_come_with_a_mail_and_leave_with_an_answer(world: World) -> None:
    give_desk(world)
    mail = letter()
    mail.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="shot.png")
    arrives(world, mail)
    request = SupportRequest.objects.get()
    attached = Message.objects.get(direction="in").attachments.get()
    assert (attached.name, bytes(attached.content)) == ("shot.png", b"\x89PNG")
    notice = world.mailbox.to(world.ana)[-1]
    reply = letter("See here.", sender="ana@example.org", id="<a@x>", In_Reply_To=str(notice["Message-ID"]))
    reply.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="how.pdf")
    arrives(world, reply)
    sent = [part.get_filename() for part in received(world)[-1].iter_attachments()]
    assert sent == ["how.pdf"]
    assert request.pk == Message.objects.get(direction="out", author=world.ana).request_id


def test_a_reply_long_after_the_end_begins_anew(world: World) -> None:
    request = opened(world)
    first = str(received(world)[0]["Message-ID"])
    support.resolve(request.pk, "done", "", world.ana, world.now)
    SupportRequest.objects.update(state="closed", closed_at=world.now - timedelta(days=400))
    arrives(world, letter("Again!", id="<2@x>", In_Reply_To=first))
    assert SupportRequest.objects.count() == 2


def test_mail_from_the_desks_own_address_begins_nothing(world: World) -> None:
    give_desk(world)
    row = arrives(world, letter(sender=DESK))
    assert row.state == Inbox.NOT_UNDERSTOOD
    assert SupportRequest.objects.count() == 0


def test_the_first_desk_among_the_recipients_takes_it(world: World) -> None:
    give_desk(world)
    other = Team.objects.get(slug="payments")
    Desk.objects.create(team=other, mail_address="pay@platform.example")
    arrives(world, letter(to=f"someone@else.example, pay@platform.example, {DESK}"))
    assert SupportRequest.objects.get().team == other


def test_what_the_team_calls_noise_is_a_closed_request_that_nobody_hears_of(world: World) -> None:
    """INT-03: budget alerts and the like follow the team's own list, and can be reopened."""
    lines = {"lines": [{"subject": "budget alert", "act": "log_and_close"}]}
    settings = {"rules": {"noise": lines}}
    Policy.objects.create(
        team=world.team, version=9, preset="laa-ops", settings=settings, adopted_at=world.now, why="test"
    )
    give_desk(world)
    arrives(world, letter(subject="Budget alert: 90 %"))
    assert SupportRequest.objects.get().state != "open"
    assert world.mailbox.messages == []


def test_a_mail_too_large_to_be_taken_whole_says_so_in_its_words(world: World) -> None:
    give_desk(world)
    head = letter().as_bytes().partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    desk_inbox.store("mail", 0, head, {"too_large": 60 * 1024**2}, "", world.now)
    world.work()
    text = Message.objects.get(direction="in").text
    assert text == "[left out: all of this mail but its headers, 60 MB]"
