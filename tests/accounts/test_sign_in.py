"""Signing in and out, the second step, passwords; and nothing told to those who guess."""

import re
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core import mail
from django.test import Client
from django.urls import reverse

from shielding.accounts.models import Role
from tests.accounts.people import PASSWORD, member, user

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"


def sign_in(client: Client, email: str, password: str = PASSWORD, **more: str) -> Any:
    return client.post(LOGIN, {"login": email, "password": password, **more})


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def code_of(secret: str, *, ago: int = 0) -> str:
    counter = int(time.time()) // 30 - ago
    return totp.format_hotp_value(totp.hotp_value(secret, counter))


def give_app(owner: Any) -> str:
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(owner, secret)
    return secret


def test_the_right_password_leads_home(client: Client) -> None:
    who = member(Role.GP).user
    response = sign_in(client, who.email)
    assert response.status_code == 302
    assert response.url == "/"
    assert "GP" in client.get("/").content.decode()


def test_the_address_may_be_typed_in_capitals(client: Client) -> None:
    who = member(Role.GP).user
    sign_in(client, f" {who.email.upper()} ")
    assert signed_in(client)


def test_people_come_back_to_the_page_they_asked_for(client: Client) -> None:
    who = member(Role.GP).user
    response = client.get("/your-account")
    assert response.url == f"{LOGIN}?next=/your-account"
    assert sign_in(client, who.email, next="/your-account").url == "/your-account"


def test_nobody_is_sent_to_another_host(client: Client) -> None:
    who = member(Role.GP).user
    assert sign_in(client, who.email, next="https://elsewhere.example/").url == "/"


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client: Client) -> None:
    user("sam@example.org")
    wrong = sign_in(client, "sam@example.org", "wrong").content.decode()
    unknown = sign_in(client, "pat@example.org", "wrong").content.decode()

    def comparable(text: str) -> str:
        text = re.sub(r'value="[^"]{64}"', "", text)
        return re.sub(r'nonce="[^"]+"', "", text).replace("pat@", "sam@")

    assert "The e-mail address or the password is wrong" in wrong
    assert comparable(wrong) == comparable(unknown)
    assert "<title>Error: Sign in" in wrong
    assert not signed_in(client)


def test_guessing_is_stopped(client: Client) -> None:
    user("sam@example.org")
    answers = [sign_in(client, "sam@example.org", f"wrong {number}") for number in range(12)]
    assert "Too many wrong tries" in answers[-1].content.decode()
    assert "Too many wrong tries" in sign_in(client, "sam@example.org").content.decode()
    assert not signed_in(client)


def test_a_closed_account_cannot_sign_in_and_is_signed_out_at_once(client: Client) -> None:
    who = member(Role.GP).user
    sign_in(client, who.email)
    who.is_active = False
    who.save()
    assert client.get("/").status_code == 302
    fresh = Client()
    sign_in(fresh, who.email)
    assert not signed_in(fresh)


def test_signing_out_takes_a_post(client: Client) -> None:
    sign_in(client, member(Role.GP).user.email)
    assert "Do you want to sign out?" in client.get("/accounts/logout/").content.decode()
    assert signed_in(client)
    client.post("/accounts/logout/")
    assert not signed_in(client)


def test_a_session_that_ran_out_is_told(client: Client) -> None:
    sign_in(client, member(Role.GP).user.email)
    client.session.flush()
    client.cookies["sessionid"] = "an-old-session-that-is-no-more"
    page = client.get("/your-account", follow=True).content.decode()
    assert "You were signed out because" in page
    assert "You were signed out because" not in Client().get("/your-account", follow=True).content.decode()


def test_an_app_is_asked_for_its_code(client: Client) -> None:
    who = member(Role.GP).user
    secret = give_app(who)
    response = sign_in(client, who.email)
    assert response.url == "/accounts/two-step/authenticate/"
    assert not signed_in(client)
    assert client.get("/").status_code == 302
    page = client.get(response.url).content.decode()
    assert "recovery codes" in page
    wrong = client.post(response.url, {"code": "000000"}).content.decode()
    assert "That code is wrong or too old" in wrong
    assert not signed_in(client)
    assert client.post(response.url, {"code": code_of(secret)}).url == "/"
    assert signed_in(client)


@pytest.mark.parametrize(("ago", "counts"), [(1, True), (3, False)])
def test_a_code_that_has_just_gone_still_counts_and_an_older_one_does_not(
    client: Client, ago: int, counts: bool
) -> None:
    who = member(Role.GP).user
    secret = give_app(who)
    sign_in(client, who.email)
    # At the end of half a minute the code goes while it is typed.
    while time.time() % 30 > 25:
        time.sleep(0.2)
    client.post("/accounts/two-step/authenticate/", {"code": code_of(secret, ago=ago)})
    assert signed_in(client) == counts


