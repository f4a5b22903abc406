"""Which membership somebody works under, and what an ended one is worth."""

import datetime

import pytest
from django.test import Client
from django.utils import timezone

from shielding.accounts.admin_actions import NotYours, end_membership, save_user
from shielding.accounts.models import Membership, Role
from tests.accounts.people import PASSWORD, member, organisation, user

pytestmark = pytest.mark.django_db
NOW = datetime.datetime(2020, 3, 21, 9, tzinfo=datetime.UTC)


@pytest.fixture
def two() -> tuple[Membership, Membership]:
    """Two roles of one person; the practice comes first by name."""
    gp = member(Role.GP)
    centre = member(Role.CENTRAL_OPERATOR, of=gp.user, at=organisation("CENTRE", name="Zeal House"))
    return gp, centre


def test_somebody_with_two_roles_chooses_and_sees_it_on_every_page(
    client: Client, two: tuple[Membership, Membership]
) -> None:
    gp, centre = two
    client.force_login(gp.user)
    assert "GP, Hawthorn practice" in client.get("/").content.decode()
    page = client.get("/organisation").content.decode()
    assert "Zeal House (Central operator)" in page
    answer = client.post("/organisation", {"membership": str(centre.id)}, follow=True)
    text = answer.content.decode()
    assert "You are now working at Zeal House as Central operator." in text
    assert "Central operator, Zeal House" in client.get("/your-account").content.decode()


def test_somebody_with_one_role_is_not_asked(client: Client) -> None:
    client.force_login(member(Role.GP).user)
    assert "/organisation" not in client.get("/").content.decode()


def test_nobody_works_under_what_is_not_theirs(client: Client, two: tuple[Membership, Membership]) -> None:
    strangers = member(Role.LA_STAFF)
    client.force_login(two[0].user)
    answer = client.post("/organisation", {"membership": str(strangers.id)})
    assert "Select one of the places listed" in answer.content.decode()
    session = client.session
    session["membership"] = str(strangers.id)
    session.save()
    assert "Hawthorn practice" in client.get("/").content.decode()


def test_choosing_leads_to_no_other_host(client: Client, two: tuple[Membership, Membership]) -> None:
    client.force_login(two[0].user)
    answer = client.post("/organisation", {"membership": str(two[1].id), "next": "//elsewhere.example/"})
    assert answer.url == "/"
    answer = client.post("/organisation", {"membership": str(two[1].id), "next": "/your-account"})
    assert answer.url == "/your-account"


def test_an_ended_membership_is_useless_at_once(client: Client, two: tuple[Membership, Membership]) -> None:
    gp, centre = two
    client.force_login(gp.user)
    client.post("/organisation", {"membership": str(centre.id)})
    centre.ended_at = timezone.now()
    centre.save()
    assert "GP, Hawthorn practice" in client.get("/").content.decode()
    gp.ended_at = timezone.now()
    gp.save()
    text = client.get("/").content.decode()
    assert "You cannot see anything yet" in text
    assert gp.user.email in text


def test_ending_keeps_the_row_and_the_first_moment() -> None:
    one, administrator = member(Role.GP), member(Role.ADMINISTRATOR)
    end_membership(membership=one, at=NOW, by=administrator)
    end_membership(membership=one, at=NOW + datetime.timedelta(days=1), by=administrator)
    one.refresh_from_db()
    assert one.ended_at == NOW


def test_nobody_locks_themselves_out() -> None:
    administrator = member(Role.ADMINISTRATOR)
    with pytest.raises(NotYours):
        end_membership(membership=administrator, at=NOW, by=administrator)


def test_an_address_that_was_taken_away_cannot_sign_in(client: Client) -> None:
    who = user("old@example.org")
    client.post("/accounts/login/", {"login": "old@example.org", "password": PASSWORD})
    client.post("/accounts/logout/")
    who.refresh_from_db()
    who.email = "New@Example.org"
    save_user(user=who)
    client.post("/accounts/login/", {"login": "old@example.org", "password": PASSWORD})
    assert "_auth_user_id" not in client.session
    client.post("/accounts/login/", {"login": "new@example.org", "password": PASSWORD})
    assert "_auth_user_id" in client.session
