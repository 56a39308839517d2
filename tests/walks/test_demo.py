"""The demo: built by the real program in a folder of its own, signed in to with what it prints, walked page by page."""

from __future__ import annotations

import re
import subprocess

import httpx2
import pytest

from tests.walks.serving import WATCHBILL, Served

FIRING = "Gateway answers 5xx for 4 % of calls"
COUNT = """
from watchbill.db.models import AlertGroup, Inbox, Person, Rotation, Service, Team
print([model.objects.count() for model in (AlertGroup, Inbox, Person, Rotation, Service, Team)])
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Two weeks, built and then served by a second start; gives the server and what the first start printed."""
    served = Served(tmp_path_factory.mktemp("demo") / "data", WATCHBILL_SECRET="of the demo's walk")
    built = subprocess.run(
        [str(WATCHBILL), "demo", "--weeks", "2", "--no-serve", "--port", str(served.port)],
        check=False,
        env=served.environment,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    before = served.run(COUNT)
    served.start("demo")
    yield served, built, before
    served.stop()


@pytest.fixture(scope="module")
def noor(demo):
    """A visitor with the first account that was printed."""
    served, built, _ = demo
    email = re.search(r"\S+@demo\.example", built.stdout).group()
    password = re.search(r"the password is always (\S+)", built.stdout).group(1)
    with httpx2.Client(base_url=served.url, follow_redirects=True, timeout=30) as client:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', client.get("/accounts/login/").text).group(1)
        words = {"login": email, "password": password, "csrfmiddlewaretoken": token}
        answer = client.post("/accounts/login/", data=words, headers={"Referer": served.url})
        assert answer.status_code == 200
        assert 'aria-label="Main"' in answer.text
        yield client


def links_in(html: str, inside: str) -> list[str]:
    """Give the pages of ours that a part of a page leads to."""
    part = re.search(rf"<{inside}\b.*?</{inside}>", html, re.DOTALL).group()
    found = [
        link for link in re.findall(r'href="(/[^"#]*)"', part) if not link.startswith(("/static/", "/accounts/log"))
    ]
    return list(dict.fromkeys(found))


def test_the_build_says_nothing_went_wrong(demo):
    _, built, _ = demo
    assert built.stderr == ""


def test_now_shows_the_alert_that_fires(noor):
    page = noor.get("/").text
    assert FIRING in page
    assert "Pushes fail for 3 % of builds" in page


def test_every_page_of_the_navigation_opens_and_what_it_lists_too(noor):
    pages = links_in(noor.get("/").text, "nav")
    assert {"/", "/alerts/", "/rota/", "/services/", "/teams/", "/me/"} <= set(pages)
    opened = {}
    for page in pages:
        answer = noor.get(page)
        opened[page] = answer.status_code
        for further in links_in(answer.text, "main")[:12]:
            opened.setdefault(further, noor.get(further).status_code)
    assert {page: status for page, status in opened.items() if status != 200} == {}
    assert len(opened) > 20


def test_the_mailbox_holds_the_page_and_its_link_leads_to_the_button(noor):
    page = noor.get("/demo/mailbox/", params={"to": "noor@demo.example"}).text
    assert f"critical: {FIRING}" in page
    link = re.search(r'href="(http://127\.0\.0\.1:\d+/a/[^"]+)"', page).group(1)
    assert "Acknowledge" in noor.get(link).text


def test_a_second_start_keeps_everything_and_adds_nothing(demo):
    served, built, before = demo
    assert served.run(COUNT) == before
    assert "Building 2 weeks" in built.stdout
