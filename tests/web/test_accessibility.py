"""Our pages in a browser: WCAG 2.2 AA, no breach of the CSP, the keyboard, and no sideways scrolling on a phone."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth as totp
from playwright.sync_api import Page, expect

from shielding.accounts.models import Role
from tests.accounts.people import PASSWORD, member, organisation, user
from tests.accounts.test_sign_in import code_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.journey]

Check = Callable[[str], None]


@pytest.fixture
def check(page: Page, axe: Callable[[Page], None]) -> Check:
    """Checks the page as it stands; keeps pictures of it where SCREENSHOTS names a folder."""

    def run(name: str) -> None:
        axe(page)
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            for width in (1280, 390):
                page.set_viewport_size({"width": width, "height": 900})
                page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
            page.set_viewport_size({"width": 1280, "height": 720})

    return run


def sign_in(page: Page, email: str) -> None:
    page.goto("/")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_pages_before_sign_in(page: Page, check: Check) -> None:
    page.goto("/accounts/login/")
    check("login")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_title(re.compile("^Error: Sign in"))
    expect(page.locator(".nhsuk-error-summary")).to_be_focused()
    check("login-errors")
    page.get_by_role("link", name="Enter your e-mail address").click()
    expect(page.get_by_label("E-mail address")).to_be_focused()
    page.get_by_label("E-mail address").fill("sam@example.org")
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("The e-mail address or the password is wrong")).to_be_visible()
    check("login-wrong")
    page.goto("/accounts/password/reset/")
    check("password-reset")
    page.goto("/accounts/password/reset/done/")
    check("password-reset-done")
    page.goto("/accounts/password/reset/key/1-nothing/")
    check("password-reset-bad-link")
    page.goto("/accounts/password/reset/key/done/")
    check("password-reset-key-done")
    page.goto("/accounts/inactive/")
    check("inactive")
    page.goto("/no-such-page")


def test_a_link_to_choose_a_password(page: Page, check: Check, mailoutbox: list[Any]) -> None:
    user("sam@example.org")
    page.goto("/accounts/password/reset/")
    page.get_by_label("E-mail address").fill("sam@example.org")
    page.get_by_role("button", name="Send me a link").click()
    expect(page.get_by_role("heading", name="Check your e-mail")).to_be_visible()
    link = re.search(r"http://\S+", mailoutbox[0].body)
    assert link
    page.goto(link[0])
    check("password-new")
    page.get_by_label("New password", exact=True).fill("short")
    page.get_by_label("New password again").fill("other")
    page.get_by_role("button", name="Save new password").click()
    check("password-new-errors")


@pytest.mark.parametrize("role", Role)
def test_home(page: Page, check: Check, role: Role) -> None:
    sign_in(page, member(role).user.email)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    check(f"home-{role.value.lower()}")


def test_somebody_with_long_names_and_two_roles(page: Page, check: Check) -> None:
    who = user("long@example.org", "Wilhelmina Featherstonehaugh-Cholmondeley")
    practice = organisation("PRACTICE", name="The Old Apothecary and Saint Bartholomew's Riverside Group Practice")
    member(Role.PRACTICE_STAFF, of=who, at=practice)
    member(Role.CENTRAL_OPERATOR, of=who)
    sign_in(page, who.email)
    check("home-long")
    page.get_by_role("link", name="Change").click()
    check("choose")
    page.get_by_label("The Old Apothecary").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("You are now working at The Old Apothecary")).to_be_visible()
    check("home-changed")
    page.get_by_role("link", name="Your account").click()
    check("your-account")
    page.goto("/no-such-page")
    check("error-404")
    page.goto("/admin/")
    check("error-403")
    page.goto("/accounts/logout/")
    check("logout")


def test_nobody_in_particular(page: Page, check: Check) -> None:
    user("new@example.org")
    sign_in(page, "new@example.org")
    check("no-membership")


def test_a_second_step_from_start_to_finish(page: Page, check: Check) -> None:
    who = member(Role.GP).user
    sign_in(page, who.email)
    page.goto("/accounts/password/change/")
    check("password-change")
    page.goto("/accounts/two-step/")
    check("second-step-off")
    page.get_by_role("button", name="Set up an app").click()
    check("confirm-password")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    check("app-set-up")
    secret = page.locator("code.app-key").inner_text()
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_text("Your authenticator app is set up")).to_be_visible()
    check("recovery-codes")
    page.goto("/accounts/two-step/recovery-codes/generate/")
    check("recovery-codes-new")
    page.goto("/accounts/two-step/")
    check("second-step-on")
    page.get_by_role("button", name="Stop using the app").click()
    check("app-stop")
    page.goto("/accounts/two-step/reauthenticate/?next=/")
    check("confirm-code")


def test_a_code_at_sign_in(page: Page, check: Check) -> None:
    who = member(Role.GP).user
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(who, secret)
    sign_in(page, who.email)
    check("second-step")
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="What you can do")).to_be_visible()


def test_a_security_key(page: Page, check: Check, live_server: Any) -> None:
    """With the browser's own pretended key."""
    page.goto(live_server.url.replace("127.0.0.1", "localhost"))
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "usb",
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    base = live_server.url.replace("127.0.0.1", "localhost")
    who = member(Role.GP).user

    def enter() -> None:
        page.get_by_label("E-mail address").fill(who.email)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()

    enter()
    page.goto(f"{base}/accounts/two-step/webauthn/add/")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    check("key-add")
    page.get_by_label("Name of the key").fill("Blue key")
    page.get_by_role("button", name="Add the key").click()
    expect(page.get_by_text("Your security key is added")).to_be_visible()
    page.goto(f"{base}/accounts/two-step/webauthn/")
    expect(page.get_by_role("cell", name="Blue key", exact=True)).to_be_visible()
    check("keys")
    page.get_by_role("link", name="Rename").click()
    check("key-rename")
    page.goto(f"{base}/accounts/two-step/webauthn/")
    page.get_by_role("link", name="Remove").click()
    check("key-remove")
    page.goto(f"{base}/accounts/two-step/webauthn/reauthenticate/?next=/your-account")
    check("confirm-key")
    page.get_by_role("button", name="Use a security key").click()
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    enter()
    check("second-step-key")
    page.get_by_role("button", name="Use a security key").click()
    expect(page.get_by_role("heading", name="What you can do")).to_be_visible()


def test_administration_holds_the_policy(page: Page) -> None:
    """Django's own pages: a breach of the CSP fails the `page` fixture. Their markup is not ours to check."""
    administrator = member(Role.ADMINISTRATOR)
    gp = member(Role.GP)
    sign_in(page, administrator.user.email)
    for address in (
        "/admin/",
        "/admin/accounts/user/",
        f"/admin/accounts/user/{gp.user.pk}/change/",
        f"/admin/accounts/user/{gp.user.pk}/password/",
        "/admin/accounts/user/add/",
        "/admin/accounts/organisation/",
        f"/admin/accounts/organisation/{gp.organisation.pk}/change/",
        "/admin/places/postcode/",
    ):
        page.goto(address)
        page.wait_for_load_state("networkidle")
        expect(page.locator("#content h1")).to_be_visible()
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            page.screenshot(path=Path(folder) / f"admin{address.replace('/', '_')[6:30]}.png", full_page=True)


def test_pages_work_without_javascript(browser: Any, live_server: Any) -> None:
    who = member(Role.GP).user
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, who.email)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to Shielding")).to_be_visible()
    context.close()
