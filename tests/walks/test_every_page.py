"""Every page that a person can click to: it answers, fits a phone, and axe finds nothing, in light and in dark."""

from __future__ import annotations

import re
from collections import deque
from urllib.parse import urldefrag, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.walks.browser import DESK, PHONE, chromium, complaints_of, sign_in
from tests.walks.serving import Served

MOST_OF_A_SHAPE = 2
LEFT_ALONE = re.compile(r"/(accounts/logout|api/docs|static|feeds|files)|\.(ics|csv|webmanifest|json)$|format=csv")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Two weeks of the demo's life, served."""
    served = Served(tmp_path_factory.mktemp("demo"))
    served.start("demo", "--weeks", "2", patience=240)
    yield served
    served.stop()


def shape_of(url: str) -> str:
    """Give the shape of an address: which page it is, whatever it shows."""
    parts = urlsplit(url)
    path = re.sub(r"/\d+(?=/|$)", "/N", parts.path)
    path = re.sub(r"^/(services|rota|teams)/(?!new|add)[a-z0-9-]+", r"/\1/S", path)
    return path + ("?" if parts.query else "")


def pages_of(browser, demo, email: str) -> list[str]:
    """Click to every page from the first one; of many pages of one shape, two."""
    page = browser.new_page(viewport=DESK)
    said = complaints_of(page)
    sign_in(page, demo.url, email, "demo-watchbill")
    seen: dict[str, int] = {}
    found: list[str] = []
    waiting = deque([demo.url + "/"])
    known = {demo.url + "/"}
    while waiting:
        url = waiting.popleft()
        shape = shape_of(url)
        if seen.get(shape, 0) >= MOST_OF_A_SHAPE:
            continue
        seen[shape] = seen.get(shape, 0) + 1
        answer = page.goto(url)
        assert answer is not None
        assert answer.status == 200, f"{url} answered {answer.status}"
        found.append(url)
        for href in page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)"):
            address = urldefrag(href).url
            if address.startswith(demo.url + "/") and address not in known and not LEFT_ALONE.search(address):
                known.add(address)
                waiting.append(address)
    assert said == [], said
    page.close()
    return found


@pytest.fixture(scope="module")
def urls(demo):
    """Every page that Noor, who is on watch and administrates, can click to."""
    with chromium() as browser:
        found = pages_of(browser, demo, "noor@demo.example")
    assert len(found) > 30
    return found


@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=["phone-dark", "desk-light"])
def test_axe_finds_nothing_on_any_page_and_it_fits(demo, urls, viewport, scheme):
    with chromium() as browser:
        page = browser.new_context(viewport=viewport, color_scheme=scheme).new_page()
        sign_in(page, demo.url, "noor@demo.example", "demo-watchbill")
        wrong = []
        for url in urls:
            page.goto(url)
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if wide > 0:
                wrong.append(f"{url} is {wide} px too wide")
            wrong.extend(
                f"{url}: {found['id']}: {found['nodes'][0]['html'][:120]}"
                for found in Axe().run(page).response["violations"]
            )
        assert wrong == [], "\n".join(wrong)
