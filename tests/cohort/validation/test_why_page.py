"""Why somebody is, or is not, found: their own records against every criterion, for those who may ask."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cohort.actions.criteria import load_criteria_set
from cohort.models import Extract, ListEntry
from cohort.search.reference import Person, Record
from cohort.search.terms import SexCode, Source
from shielding.accounts.models import Role
from shielding.audit.actions import stand_in_id
from shielding.audit.models import ReadLog
from tests.accounts.people import member
from tests.browser import axe, browser, page
from tests.cohort.factories import NOW, Cast, make_cast
from tests.cohort.search.extracts import write_records
from tests.cohort.validation.conftest import HUGO, HUGO_BORN
from tests.cohort.validation.pages import SignIn, read

__all__ = ["axe", "browser", "page"]
pytestmark = pytest.mark.django_db
TYPED = {"nhs_number": HUGO, "birth_date_day": "9", "birth_date_month": "1", "birth_date_year": "1970"}


def dispensed(times: int) -> tuple[Record, ...]:
    today = timezone.localdate()
    steroids = [Record("DMD", "325426006", today - timedelta(30 * n + 5), Source.MEDICINES) for n in range(times)]
    return (Record("DMD", "320250009", today - timedelta(20), Source.MEDICINES), *steroids)


@pytest.fixture
def hugo(cast: Cast, register: Callable[..., None]) -> Cast:
    """Hugo has the inhaler and three dispensings of prednisolone where severe asthma needs four."""
    load_criteria_set(at=NOW)
    register(cast.practice)
    folder = settings.EXTRACT_STORE / Extract.objects.get().folder
    write_records(folder / "records-000-of-001.parquet", {int(HUGO): Person(HUGO_BORN, SexCode.MALE, dispensed(3))})
    return cast


def asked(client: Client, **typed: str) -> Any:
    return client.post(reverse("cohort:why"), {**TYPED, **typed})


def test_a_practice_sees_what_is_missing_for_one_of_its_own(hugo: Cast, sign_in: SignIn) -> None:
    words = read(asked(sign_in(hugo.staff)))
    assert "A search today would not find this person" in words
    assert "Respiratory (severe asthma): not met" in words
    assert "Yes Long-acting inhaler or leukotriene antagonist: found" in words
    assert "No Prednisolone dispensed: 3 of 4 needed" in words
    assert "Prednisolone 1mg tablets. dm+d 325426006, dispensed medicines." in words


def test_what_is_met_comes_first_with_the_records(hugo: Cast, sign_in: SignIn) -> None:
    folder = settings.EXTRACT_STORE / Extract.objects.get().folder
    write_records(folder / "records-000-of-001.parquet", {int(HUGO): Person(HUGO_BORN, SexCode.MALE, dispensed(4))})
    words = read(asked(sign_in(hugo.gp)))
    assert "A search today would find this person at high risk" in words
    assert words.index("Respiratory (severe asthma): met") < words.index("Criteria they do not meet")


def test_looking_somebody_up_is_logged_whether_or_not_they_were_ever_found(hugo: Cast, sign_in: SignIn) -> None:
    asked(sign_in(hugo.staff))
    assert ReadLog.objects.get().patient_ids == [stand_in_id(HUGO)]
    assert stand_in_id(HUGO) != stand_in_id("9990000018")
    assert ReadLog.objects.get().what == "cohort:why"


@pytest.mark.parametrize(
    "typed", [{"birth_date_day": "8"}, {"nhs_number": "9990000018"}, {"nhs_number": "1"}, {"birth_date_year": ""}]
)
def test_nobody_is_told_about_who_does_not_fit(hugo: Cast, sign_in: SignIn, typed: dict[str, str]) -> None:
    response = asked(sign_in(hugo.staff), **typed)
    assert response.status_code == 400
    assert "There is a problem" in read(response)
    assert not ReadLog.objects.exists()


def test_another_practices_person_does_not_exist_and_the_operator_reaches_everybody(
    hugo: Cast, sign_in: SignIn
) -> None:
    assert asked(sign_in(hugo.other_gp)).status_code == 400
    words = read(asked(sign_in(member(Role.CENTRAL_OPERATOR))))
    assert "Respiratory (severe asthma): not met" in words
    assert f"registered at {hugo.practice.code}" in words


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.CENTRAL_CLINICIAN, Role.ADMINISTRATOR])
def test_nobody_else_may_ask(hugo: Cast, sign_in: SignIn, role: Role) -> None:
    assert asked(sign_in(member(role))).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_the_page_is_accessible_before_and_after(
    transactional_db: None,
    client: Client,
    live_server: Any,
    page: Any,
    axe: Callable[[Any], None],
    register: Callable[..., None],
) -> None:
    cast = make_cast()
    load_criteria_set(at=NOW)
    register(cast.practice)
    folder = settings.EXTRACT_STORE / Extract.objects.get().folder
    write_records(folder / "records-000-of-001.parquet", {int(HUGO): Person(HUGO_BORN, SexCode.MALE, dispensed(4))})
    client.force_login(cast.gp.user)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.goto(reverse("cohort:why"))
    axe(page)
    page.get_by_role("button", name="Show why").press("Enter")
    page.get_by_text("Enter an NHS number").first.wait_for()
    axe(page)
    page.get_by_label("NHS number").fill(HUGO)
    for box, typed in (("Day", "9"), ("Month", "1"), ("Year", "1970")):
        page.get_by_label(box).fill(typed)
    page.get_by_role("button", name="Show why").press("Enter")
    page.get_by_text("would find this person at high risk").wait_for()
    axe(page)
    assert ListEntry.objects.filter(patient__nhs_number=HUGO).count() == 0
