"""Django admin: who reaches it, what it may change, and that it holds no clinical data."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from shielding.accounts.models import Membership, Organisation, Role, User
from shielding.places.models import LocalAuthority, Postcode
from tests.accounts.people import PASSWORD, member, organisation, user
from tests.accounts.test_sign_in import give_app

pytestmark = pytest.mark.django_db
CLINICAL_APPS = {"cohort", "coordinators", "audit"}


@pytest.fixture
def administrator(client: Client) -> Membership:
    found = member(Role.ADMINISTRATOR)
    client.force_login(found.user)
    return found


def fields_of(page: str) -> dict[str, Any]:
    """Returns what a browser would send for the page's form as it stands."""
    values: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", page):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        kind = attributes.get("type")
        if "name" not in attributes or kind in {"submit", "file"} or (kind == "checkbox" and "checked" not in tag):
            continue
        values[attributes["name"]] = attributes.get("value", "on" if kind == "checkbox" else "")
    for name, body in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', body)
        values[name] = chosen[1] if chosen else ""
    return values


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMINISTRATOR])
def test_other_roles_are_refused_in_plain_english(client: Client, role: Role) -> None:
    client.force_login(member(role).user)
    answer = client.get("/admin/", follow=True)
    assert answer.status_code == 403
    assert "Only administrators can use the administration pages." in answer.content.decode()


def test_the_role_alone_is_not_enough_nor_is_the_flag(client: Client) -> None:
    unflagged = member(Role.ADMINISTRATOR, of=user("a@example.org"))
    flagged = member(Role.GP, of=user("b@example.org", is_staff=True, is_superuser=True))
    for membership in (unflagged, flagged):
        client.force_login(membership.user)
        assert client.get("/admin/accounts/user/", follow=True).status_code == 403


