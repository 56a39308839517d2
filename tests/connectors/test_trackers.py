"""The three trackers against servers that answer as documented: write, find again, move, comment, read page by page."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256

from tests.connectors.vendors import CUT, GitHub, GitLab, Jira, Vendor, running
from tests.connectors.world import APP_KEY, PEM, SECRET, settings_for
from tests.egress.outside import HERE, Say
from watchbill.connectors import Busy, Comment, Draft, Newest, all_connectors, read_settings
from watchbill.connectors._adf import read_document, write_document
from watchbill.connectors._calling import next_of
from watchbill.connectors._jwt import sign
from watchbill.connectors._words import split_mark
from watchbill.egress import Client, Response
from watchbill.kit.errors import DeliveryFailed

HTTP = Client(HERE)
NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
DRAFT = Draft(
    "watchbill-T-34-3c9f00", "Disk of db1 grows", "It is full in May.\n\nSee https://watch.example/x.", "",
    ("operations",), link="https://watch.example/tickets/34/", since=NOW,
)  # fmt: skip
MAKERS: dict[str, type[Vendor]] = {"jira": Jira, "github": GitHub, "gitlab": GitLab}
DONE = {"jira": "Done", "github": "closed", "gitlab": "closed"}
NAMES = sorted(MAKERS)


def known(name: str, vendor: Vendor, **more: Any) -> Any:
    return read_settings(name, {**settings_for(name, vendor.url), **more})


@pytest.mark.parametrize("name", NAMES)
def test_an_issue_is_written_and_found_again_by_its_mark(name: str) -> None:
    """BKL-01: the label that parts operations from features goes along."""
    module = all_connectors()[name]
    with running(MAKERS[name]()) as vendor:
        here = known(name, vendor)
        assert module.find(here, HTTP, DRAFT) is None
        made = module.create(here, HTTP, DRAFT)
        assert (made.title, made.labels, made.mark) == (DRAFT.title, ("operations",), DRAFT.mark)
        assert "https://watch.example/tickets/34/" in made.text
        assert "watchbill-T" not in made.text
        again = module.find(here, HTTP, DRAFT)
        assert again is not None
        assert again.ref == made.ref
        assert "Reached" in module.check(here, HTTP)


@pytest.mark.parametrize("name", NAMES)
def test_the_newest_state_is_brought_there_and_twice_changes_nothing(name: str) -> None:
    module = all_connectors()[name]
    newest = Newest(title="Disk of db1 is full", state=DONE[name], labels=("operations", "disk"), assignee="ana")
    with running(MAKERS[name]()) as vendor:
        here = known(name, vendor)
        ref = module.create(here, HTTP, DRAFT).ref
        moved = module.update(here, HTTP, ref, newest)
        assert (moved.title, moved.state) == ("Disk of db1 is full", DONE[name])
        assert set(moved.labels) == {"operations", "disk"}
        assert module.find(here, HTTP, DRAFT).ref == ref
        writes = len(vendor.calls("PUT") + vendor.calls("PATCH") + vendor.calls("POST"))
        assert module.update(here, HTTP, ref, Newest("Disk of db1 is full", DONE[name])).state == DONE[name]
        assert len(vendor.calls("PUT") + vendor.calls("PATCH") + vendor.calls("POST")) == writes


@pytest.mark.parametrize("name", NAMES)
def test_a_comment_whose_answer_was_lost_is_not_written_twice(name: str) -> None:
    module = all_connectors()[name]
    comment = Comment("The new one is ordered.", "Ana", mark="watchbill-m-7-3c9f00", at=NOW)
    with running(MAKERS[name]()) as vendor:
        here = known(name, vendor)
        ref = module.create(here, HTTP, DRAFT).ref
        vendor.trouble.append(("POST " + ("notes" if name == "gitlab" else "comment"), CUT))
        with pytest.raises(DeliveryFailed) as failed:
            module.comment(here, HTTP, ref, comment)
        assert not failed.value.permanent
        assert module.comment(here, HTTP, ref, comment)
        written = vendor.comments[1]
        assert len(written) == 1
        text = read_document(written[0]["body"])
        assert text.startswith("Ana (in Watchbill):")
        assert comment.mark in text


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_read_page_by_page(name: str) -> None:
    module = all_connectors()[name]
    with running(MAKERS[name](page=3)) as vendor:
        here = known(name, vendor)
        for number in range(7):
            module.create(here, HTTP, Draft(f"watchbill-T-{number}-3c9f00", f"Number {number}"))
        titles: list[str] = []
        cursor: str | None = ""
        pages = 0
        while cursor is not None:
            page = module.search(here, HTTP, "project = OPS" if name == "jira" else "", cursor)
            titles += [issue.title for issue in page.issues]
            cursor = page.next
            pages += 1
        assert titles == [f"Number {number}" for number in range(7)]
        assert pages == 3


def test_data_center_pages_by_offset_and_knows_the_total() -> None:
    module = all_connectors()["jira"]
    with running(Jira(page=2)) as vendor:
        here = known("jira", vendor, flavour="data_center")
        for number in range(3):
            module.create(here, HTTP, Draft(f"watchbill-T-{number}-3c9f00", f"Number {number}", "a {panic} [~all]"))
        assert vendor.issues[1]["description"] == "a \\{panic} \\[~all]"
        first = module.search(here, HTTP, "project = OPS", "")
        assert (first.next, first.total) == ("2", 3)
        assert module.search(here, HTTP, "project = OPS", "2").next is None
        assert {heard.headers["authorization"] for heard in vendor.host.heard} == {"Bearer tk_secret_token"}


def test_a_status_that_the_workflow_does_not_lead_to_says_where_it_leads() -> None:
    module = all_connectors()["jira"]
    with running(Jira()) as vendor:
        here = known("jira", vendor)
        ref = module.create(here, HTTP, DRAFT).ref
        with pytest.raises(DeliveryFailed, match="its workflow leads to To Do, In Progress, Done") as failed:
            module.update(here, HTTP, ref, Newest(state="Released"))
        assert failed.value.permanent


@pytest.mark.parametrize("name", NAMES)
def test_who_asks_us_to_wait_says_how_long(name: str) -> None:
    with running(MAKERS[name]()) as vendor:
        vendor.trouble.append(("GET", Say(429, b"slow down", {"Retry-After": "90"})))
        with pytest.raises(Busy) as busy:
            all_connectors()[name].check(known(name, vendor), HTTP)
        assert busy.value.seconds == 90
        vendor.trouble.append(("GET", Say(403, b"secondary rate limit", {"X-RateLimit-Remaining": "0"})))
        with pytest.raises(Busy):
            all_connectors()[name].check(known(name, vendor), HTTP)


def test_a_signature_is_that_of_the_body() -> None:
    body = b'{"action":"opened"}'
    made = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    github, jira, gitlab = (all_connectors()[name] for name in ("github", "jira", "gitlab"))
    here = {name: read_settings(name, settings_for(name, "https://a.example")) for name in NAMES}
    assert github.verify(here["github"], {"x-hub-signature-256": made}, body, NOW)
    assert jira.verify(here["jira"], {"x-hub-signature": made}, body, NOW)
    assert not github.verify(here["github"], {"x-hub-signature-256": made}, body + b" ", NOW)
    assert gitlab.verify(here["gitlab"], {"x-gitlab-token": SECRET}, body, NOW)
    assert not gitlab.verify(here["gitlab"], {"x-gitlab-token": "sécret"}, body, NOW)


def test_github_as_an_app_signs_with_githubs_own_time() -> None:
    module = all_connectors()["github"]
    app = {"token": "", "app_id": "12345", "installation": "678", "private_key": " ".join(PEM.split("\n"))}
    with running(GitHub()) as vendor:
        here = known("github", vendor, **app)
        module.check(here, HTTP)
        asked = next(heard for heard in vendor.host.heard if "access_tokens" in heard.path)
        assert vendor.host.heard[-1].headers["authorization"] == "Bearer ghs_one_hour"
    token = asked.headers["authorization"].removeprefix("Bearer ")
    text, _, signature = token.rpartition(".")

    def decode(part: str) -> bytes:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))

    APP_KEY.public_key().verify(decode(signature), text.encode(), padding.PKCS1v15(), SHA256())
    claims = json.loads(decode(text.split(".")[1]))
    assert claims["iss"] == "12345"
    assert claims["exp"] - claims["iat"] == 600
    with pytest.raises(DeliveryFailed, match="private key"):
        sign(claims, "nonsense")


def test_a_project_field_follows_the_stage() -> None:
    module = all_connectors()["github"]
    with running(GitHub()) as vendor:
        here = known("github", vendor, project="PVT_kwDO")
        ref = module.create(here, HTTP, DRAFT).ref
        module.update(here, HTTP, ref, Newest(state="open", stage="in_progress"))
        assert vendor.column == "o-In Progress"
        vendor.graph_says = {"errors": [{"type": "NOT_FOUND", "message": "Could not resolve to a node"}]}
        with pytest.raises(DeliveryFailed, match="Could not resolve") as failed:
            module.update(here, HTTP, ref, Newest(state="open", stage="done"))
        assert failed.value.permanent


@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_a_query_with_an_unknown_term_is_refused_with_those_there_are(name: str) -> None:
    with running(MAKERS[name]()) as vendor, pytest.raises(DeliveryFailed, match="there are") as failed:
        all_connectors()[name].search(known(name, vendor), HTTP, 'state:open colour:"deep red"', "")
    assert failed.value.permanent


def test_a_document_keeps_its_words_there_and_back() -> None:
    text = "First line\nsecond, see https://a.example/x.\n\nA new paragraph"
    assert read_document(write_document(text)) == text
    table = {"type": "doc", "content": [{"type": "table", "content": [{"type": "tableRow", "content": [
        {"type": "tableCell", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "cell"}]}]},
        {"type": "tableCell", "content": [{"type": "paragraph", "content": [{"type": "mention", "attrs": {"text": "@Ana"}}]}]},
    ]}]}]}  # fmt: skip
    assert read_document(table) == "cell | @Ana |"


def test_what_a_tracker_says_costs_no_more_than_its_length() -> None:
    """Neither a comment of nothing but spaces nor a Link header that never ends holds a worker for minutes."""
    assert split_mark("a" + " " * 90_000 + "b (watchbill-T-1-abcdef)")[1] == "watchbill-T-1-abcdef"
    for part in ("<", "<a>;", "<a> "):
        assert next_of(Response(200, {"link": part * 20_000})) == ""
    assert next_of(Response(200, {"link": '<https://x/?a>; rel="prev", <https://x/?b>; rel="next"'})) == "https://x/?b"
