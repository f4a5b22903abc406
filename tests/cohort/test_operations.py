"""The operator's pages of extracts and searches: counts only, for the central operator alone."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cohort.actions.criteria import load_criteria_set
from cohort.models import Extract, SearchRun
from cohort.queries.runs import time_left
from cohort.web.operations import in_words
from shielding.accounts.models import Organisation, Role
from tests.cohort.factories import Cast, MembershipFactory, OrganisationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(sign_in: Any) -> Any:
    centre = OrganisationFactory(code="CENTRE", kind=Organisation.Kind.CENTRE)
    return sign_in(MembershipFactory(organisation=centre, role=Role.CENTRAL_OPERATOR))


def an_extract(*, days_old: int = 0) -> Extract:
    return Extract.objects.create(
        supplier="gp",
        as_at=timezone.localdate() - timedelta(days=days_old),
        sha256="0" * 64,
        folder="none",
        accepted_rows={"patients": 1200},
        rejected_rows={"patients": 3},
        loaded_at=timezone.now(),
    )


def start(operator: Any, *, reason: str = "", days_ahead: int = 0, **given: str) -> Any:
    day = timezone.localdate() + timedelta(days=days_ahead)
    parts = {"search_date_day": day.day, "search_date_month": day.month, "search_date_year": day.year}
    return operator.post("/searches/", {**parts, "stale_sources_reason": reason, **given}, follow=True)


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_pages_say_what_to_do_when_there_is_nothing_yet(operator: Any) -> None:
    assert "Nothing has been loaded yet" in text(operator.get("/extracts/"))
    assert "No search has been run yet" in text(operator.get("/searches/"))
    assert "There is nothing to search yet" in text(start(operator))


def test_extracts_show_rows_and_warn_of_old_records(operator: Any) -> None:
    an_extract(days_old=15)
    page = text(operator.get("/extracts/"))
    assert "1,200" in page
    assert "15 days old" in page
    assert "Ask for a new extract from: gp" in page


def test_a_search_is_started_watched_and_cancelled(operator: Any) -> None:
    load_criteria_set(at=timezone.now())
    an_extract()
    page = text(start(operator))
    assert "Search started" in page
    assert "Waiting for a worker" in page
    run = SearchRun.objects.get()
    assert "A search is running already" in text(start(operator))
    assert "Search cancelled" in text(operator.post(f"/searches/{run.pk}/cancel/", follow=True))
    assert "could not be cancelled" in text(operator.post(f"/searches/{run.pk}/cancel/", follow=True))


def test_old_records_are_searched_only_with_a_reason_which_stays_on_record(operator: Any) -> None:
    load_criteria_set(at=timezone.now())
    an_extract(days_old=15)
    assert "Say why you are searching with old records" in text(start(operator))
    assert not SearchRun.objects.exists()
    assert "Their system was down" in text(start(operator, reason="Their system was down"))


@pytest.mark.parametrize(
    ("given", "said"),
    [({}, "No search has landed before."), ({"is_full_wanted": "on"}, "A full search was asked for.")],
)
def test_the_page_says_which_kind_of_search_it_is_and_why(operator: Any, given: dict[str, str], said: str) -> None:
    load_criteria_set(at=timezone.now())
    an_extract()
    assert f"Full: everybody. {said}" in text(start(operator, **given))


@pytest.mark.parametrize(
    ("elapsed", "percent", "said"),
    [
        (timedelta(minutes=4), 50, "about 4 minutes left"),
        (timedelta(minutes=1), 75, "about a minute left"),
        (timedelta(hours=2), 50, "about 2 hours left"),
        (timedelta(minutes=4), 4, ""),
    ],
)
def test_a_running_search_says_how_long_it_will_take(elapsed: timedelta, percent: int, said: str) -> None:
    now = timezone.now()
    run = SearchRun(state="RUNNING", started_at=now - elapsed, percent=percent)
    assert in_words(time_left(run, now)) == said
    assert time_left(SearchRun(state="LANDED", started_at=now, percent=100), now) is None


def test_a_day_to_come_is_not_searched(operator: Any) -> None:
    assert "There is a problem" in text(start(operator, days_ahead=1))


def test_no_page_names_a_person(cast: Cast, operator: Any) -> None:
    pages = [operator.get(path) for path in ("/extracts/", "/searches/", f"/searches/{cast.run.pk}/")]
    assert all(page.status_code == 200 for page in pages)
    assert not any(name in text(page) for page in pages for name in ("Amina", "Khan", cast.amina.nhs_number))


def test_a_search_that_does_not_exist_is_not_found(operator: Any, cast: Cast) -> None:
    assert operator.get(f"/searches/{cast.amina.pk}/").status_code == 404


@pytest.mark.parametrize("path", ["/extracts/", "/searches/"])
def test_a_practice_sees_none_of_it(path: str, cast: Cast, sign_in: Any) -> None:
    assert sign_in(cast.gp).get(path).status_code == 403
