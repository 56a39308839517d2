"""The demo: built by the real program in a folder of its own, signed in to with what it prints, walked page by page.

Then every page that a person can click to: it answers, fits a phone, and axe finds nothing, in light and in dark.
"""

from __future__ import annotations

import re
import subprocess
from collections import deque
from collections.abc import Iterator
from html import unescape
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx2
import pytest

from tests.doors.intake_world import KIND
from tests.walks.browser import (
    DESK,
    PHONE,
    bring_axe,
    chromium,
    complaints_of,
    faults_of,
    sign_in,
    width_too_much,
)
from tests.walks.serving import WATCHBILL, Served

FIRING = "Gateway answers 5xx for 4 % of calls"
MOST_OF_A_SHAPE = 2
# Beside what is no page: the links of mails that were used, and are gone.
LEFT_ALONE = re.compile(
    r"/(a|join)/|/(accounts/logout|api/docs|static|feeds|files)|\.(ics|csv|webmanifest|json)$|format=csv"
)
HREF = re.compile(r"""<a\b[^>]*?\shref=["']([^"']+)""")
# What must be among the pages, so that a crawl that no longer finds the way fails.
REACHED = (
    "/", "/alerts/", "/rota/", "/services/", "/teams/", "/people/", "/me/", "/settings/", "/requests/",
    "/requests/N/", "/requests/new/", "/support/S/", "/r/T/", "/teams/S/desk/", "/teams/S/communities/", "/tickets/",
    "/tickets/N/", "/tickets/new/", "/board/", "/grooming/", "/sprints/", "/sprints/N/", "/next/", "/teams/S/connectors/",
)  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Where the demo is served, once it is built."""
    data = tmp_path_factory.mktemp("demo") / "data"
    store = KIND.make(data, "demo")
    yield Served(data, store, WATCHBILL_SECRET="of the demo's walk")
    store.drop()


@pytest.fixture(scope="module")
def built(served: Served) -> subprocess.CompletedProcess[str]:
    """Two weeks, built by a first start; gives what it printed."""
    done = subprocess.run(
        [str(WATCHBILL), "demo", "--weeks", "2", "--no-serve", "--port", str(served.port)],
        check=False,
        env=served.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def before(built: subprocess.CompletedProcess[str], served: Served) -> list[int]:
    """How much there was when it was built."""
    return count(served)


@pytest.fixture(scope="module")
def demo(served: Served, before: list[int]) -> Iterator[Served]:
    """What was built, served by a second start."""
    served.start("demo")
    yield served
    served.stop()


def count(served: Served) -> list[int]:
    tables = ("alertgroup", "inbox", "person", "rotation", "service", "team")
    return [served.store.query(f"SELECT count(*) FROM watchbill_{table}")[0][0] for table in tables]


@pytest.fixture(scope="module")
def noor(demo: Served, built: subprocess.CompletedProcess[str]) -> Iterator[httpx2.Client]:
    """A visitor with the first account that was printed."""
    email = re.search(r"\S+@demo\.example", built.stdout).group()
    password = re.search(r"the password is always (\S+)", built.stdout).group(1)
    with httpx2.Client(base_url=demo.url, follow_redirects=True, timeout=30) as client:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', client.get("/accounts/login/").text).group(1)
        words = {"login": email, "password": password, "csrfmiddlewaretoken": token}
        answer = client.post("/accounts/login/", data=words, headers={"Referer": demo.url})
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


def test_the_build_says_nothing_went_wrong(built):
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


def test_a_second_start_keeps_everything_and_adds_nothing(demo, built, before):
    assert count(demo) == before
    assert "Building 2 weeks" in built.stdout


def shape_of(url: str) -> str:
    """Give the shape of an address: which page it is, whatever it shows."""
    parts = urlsplit(url)
    path = re.sub(r"/\d+(?=/|$)", "/N", parts.path)
    path = re.sub(r"/[^/]{25,}(?=/|$)", "/T", path)
    path = re.sub(r"^/(services|rota|teams|support)/(?!new|add)[a-z0-9-]+", r"/\1/S", path)
    path = re.sub(r"^(/teams/S/communities)/(?!new)[a-z0-9-]+", r"\1/S", path)
    return path + ("?" if parts.query else "")


def pages_of(browser, demo, email: str) -> list[str]:
    """Follow every link from the first page and from the mails that requesters got; of many pages of one shape, two."""
    page = browser.new_page(viewport=DESK)
    sign_in(page, demo.url, email, "demo-watchbill")
    seen: dict[str, int] = {}
    found: list[str] = []
    known = [demo.url + path for path in ("/", "/demo/mailbox/?to=bastian@shop.example")]
    waiting = deque(known)
    while waiting:
        url = waiting.popleft()
        shape = shape_of(url)
        if seen.get(shape, 0) >= MOST_OF_A_SHAPE:
            continue
        seen[shape] = seen.get(shape, 0) + 1
        answer = page.request.get(url)
        assert answer.status == 200, f"{url} answered {answer.status}"
        if not answer.headers["content-type"].startswith("text/html"):
            continue  # a file or a feed: no page
        found.append(url)
        for href in HREF.findall(answer.text()):
            address = urldefrag(urljoin(url, unescape(href))).url
            if "/demo/mailbox/" in url and "/r/" not in address:
                continue  # the mails of others lead to what is theirs
            if address.startswith(demo.url + "/") and address not in known and not LEFT_ALONE.search(address):
                known.append(address)
                waiting.append(address)
    page.close()
    return found


@pytest.fixture(scope="module")
def urls(demo):
    """Every page that Noor, who is on watch and administrates, can click to."""
    with chromium() as browser:
        found = pages_of(browser, demo, "noor@demo.example")
    shapes = {shape_of(url) for url in found}
    assert [shape for shape in REACHED if not shapes & {shape, shape + "?"}] == []
    return found


def judged_in(urls: list[str], viewport: dict[str, int]) -> set[str]:
    """Of the pages of one shape axe looks at one: the first on the phone, the last on the desk."""
    return set({shape_of(url): url for url in (urls if viewport == DESK else urls[::-1])}.values())


def test_every_page_that_an_administrator_can_click_to_answers(urls):
    """Whoever follows the links finds the pages; one that does not answer ends the way."""
    assert len(urls) > 150


@pytest.mark.looks
def test_axe_finds_nothing_on_any_page_and_it_fits(demo, urls):
    """WCAG 2.2 AA: each page on a phone in the dark and on a desk in the light, one after the other."""
    looks = [(PHONE, "dark", judged_in(urls, PHONE)), (DESK, "light", judged_in(urls, DESK))]
    with chromium() as browser:
        page = browser.new_context(viewport=PHONE, reduced_motion="reduce").new_page()
        bring_axe(page)
        sign_in(page, demo.url, "noor@demo.example", "demo-watchbill")
        said = complaints_of(page)
        wrong = []
        for url in urls:
            page.goto(url)
            for viewport, scheme, judged in looks:
                page.set_viewport_size(viewport)
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                if wide := width_too_much(page):
                    wrong.append(f"{url} is {wide} px too wide at {viewport['width']}")
                wrong.extend(f"{url}, {scheme}: {one}" for one in (faults_of(page) if url in judged else []))
            # The screen on which this page ends is the one on which the next begins.
            looks.reverse()
        assert wrong == [], "\n".join(wrong)
        assert said == [], said
