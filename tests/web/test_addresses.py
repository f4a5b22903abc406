"""Every address of the service: sign-in first, a strict content security policy, nothing inline."""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from shielding.accounts.models import Role
from tests.accounts.people import member

pytestmark = pytest.mark.django_db

#: Whoever adds an address here says why it needs no sign-in.
OPEN = {
    "healthz",  # a load balancer asks
    "accounts/login/",
    "accounts/logout/",  # sends the signed out to sign in
    "accounts/inactive/",  # words only
    "accounts/password/reset/",
    "accounts/password/reset/done/",
    "accounts/password/reset/key/<uidb36>-<key>/",
    "accounts/password/reset/key/done/",
    "accounts/two-step/authenticate/",  # the second step of signing in: sends all others to the first
    "admin/login/",  # sends people to sign in
    "api/v1/schema/",  # how the API works: words only
    # Not offered: "page not found" for everybody.
    "accounts/signup/",
    "accounts/email/",
    "accounts/email/confirm/",
    "accounts/password/set/",
}


#: These are for programs: without a token they say so, and lead nowhere.
API = ("api/v1/", "callbacks/")


def addresses(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for part in (resolver or get_resolver()).url_patterns:
        text = prefix + re.sub(r"^\^|\$$|\\Z", "", str(part.pattern))
        if isinstance(part, URLResolver):
            yield from addresses(part, text)
        else:
            yield re.sub(r"\(\?P(<\w+>)(?:[^()]|\[[^]]*\])*\)", r"\1", text), part


def filled(address: str) -> str:
    """Returns an address with something plausible for each part of it."""
    plausible = {"uuid": str(uuid.uuid4()), "int": "7", "slug": "a-slug"}

    def fill(match: "re.Match[str]") -> str:
        kind, _, name = match[1].rpartition(":")
        return plausible.get(kind, {"uidb36": "1", "key": "set-password"}.get(name, "x"))

    return "/" + re.sub(r"<([^>]+)>", fill, address).replace("(?", "").replace("\\", "")


ALL = sorted({address for address, _ in addresses()})


def test_the_list_of_open_addresses_is_not_out_of_date() -> None:
    assert set(ALL) >= OPEN


@pytest.mark.parametrize("address", [address for address in ALL if address not in OPEN])
def test_sign_in_comes_first(client: Client, address: str) -> None:
    for method in (client.get, client.post):
        answer = method(filled(address))
        if address.startswith(API):
            assert answer.status_code == 401, answer.status_code
            continue
        assert answer.status_code == 302, answer.status_code
        assert answer.url.startswith(("/accounts/login/", "/admin/login/")), answer.url


@pytest.mark.parametrize("address", sorted(OPEN))
def test_open_addresses_show_nobody(client: Client, address: str) -> None:
    answer = client.get(filled(address))
    assert answer.status_code in {200, 302, 404}
    assert answer.status_code != 302 or answer.url.startswith("/accounts/")


def check_headers(answer: Any) -> None:
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    for directive in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert directive in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"


def check_nothing_inline(answer: Any) -> None:
    text = answer.content.decode()
    policy = answer.headers["Content-Security-Policy"]
    for tag, body in re.findall(r"<script([^>]*)>(.*?)</script>", text, re.DOTALL):
        nonce = re.search(r'nonce="([^"]+)"', tag)
        if body.strip() and "application/json" not in tag:
            assert nonce, f"an inline script without a nonce: {body[:80]}"
            assert f"'nonce-{nonce[1]}'" in policy
    assert "<style" not in text
    page = re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL)
    assert not re.search(r"<[^>]+\sstyle=", page), re.search(r"<[^>]+\sstyle=[^>]*>", page)
    assert not re.search(r"<[^>]+\son\w+=", page)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', re.sub(r"<a [^>]*>", "", page))


@pytest.mark.parametrize("role", Role)
def test_no_page_has_anything_inline(client: Client, role: Role) -> None:
    """Opens every address without parts as each role; what the role may not see is an error page, checked too."""
    client.force_login(member(role).user)
    seen = 0
    for address in ALL:
        if "<" in address or "(" in address or address.startswith("admin/jsi18n"):
            continue
        answer = client.get("/" + address)
        if answer.headers["Content-Type"].startswith("text/html") and answer.status_code != 302:
            check_headers(answer)
            check_nothing_inline(answer)
            seen += 1
    assert seen > 10


def test_pages_for_strangers_have_nothing_inline(client: Client) -> None:
    for address in sorted(OPEN):
        answer = client.get(filled(address), follow=True)
        if answer.headers["Content-Type"].startswith("text/html"):
            check_headers(answer)
            check_nothing_inline(answer)


def test_each_answer_has_a_nonce_of_its_own(client: Client) -> None:
    policies = {client.get("/accounts/login/").headers["Content-Security-Policy"] for _ in range(3)}
    assert len({re.search(r"'nonce-([^']+)'", policy)[1] for policy in policies}) == 3  # type: ignore[index]
