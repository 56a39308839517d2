"""A real browser for the walks: Debian's Chromium, driven by playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright

from tests.environment import ON_POSTGRESQL

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Other tests may have every core for a while. Actions wait as long by playwright's own default.
expect.set_options(timeout=30_000)
# A page that is left cancels what its live parts ask for at that moment, and htmx tells that as an error. Where the
# server was not reached, or answered with an error, the browser complains itself as well.
CANCELLED = ("htmx:afterRequest,", "htmx:sendError,", "htmx:sendAbort,")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser for the length of a test."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert binary, "apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=QUIET)
        yield browser
        browser.close()


def complaints_of(page: Page) -> list[str]:
    """Collect what a page complains about in its console, from now on."""
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(CANCELLED):
            said.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def follow(what: Locator) -> None:
    """Click what leads to another page, and wait until that page is there as a whole: a click only begins the way."""
    with what.page.expect_navigation():
        what.click()


# What axe finds, no database decides: a run on PostgreSQL walks the same ways, and leaves it out.
IS_JUDGED = not ON_POSTGRESQL
# Without the styles read once more, which serves rules that are switched off.
JUDGE = """axe.run({resultTypes: ['violations'], preload: false}).then(
    found => found.violations.map(one => `${one.id}: ${one.nodes[0].html.slice(0, 160)}`))"""


def bring_axe(page: Page) -> None:
    """Have every page that is loaded from now on bring axe along: cheaper than to send it to most of them."""
    if IS_JUDGED:
        page.add_init_script(AXE_SCRIPT)


def faults_of(page: Page) -> list[str]:
    """Give what axe finds wrong with the page as it stands: the rule, and the first place. It was brought along."""
    return list(page.evaluate(JUDGE)) if IS_JUDGED else []


def width_too_much(page: Page) -> int:
    """Give by how many px the loaded page is wider than the screen; 0 when it fits."""
    page.wait_for_load_state()
    return max(0, page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def sign_in(page: Page, url: str, email: str, password: str) -> None:
    """Sign in with a password, as a person does."""
    page.goto(f"{url}/accounts/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    follow(page.get_by_role("button", name="Sign in", exact=True))
    assert "/accounts/login" not in page.url


@dataclass
class Side:
    """One who is at work: their page, what its console says, which pages were looked at as they are on this screen."""

    page: Page
    is_scripted: bool = True
    said: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def look(self, name: str) -> None:
        """Judge the page as it stands, once: axe finds nothing, and nothing scrolls sideways."""
        if name in self.seen:
            return
        self.seen.add(name)
        wide = width_too_much(self.page)
        self.wrong += [f"{name} is {wide} px too wide"] if wide else []
        # axe is a script: without scripts the same pages are judged in the other round.
        found = faults_of(self.page) if self.is_scripted else []
        self.wrong += [f"{name}: {one}" for one in found]

    def press(self, name: str, inside: Locator | None = None) -> None:
        """Press a button that sends its form, and wait for the page that answers."""
        follow((inside or self.page).get_by_role("button", name=name, exact=True).first)

    def check(self) -> None:
        assert self.wrong == []
        assert self.said == []


def side_of(browser: Browser, viewport: dict[str, int], **context: object) -> Side:
    # What arrives is coloured for a second: axe would judge whichever moment of that it meets.
    page = browser.new_context(viewport=viewport, reduced_motion="reduce", **context).new_page()
    bring_axe(page)
    return Side(page, bool(context.get("java_script_enabled", True)), complaints_of(page))