def test_a_code_works_once(client: Client) -> None:
    who = member(Role.GP).user
    secret = give_app(who)
    code = code_of(secret)
    for expected in (True, False):
        fresh = Client()
        sign_in(fresh, who.email)
        fresh.post("/accounts/two-step/authenticate/", {"code": code})
        assert signed_in(fresh) is expected


@pytest.mark.django_db(transaction=True)
def test_an_app_is_set_up_with_recovery_codes_and_given_up(client: Client) -> None:
    who = member(Role.GP).user
    sign_in(client, who.email)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    secret = re.search(r'<code class="app-key">(\w+)</code>', page)
    assert secret
    response = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret[1])}, follow=True)
    text = response.content.decode()
    assert "Your authenticator app is set up" in text
    codes = re.findall(r'<code class="app-key">(\d+)</code>', text)
    assert len(codes) == 10
    assert codes[0] in client.get(reverse("mfa_download_recovery_codes")).content.decode()
    assert "An authenticator app was set up." in [message.body.splitlines()[2] for message in mail.outbox]
    fresh = Client()
    sign_in(fresh, who.email)
    assert fresh.post("/accounts/two-step/authenticate/", {"code": codes[0]}).url == "/"
    client.post(reverse("mfa_deactivate_totp"))
    assert not Authenticator.objects.filter(user=who, type="totp").exists()


def test_nothing_about_sign_in_changes_without_the_password_again(client: Client) -> None:
    who = member(Role.GP).user
    client.force_login(who)
    response = client.get(reverse("mfa_activate_totp"))
    assert response.status_code == 302
    assert response.url.startswith("/accounts/reauthenticate/")
    page = client.get(response.url).content.decode()
    assert "Confirm that it is you" in page
    answer = client.post(response.url, {"password": PASSWORD, "next": reverse("mfa_activate_totp")})
    assert answer.url == reverse("mfa_activate_totp")


def test_a_forgotten_password_is_reset_with_a_link_that_works_once(client: Client) -> None:
    who = member(Role.GP).user
    client.post(reverse("account_reset_password"), {"email": who.email.upper()})
    [message] = mail.outbox
    assert message.to == [who.email]
    assert message.subject == "Shielding: Choose a new password"
    link = re.search(r"http://testserver(\S+)", message.body)
    assert link
    form = client.get(link[1], follow=True)
    assert "Choose a new password" in form.content.decode()
    address = form.redirect_chain[-1][0]
    weak = client.post(address, {"password1": "short", "password2": "short"}).content.decode()
    assert "too short" in weak
    done = client.post(address, {"password1": "a new set of words", "password2": "a new set of words"}, follow=True)
    assert "Your password is changed" in done.content.decode()
    assert sign_in(client, who.email, "a new set of words").url == "/"
    assert "This link does not work" in Client().get(link[1], follow=True).content.decode()


def test_a_reset_tells_nothing_about_who_has_an_account(client: Client) -> None:
    user("sam@example.org")
    known = client.post(reverse("account_reset_password"), {"email": "sam@example.org"}, follow=True)
    unknown = client.post(reverse("account_reset_password"), {"email": "pat@example.org"}, follow=True)
    strip = re.compile(r'nonce="[^"]+"')
    assert strip.sub("", known.content.decode()) == strip.sub("", unknown.content.decode())
    assert [message.to for message in mail.outbox] == [["sam@example.org"]]


def test_a_password_is_changed_by_somebody_who_knows_it(client: Client) -> None:
    who = member(Role.GP).user
    sign_in(client, who.email)
    other = Client()
    sign_in(other, who.email)
    new = {"password1": "a new set of words", "password2": "a new set of words"}
    wrong = client.post(reverse("account_change_password"), {"oldpassword": "wrong", **new}).content.decode()
    assert "That is not your password" in wrong
    client.post(reverse("account_change_password"), {"oldpassword": PASSWORD, **new})
    assert signed_in(client)
    assert client.get("/").status_code == 200
    assert other.get("/").status_code == 302, "other sessions end"
    assert "Your password was changed." in mail.outbox[-1].body


@pytest.mark.parametrize("name", ["account_signup", "account_email", "account_set_password"])
def test_what_is_not_offered_is_not_there(client: Client, name: str) -> None:
    assert client.get(reverse(name)).status_code == 404
    assert client.post(reverse(name), {"email": "new@example.org"}).status_code == 404
