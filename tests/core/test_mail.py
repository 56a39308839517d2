"""Reading mail: whatever arrives, its words, its files and its thread are found, or it is called unreadable."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from watchbill.core.mail import read_letter
from watchbill.core.mail_text import fold, html_to_text
from watchbill.kit.errors import Unreadable

REPLY = """Hello,

    def broken():
        pass

still fails.

-- \nRia
+44 20 7946 0000

On Tue, 3 Mar 2026 at 09:00, Platform <desk@example.org> wrote:
> Which page do you see?
>
> Ana
"""


def mail(text: str = "It fails.", **headers: str) -> EmailMessage:
    letter = EmailMessage(policy=SMTP)
    named = {
        "From": "Ria <Ria@Example.net>",
        "To": "desk@example.org",
        "Subject": "I cannot log in",
        "Message-ID": "<1@example.net>",
    }
    for name, value in {**named, **{name.replace("_", "-"): value for name, value in headers.items()}}.items():
        letter[name] = value
    letter.set_content(text)
    return letter


def test_a_mail_is_read_with_its_sender_its_thread_and_whoever_it_was_for():
    """INT-03: mail is one of the doors."""
    letter = read_letter(
        mail(
            In_Reply_To="<9@x.test>",
            References="<7@x.test> <8@x.test> <9@x.test>",
            Cc="List <list@example.org>",
            Delivered_To="desk+platform@example.org",
        ).as_bytes()
    )
    assert (letter.sender.name, letter.sender.email) == ("Ria", "ria@example.net")
    assert letter.recipients == ("desk@example.org", "list@example.org", "desk+platform@example.org")
    assert letter.references == ("<9@x.test>", "<8@x.test>", "<7@x.test>")
    assert (letter.subject, letter.text, letter.automatic) == ("I cannot log in", "It fails.", "")


def test_the_signature_and_the_quoted_past_are_folded_and_nothing_is_lost():
    letter = read_letter(mail(REPLY).as_bytes())
    assert letter.text == "Hello,\n\n    def broken():\n        pass\n\nstill fails."
    assert letter.folded.startswith("-- \nRia")
    assert letter.folded.endswith("> Ana")


def test_an_answer_below_what_it_quotes_is_shown_whole():
    text = "On Tue, 3 Mar 2026 at 09:00, Platform <a@b.test> wrote:\n> Which page?\n\nThe start page."
    assert fold(text) == (text, "")


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="aO n>:-_\nwrote1", max_size=400))
def test_folding_keeps_every_line(text: str):
    new, folded = fold(text)
    words = [line.strip() for line in text.split("\n") if line.strip()]
    assert [line.strip() for line in f"{new}\n{folded}".split("\n") if line.strip()] == words
    assert new or not words


@pytest.mark.parametrize(
    ("charset", "content"),
    [("utf-8", "käse"), ("iso-8859-1", "käse"), ("windows-1252", "käse"), ("x-unknown", "käse"), ("punycode", "käse")],
)
def test_any_charset_is_read(charset: str, content: str):
    sent = content.encode("utf-8" if charset in {"x-unknown", "punycode"} else charset)
    raw = b"From: r@example.net\r\nContent-Type: text/plain; charset=" + charset.encode() + b"\r\n\r\n" + sent
    assert read_letter(raw).text == content


def test_a_subject_in_bytes_that_nobody_declared_is_read():
    raw = "From: Jos\u00e9 <r@example.net>\r\nSubject: na\u00efve\r\n\r\nx".encode()
    letter = read_letter(raw)
    assert (letter.subject, letter.sender.name) == ("na\u00efve", "Jos\u00e9")


def test_an_encoded_name_and_subject_are_decoded():
    raw = b'From: "=?utf-8?q?Jos=C3=A9?=" <r@example.net>\nSubject: =?iso-8859-1?q?caf=E9?= =?utf-8?b?4piD?=\n\nx'
    letter = read_letter(raw)
    assert (letter.sender.name, letter.subject) == ("José", "caf\u00e9\u2603")


def test_plain_words_win_over_html_and_html_alone_keeps_its_links():
    both = mail("plain words")
    both.add_alternative("<p>rich words</p>", subtype="html")
    assert read_letter(both.as_bytes()).text == "plain words"
    alone = EmailMessage()
    alone["From"] = "ria@example.net"
    alone.set_content(
        '<style>p{}</style><p>See <a href="https://x.test/a">this</a> &amp; that.</p><blockquote>old</blockquote>',
        subtype="html",
    )
    assert read_letter(alone.as_bytes()).text.startswith("See this (https://x.test/a) & that.")


def test_html_that_never_ends_costs_no_more_than_its_length():
    for part in ("<!--", "<a ", "<", "<div>", '<a href="', "<style>", "&"):
        html_to_text(part * 50_000)
    html_to_text("<" + "a" * 100_000)


def test_files_come_along_and_those_too_large_are_named():
    letter = mail("See the files.")
    letter.add_attachment(b"x" * 10, maintype="image", subtype="png", filename="../../shot.png")
    letter.add_attachment(b"y" * (10 * 1024 * 1024 + 1), maintype="application", subtype="zip", filename="big.zip")
    read = read_letter(letter.as_bytes())
    assert [(file.name, file.media_type, len(file.content)) for file in read.files] == [("shot.png", "image/png", 10)]
    assert "[left out: big.zip, 10.0 MB; a file may have 10 MB]" in read.text


def test_a_forwarded_mail_comes_along_as_a_file():
    letter = mail("See below.")
    letter.add_attachment(mail("inner words", Subject="Inner"))
    read = read_letter(letter.as_bytes())
    assert read.text == "See below."
    assert [file.media_type for file in read.files] == ["message/rfc822"]
    assert b"inner words" in read.files[0].content


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("Auto-Submitted", "auto-replied; owner-token=x", "reply"),
        ("Auto-Submitted", "no", ""),
        ("Auto-Submitted", "auto-generated", "bulk"),
        ("Precedence", "bulk", "bulk"),
        ("List-Id", "<ops.example.org>", "bulk"),
        ("Return-Path", "<>", "bulk"),
    ],
)
def test_what_a_machine_wrote_is_recognised(name: str, value: str, kind: str):
    assert read_letter(mail(**{name: value}).as_bytes()).automatic == kind


BOUNCE = b"""From: MAILER-DAEMON@mx.test
To: desk@example.org
Return-Path: <>
Message-ID: <bounce-1@mx.test>
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I could not deliver it.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.test

