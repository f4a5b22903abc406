"""Fixtures for tests in a real browser: `browser`, `page`, and `axe`, which checks WCAG 2.2 AA.

Register it where it is needed: `from tests.browser import axe, browser, page` in a conftest.py.
Whoever registers it, the run has one Chromium.
"""

import atexit
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from shielding import frontend

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: Describing everything that is as it should be takes longer than looking for what is not.
OPTIONS = {"runOnly": {"type": "tag", "values": WCAG}, "resultTypes": ["violations"]}
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: Milliseconds. Two cores that other tests share are slow, not wrong.
PATIENCE = 30_000
_running: dict[str, Any] = {}


def start() -> Browser:
    """Returns this process's one Chromium, started at the first call."""
    if not _running:
        path = frontend.browser()
        if path is None:
            pytest.skip("No Chromium: python -m shielding.frontend --browser says how to get one")
        expect.set_options(timeout=PATIENCE)
        playwright: Playwright = sync_playwright().start()
        _running["playwright"] = playwright
        _running["browser"] = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        # Playwright's event loop runs in this thread for as long as it lives, and Django refuses
        # to use its database where it sees one.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
        atexit.register(stop)
    return _running["browser"]


def stop() -> None:
    """Ends the Chromium; a later `start` makes a new one."""
    if _running:
        _running.pop("browser").close()
        _running.pop("playwright").stop()
        os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole run."""
    yield start()
    stop()


@pytest.fixture
def page(browser: Browser, live_server: Any) -> Iterator[Page]:
    """A fresh window on the live server: `page.goto("/")`. A breach of the CSP or a script error fails the test."""
    context = browser.new_context(base_url=live_server.url, locale="en-GB", timezone_id="Europe/London")
    window = context.new_page()
    window.set_default_timeout(PATIENCE)
    wrong: list[str] = []
    window.on("pageerror", lambda error: wrong.append(str(error)))
    window.on("console", lambda line: wrong.append(line.text) if "Content Security Policy" in line.text else None)
    yield window
    context.close()
    assert not wrong, wrong


def arrive(page: Page, heading: str) -> None:
    """Waits until the page headed so is there to its last line: a click returns when the next page begins to come."""
    expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
    page.wait_for_load_state()


def check_fits(page: Page) -> None:
    """Fails where a page scrolls sideways in its window, whose size may just have changed."""
    # NHS.UK's header folds its menu a moment after the window has changed. Asked again from here, since the
    # content security policy forbids the page to ask itself.
    for _ in range(50):
        if page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"{page.url} scrolls sideways in a window of {page.viewport_size}")


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """A function that fails where the page breaks WCAG 2.2 AA, or scrolls sideways on a phone (320 px)."""

    def check(page: Page) -> None:
        page.wait_for_load_state()  # a form sent with Enter may still be on its way back
        results = Axe().run(page, options=OPTIONS)
        assert results.violations_count == 0, f"{page.url}\n{results.generate_report()}"
        size = page.viewport_size
        page.set_viewport_size({"width": 320, "height": 800})
        check_fits(page)
        if size:
            page.set_viewport_size(size)

    return check
