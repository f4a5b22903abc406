"""Error pages: plain English, what to do, and nothing of the inside."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import connection
from django.http import HttpRequest
from django.test import Client
from django.urls import path

from shielding.accounts.models import Role
from shielding.accounts.policies import NotAllowed
from shielding.urls import handler400, handler403, handler404, handler500  # noqa: F401
from shielding.urls import urlpatterns as real
from tests.accounts.people import member

pytestmark = pytest.mark.django_db
SECRET = "what the inside says"


def refuse(request: HttpRequest) -> None:
    raise NotAllowed("Your role does not allow you to sign off a list.")


def deny(request: HttpRequest) -> None:
    raise PermissionDenied(SECRET)


def suspect(request: HttpRequest) -> None:
    raise SuspiciousOperation(SECRET)


def fail(request: HttpRequest) -> None:
    raise ValueError(SECRET)


urlpatterns = [
    *real,
    path("refuse", refuse),
    path("deny", deny),
    path("suspect", suspect),
    path("fail", fail),
]


@pytest.fixture
def gp(client: Client, settings: Any) -> Client:
    settings.ROOT_URLCONF = __name__
    client.force_login(member(Role.GP).user)
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/refuse", 403, "Your role does not allow you to sign off a list."),
        ("/deny", 403, "Your role does not allow it."),
        ("/suspect", 400, "We could not understand that"),
        ("/fail", 500, "Wait a minute, go back, and try again."),
        ("/no-such-page", 404, "Page not found"),
    ],
)
def test_an_error_says_what_to_do_and_nothing_of_the_inside(gp: Client, address: str, status: int, words: str) -> None:
    answer = gp.get(address)
    text = answer.content.decode()
    assert answer.status_code == status
    assert words in text
    assert SECRET not in text
    assert "Traceback" not in text
    assert 'href="/"' in text
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_the_page_for_our_mistakes_needs_no_database(gp: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(3):  # session, user, memberships: found before the view failed
        gp.get("/fail")


def test_words_are_left_where_templates_fail(gp: Client, settings: Any, tmp_path: Path) -> None:
    settings.TEMPLATES = [
        {**engine, "DIRS": [tmp_path], "APP_DIRS": False, "OPTIONS": {}} for engine in settings.TEMPLATES
    ]
    answer = gp.get("/fail")
    assert answer.status_code == 500
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_a_form_that_is_out_of_date_is_told() -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post("/accounts/login/", {"login": "sam@example.org", "password": "x"})
    assert answer.status_code == 403
    assert "The page was out of date" in answer.content.decode()


def test_health_needs_no_sign_in(client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"database": "reachable"}


def test_health_tells_of_a_lost_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    def lost(*args: Any, **options: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(connection, "cursor", lost)
    assert client.get("/healthz").status_code == 503


def test_a_deployment_passes_djangos_own_checks() -> None:
    environment = {
        # Playwright's, where a browser has run in this process: see `tests.browser.start`.
        **{name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"},
        "SERVICE_URL": "https://shielding.example.nhs.uk",
        "ALLOWED_HOSTS": "shielding.example.nhs.uk",
        "SECRET_KEY": "x9" * 13 + "-a-key-of-a-deployment-of-our-own-8Qz",
        "BEHIND_PROXY": "1",
        "DEBUG": "0",
        "DJANGO_SETTINGS_MODULE": "shielding.settings",
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "django", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