Final-Recipient: rfc822; ria@example.net
Action: failed
Diagnostic-Code: smtp; 550 no such user

--b
Content-Type: text/rfc822-headers

Message-ID: <ours@watchbill.test>
Subject: [R-1] hello
--b--
"""


def test_a_bounce_names_the_mail_that_came_back_and_why():
    letter = read_letter(BOUNCE)
    assert letter.automatic == "bounce"
    assert letter.bounce is not None
    assert letter.bounce.ids == ("<ours@watchbill.test>",)
    assert letter.bounce.failed
    assert "550 no such user" in letter.bounce.reason


def test_a_delay_is_no_failure():
    letter = read_letter(BOUNCE.replace(b"Action: failed", b"Action: delayed"))
    assert letter.bounce is not None
    assert not letter.bounce.failed


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=600))
@example(b"From: a@b\nContent-Type: multipart/mixed; boundary=\n\n--\n")
@example(b"From: a@b\nContent-Type: text/plain; charset*=x'y'%\n\n\xff")
@example(b"From: a@b\nContent-Disposition: attachment; filename*=utf-8''%ff\n\nx")
def test_arbitrary_bytes_are_read_or_called_unreadable(raw: bytes):
    try:
        read_letter(raw)
    except Unreadable:
        return


HEADERS = st.sampled_from(
    ["From", "To", "Subject", "Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "References", "Date"]
)
VALUES = st.sampled_from(
    [
        "multipart/mixed; boundary=b",
        "multipart/alternative; boundary=b",
        "text/html; charset=x",
        "base64",
        "message/rfc822",
    ]
) | st.text(max_size=40)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(HEADERS, VALUES), max_size=6),
    st.lists(st.sampled_from([b"--b", b"--b--", b"x", b"", b"From: a@b"])),
)
def test_anything_that_looks_like_a_mail_is_read_or_called_unreadable(
    headers: list[tuple[str, str]], lines: list[bytes]
):
    head = b"".join(f"{name}: {value}\r\n".encode("utf-8", "replace") for name, value in headers)
    try:
        letter = read_letter(b"From: a@b.test\r\n" + head + b"\r\n" + b"\r\n".join(lines))
    except Unreadable:
        return
    assert "\x00" not in letter.text + letter.subject
