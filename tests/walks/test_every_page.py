"""Every page that a person can click to: it answers, fits a phone, and axe finds nothing, in light and in dark."""

from __future__ import annotations

import re
from collections import deque
from html import unescape
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.walks.browser import DESK, PHONE, chromium, complaints_of, sign_in, width_too_much
from tests.walks.serving import Served

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
def demo(tmp_path_factory):
    """Two weeks of the demo's life, served."""
    served = Served(tmp_path_factory.mktemp("demo"))
    served.start("demo", "--weeks", "2", patience=480)
    yield served
    served.stop()


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


def to_judge(urls: list[str], *, last: bool) -> set[str]:
    """Of the pages of one shape axe looks at one: the first on the phone, the last on the desk."""
    return set({shape_of(url): url for url in (urls if last else urls[::-1])}.values())


@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=["phone-dark", "desk-light"])
def test_axe_finds_nothing_on_any_page_and_it_fits(demo, urls, viewport, scheme):
    with chromium() as browser:
        page = browser.new_context(viewport=viewport, color_scheme=scheme).new_page()
        sign_in(page, demo.url, "noor@demo.example", "demo-watchbill")
        said = complaints_of(page)
        judged = to_judge(urls, last=viewport == DESK)
        wrong = []
        for url in urls:
            page.goto(url)
            if wide := width_too_much(page):
                wrong.append(f"{url} is {wide} px too wide")
            found = Axe().run(page).response["violations"] if url in judged else []
            wrong.extend(f"{url}: {one['id']}: {one['nodes'][0]['html'][:120]}" for one in found)
        assert wrong == [], "\n".join(wrong)
        assert said == [], said