def test_strangers_sign_in_on_our_own_page(client: Client) -> None:
    answer = client.get("/admin/accounts/user/", follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/login/?next=/admin/accounts/user/"
    assert "Sign in to Shielding" in answer.content.decode()


def test_an_administrator_under_another_role_changes_first(client: Client, administrator: Membership) -> None:
    gp = member(Role.GP, of=administrator.user)
    client.post("/organisation", {"membership": str(gp.id)})
    assert client.get("/admin/", follow=True).status_code == 403
    client.post("/organisation", {"membership": str(administrator.id)})
    assert client.get("/admin/").status_code == 200


@pytest.mark.usefixtures("administrator")
def test_no_clinical_data_is_there(client: Client) -> None:
    # How old a supplier's records may be, and with what a unit's computer signs in, is about no patient.
    names = {model._meta.label for model in admin.site._registry} - {"cohort.SourceAgeLimit", "cohort.UnitToken"}
    assert not {name for name in names if name.split(".")[0] in CLINICAL_APPS}
    assert "letters.Message" not in names
    assert client.get("/admin/").status_code == 200


def test_every_page_opens_and_nothing_offers_to_delete(client: Client, administrator: Membership) -> None:
    area = LocalAuthority.objects.create(gss_code="E09000029", name="Sutton")
    postcode = Postcode.objects.create(postcode="SM1 1AA", local_authority=area)
    rows = [organisation(), administrator.user, area, postcode]
    for model, model_admin in admin.site._registry.items():
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        page = client.get(reverse(f"{base}_changelist"), {"q": "SM1"} if model_admin.search_fields else {})
        assert page.status_code == 200, base
        assert "delete_selected" not in page.content.decode()
        row = next((row for row in rows if isinstance(row, model)), None)
        if row is not None:
            text = client.get(reverse(f"{base}_change", args=[row.pk])).content.decode()
            assert "deletelink" not in text
            assert "DELETE" not in re.sub(r'name="[^"]*DELETE"', "", "" if "inline" in base else text)
            assert client.get(reverse(f"{base}_delete", args=[row.pk])).status_code == 403


@pytest.mark.usefixtures("administrator")
def test_a_postcode_is_looked_up_not_changed(client: Client) -> None:
    area = LocalAuthority.objects.create(gss_code="E09000029", name="Sutton")
    Postcode.objects.create(postcode="SM1 1AA", local_authority=area)
    Postcode.objects.create(postcode="EC1A 1BB", local_authority=area)
    text = client.get(reverse("admin:places_postcode_changelist"), {"q": "sm1 1"}).content.decode()
    assert "SM1 1AA" in text
    assert "EC1A 1BB" not in text
    assert client.post(reverse("admin:places_postcode_change", args=["SM1 1AA"]), {}).status_code == 403
    assert client.get(reverse("admin:places_postcode_add")).status_code == 403


@pytest.mark.usefixtures("administrator")
def test_a_user_is_added_with_a_membership_and_can_sign_in(client: Client) -> None:
    practice = organisation()
    address = reverse("admin:accounts_user_add")
    values = fields_of(client.get(address).content.decode()) | {
        "name": "Dr Reed",
        "email": "Dr.Reed@Example.org",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "memberships-0-organisation": str(practice.pk),
        "memberships-0-role": "GP",
    }
    answer = client.post(address, values)
    assert answer.status_code == 302, re.findall(r"errorlist.*", answer.content.decode())
    added = User.objects.get(email="dr.reed@example.org")
    assert added.memberships.get().organisation == practice
    fresh = Client()
    assert fresh.post("/accounts/login/", {"login": "dr.reed@example.org", "password": PASSWORD}).url == "/"


def test_a_membership_is_ended_not_deleted(client: Client, administrator: Membership) -> None:
    gp = member(Role.GP)
    address = reverse("admin:accounts_user_change", args=[gp.user.pk])
    values = fields_of(client.get(address).content.decode())
    answer = client.post(address, values | {"memberships-0-end": "on", "memberships-0-DELETE": "on"})
    assert answer.status_code == 302, re.findall(r"errorlist.*", answer.content.decode())
    gp.refresh_from_db()
    assert gp.ended_at is not None
    assert "ended memberships" in client.get(address).content.decode().lower()


def test_an_administrator_cannot_end_their_own(client: Client, administrator: Membership) -> None:
    address = reverse("admin:accounts_user_change", args=[administrator.user.pk])
    values = fields_of(client.get(address).content.decode())
    answer = client.post(address, values | {"memberships-0-end": "on"}, follow=True)
    assert "You cannot end the membership you are working under" in answer.content.decode()
    administrator.refresh_from_db()
    assert administrator.ended_at is None


@pytest.mark.usefixtures("administrator")
def test_a_password_is_set_for_somebody(client: Client) -> None:
    who = user("pat@example.org")
    address = f"/admin/accounts/user/{who.pk}/password/"
    assert client.get(address).status_code == 200
    new = "a new set of words"
    client.post(address, {"usable_password": "true", "password1": new, "password2": new, "set-password": "Change"})
    who.refresh_from_db()
    assert who.check_password(new)


@pytest.mark.usefixtures("administrator")
def test_what_an_organisation_is_known_by_stays(client: Client) -> None:
    practice = organisation()
    address = reverse("admin:accounts_organisation_change", args=[practice.pk])
    values = fields_of(client.get(address).content.decode())
    values |= {"name": "Hawthorn Surgery", "code": "B82002", "kind": "HOSPITAL"}
    answer = client.post(address, values)
    assert answer.status_code == 302, re.findall(r"errorlist.*", answer.content.decode())
    changed = Organisation.objects.get(pk=practice.pk)
    assert (changed.name, changed.code, changed.kind) == ("Hawthorn Surgery", "A81001", "PRACTICE")


@pytest.mark.usefixtures("administrator")
def test_the_role_brings_the_flag_and_takes_it_away(client: Client) -> None:
    other = user("pat@example.org")
    address = reverse("admin:accounts_user_change", args=[other.pk])
    values = fields_of(client.get(address).content.decode())
    values |= {"memberships-2-0-organisation": str(organisation("CENTRE").pk), "memberships-2-0-role": "ADMINISTRATOR"}
    assert client.post(address, values).status_code == 302
    other.refresh_from_db()
    assert other.is_staff
    values = fields_of(client.get(address).content.decode()) | {"memberships-0-end": "on"}
    assert client.post(address, values).status_code == 302
    other.refresh_from_db()
    assert not other.is_staff


@pytest.mark.usefixtures("administrator")
def test_somebody_who_lost_their_phone_is_let_in_by_password(client: Client) -> None:
    who = member(Role.GP).user
    give_app(who)
    client.post(
        reverse("admin:accounts_user_changelist"), {"action": "remove_second_step", "_selected_action": [str(who.pk)]}
    )
    assert Client().post("/accounts/login/", {"login": who.email, "password": PASSWORD}).url == "/"
