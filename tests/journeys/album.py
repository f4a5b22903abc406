"""Takes the pictures of docs/pictures.md, and holds that page to the pages that Shielding has.

A picture is 800 pixels wide, at a moment that stands still, so that it changes only when the page does.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver, resolve
from django.utils import timezone
from playwright.sync_api import Browser, Page

from shielding.accounts.models import Membership
from shielding.demo.processes import ROOT
from tests.browser import PATIENCE, check_fits
from tests.cohort.factories import MembershipFactory, OrganisationFactory, PatientFactory

MOMENT = datetime(2020, 3, 23, 10, 0, tzinfo=UTC)
SIZE = {"width": 800, "height": 900}
#: A longer page is cut off here: what is below repeats what is above.
TALLEST = 1_300
AS_WEBP = """async (picture) => {
  const image = new Image();
  image.src = `data:image/png;base64,${picture}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.toDataURL("image/webp", 0.75).split(",")[1];
}"""
PAGE = ROOT / "docs" / "pictures.md"
#: Addresses that only do something or give a file, and so look like nothing.
NO_PAGE = {
    "cohort:bulk_confirm",
    "cohort:hospital_errors",
    "cohort:hospital_template",
    "cohort:oversight_csv",
    "cohort:removal_draft",
    "cohort:spreadsheet_download",
    "cohort:spreadsheet_problems",
    "cohort:still_right",
    "cohort:take_back_vulnerable",
    "cohort:undo",
    "cohort:undo_receipt",
    "cohort:withdraw_amendment",
    "letters:approve",
    "letters:approve_translation",
    "letters:approve_version",
    "letters:copy",
    "letters:letter",
    "letters:pause",
    "letters:release",
    "letters:resume",
    "letters:stop",
    "letters:translation_proof",
    "letters:try_again",
    "letters:withdraw_translation",
    "letters:withdraw_version",
}


@dataclass
class Album:
    """The pictures of one section of docs/pictures.md, in its order."""

    page: Page
    client: Client
    address: str
    folder: Path
    taken: list[str] = field(default_factory=list)
    routes: set[str] = field(default_factory=set)

    def sign_in(self, who: Membership) -> None:
        self.client.force_login(who.user)
        cookie = {"name": "sessionid", "value": self.client.cookies["sessionid"].value, "url": self.address}
        self.page.context.add_cookies([cookie])

    def take(self, name: str, url: str = "") -> None:
        """Takes a picture of a page, or of the one that is open."""
        if url:
            self.page.goto(self.address + url)
        self.page.mouse.move(0, 0)
        self.page.evaluate("scrollTo(0, 0)")
        self.page.set_viewport_size(SIZE)
        check_fits(self.page)
        tall = self.page.evaluate("document.documentElement.scrollHeight")
        # A taller window, not a picture of more than the window: what sticks to its edge is then where it is seen.
        self.page.set_viewport_size({"width": SIZE["width"], "height": min(tall, TALLEST)})
        picture = self.page.screenshot(animations="disabled")
        self._keep(name, picture, self.page.url.removeprefix(self.address))

    def take_letter(self, name: str, url: str) -> None:
        """Takes a picture of the first page of a PDF."""
        answer = self.client.get(url)
        with pdfium.PdfDocument(answer.content) as document:
            picture = BytesIO()
            document[0].render(scale=1.25).to_pil().save(picture, "PNG")
        self._keep(name, picture.getvalue(), url)

    def _keep(self, name: str, picture: bytes, path: str) -> None:
        (self.folder / f"{name}.webp").write_bytes(self._smaller(picture))
        self.taken.append(name)
        self.routes.add(resolve(path.partition("?")[0].partition("#")[0]).view_name)

    def _smaller(self, picture: bytes) -> bytes:
        """Returns a PNG as WebP, a third of its size: by the browser, which is here and can."""
        with self.page.context.new_page() as blank:
            return b64decode(blank.evaluate(AS_WEBP, b64encode(picture).decode()))


def named(section: str) -> list[str]:
    """Returns the pictures that a section of docs/pictures.md shows."""
    _, _, text = PAGE.read_text(encoding="utf-8").partition(f"\n## {section}\n")
    return re.findall(r"\]\(pictures/([\w-]+)\.webp\)", text.partition("\n## ")[0])


def routes_of(modules: Iterable[str]) -> set[str]:
    """Returns the names of the addresses whose views are in these modules."""
    found: set[str] = set()
    for resolver in get_resolver().url_patterns:
        for pattern in getattr(resolver, "url_patterns", []):
            view: Any = pattern.callback if isinstance(pattern, URLPattern) else None
            if view is not None and view.__module__ in modules:
                found.add(f"{resolver.app_name}:{pattern.name}")
    return found


@pytest.fixture
def album(
    transactional_db: None,
    browser: Browser,
    live_server: Any,
    client: Client,
    pictures: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Album]:
    """An empty album, on a day that stands still, with people who are numbered from the start."""
    monkeypatch.setattr(timezone, "now", lambda: MOMENT)
    for each in (PatientFactory, OrganisationFactory, MembershipFactory):
        each.reset_sequence(0, force=True)
    context = browser.new_context(base_url=live_server.url, locale="en-GB", timezone_id="Europe/London")
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    yield Album(page, client, live_server.url, pictures)
    context.close()


def check(album: Album, section: str, *modules: str) -> None:
    """Fails where a section of docs/pictures.md shows other pictures, or leaves a page of these modules out."""
    assert named(section) == album.taken
    assert routes_of(modules) - NO_PAGE - album.routes == set()
    missing = [name for name in album.taken if not (ROOT / "docs" / "pictures" / f"{name}.webp").exists()]
    assert not missing, f"Run this with UPDATE_PICTURES=1: {missing}"
