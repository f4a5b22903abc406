"""Which people of a list a page shows, and who comes next: by tab, group, age, strength and what is new."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cohort.actions.decisions import confirm
from cohort.actions.facts import ask_again
from cohort.models import ListEntry, ReviewQuery
from cohort.queries import worklists as queries
from cohort.queries.review import version
from cohort.queries.worklists import Tab
from cohort.rules import Recheck
from tests.cohort.factories import NOW, Cast, ListEntryFactory, fill_list
from tests.cohort.validation.pages import SignIn, entry_of, list_url, read

pytestmark = pytest.mark.django_db
TODAY = date(2020, 3, 20)


def named(cast: Cast, **chosen: Any) -> list[str]:
    found = queries.people(cast.gp, cast.practice_list.pk, **{"today": TODAY, **chosen})
    return [entry.patient.given_name for entry in found]


def ask(cast: Cast, patient: Any) -> ReviewQuery:
    return ReviewQuery.objects.create(
        patient=patient, practice=cast.practice, question="Still so?", asked_at=NOW, asked_by=cast.staff.user
    )


def test_whoever_is_asked_about_waits_under_a_tab_of_their_own(cast: Cast) -> None:
    ask(cast, cast.amina)
    ask(cast, cast.amina)
    assert (named(cast), named(cast, tab=Tab.QUERIES)) == (["Bob"], ["Amina"])
    progress = queries.progress_of(cast.gp, cast.practice_list.pk)
    assert (progress.tabs()[Tab.TO_REVIEW], progress.tabs()[Tab.QUERIES], progress.to_review) == (1, 1, 2)


def test_a_question_of_another_practice_is_none(cast: Cast) -> None:
    ReviewQuery.objects.create(
        patient=cast.amina, practice=cast.other_practice, question="?", asked_at=NOW, asked_by=cast.other_gp.user
    )
    assert named(cast) == ["Amina", "Bob"]


@pytest.mark.parametrize(
    ("born", "band"),
    [
        (date(2002, 3, 21), "0-17"),
        (date(2002, 3, 20), "18-49"),
        (date(1970, 3, 21), "18-49"),
        (date(1970, 3, 20), "50-69"),
        (date(1935, 3, 20), "85"),
        (date(1935, 3, 21), "70-84"),
    ],
)
def test_ages_are_those_of_today(cast: Cast, born: date, band: str) -> None:
    ListEntryFactory(practice_list=cast.practice_list, patient__given_name="Eve", patient__birth_date=born)
    assert {each for each in queries.AGE_BANDS if "Eve" in named(cast, age=each)} == {band}


def test_on_29_february_everybody_still_has_an_age(cast: Cast) -> None:
    born = date(2002, 3, 1)
    ListEntryFactory(practice_list=cast.practice_list, patient__given_name="Eve", patient__birth_date=born)
    assert "Eve" in named(cast, age="0-17", today=date(2020, 2, 29))


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        ({"strength": "CLEAR"}, ["Eve"]),
        ({"strength": "nonsense"}, []),
        ({"group": queries.NO_GROUP}, ["Eve"]),
        ({"age": "nonsense"}, []),
        ({"since": "nonsense"}, []),
        ({"since": "new"}, []),
        ({"name": "ev"}, ["Eve"]),
    ],
)
def test_people_are_picked(cast: Cast, chosen: dict[str, str], names: list[str]) -> None:
    ListEntryFactory(practice_list=cast.practice_list, patient__given_name="Eve", strength="CLEAR")
    assert named(cast, **chosen) == names


def test_new_is_who_came_after_the_list_was_last_worked_on_before_today(cast: Cast) -> None:
    late = ListEntryFactory(
        practice_list=cast.practice_list, patient__given_name="Eve", listed_at=NOW - timedelta(hours=1)
    )
    assert named(cast, since="new") == ["Eve"]  # after the search
    confirm(entry_id=cast.bob.pk, by=cast.gp, at=NOW, seen=version(entry_of(cast.bob)))
    assert named(cast, since="new") == ["Eve"]  # what is decided today does not count
    tomorrow = TODAY + timedelta(days=1)
    assert named(cast, since="new", today=tomorrow) == []
    ListEntry.objects.filter(pk=late.pk).update(listed_at=NOW + timedelta(hours=1))
    assert named(cast, since="new", today=tomorrow) == ["Eve"]
    choices = queries.choices(cast.gp, cast.practice_list.pk, today=tomorrow)
    assert (choices.new, choices.worked_at) == (1, NOW)


def test_the_changed_are_told_and_found_until_somebody_decides_again(cast: Cast, sign_in: SignIn) -> None:
    confirm(entry_id=cast.bob.pk, by=cast.staff, at=NOW, seen=version(entry_of(cast.bob)))
    shown = version(entry_of(cast.bob))
    assert ask_again(patient_ids=[cast.amina.pk, cast.bob.pk], why=Recheck.REASON_GONE, at=NOW) == 1
    assert entry_of(cast.amina).recheck == ""  # still to review: nothing to ask again
    assert version(entry_of(cast.bob)) != shown
    client = sign_in(cast.staff)
    assert "since you decided about 1 confirmed" in read(client.get(list_url(cast)))
    page = read(client.get(list_url(cast, tab="confirmed", since="changed")))
    assert "Look again The search no longer finds one of the reasons" in page
    confirm(entry_id=cast.bob.pk, by=cast.staff, at=NOW, seen=version(entry_of(cast.bob)))
    bob = entry_of(cast.bob)
    assert (bob.recheck, bob.recheck_at) == ("", None)
    assert "since you decided" not in read(client.get(list_url(cast)))


def test_the_next_person_is_the_next_of_the_page(cast: Cast) -> None:
    for strength, name in [("DOUBTFUL", "Dee"), ("CLEAR", "Cy"), ("CLEAR", "Cy")]:
        ListEntryFactory(practice_list=cast.practice_list, strength=strength, patient__given_name=name)
    listed = [entry.pk for entry in queries.people(cast.gp, cast.practice_list.pk, today=TODAY)]
    places = [queries.place(cast.gp, cast.practice_list.pk, pk, today=TODAY) for pk in listed]
    assert [place.number for place in places] == [1, 2, 3, 4, 5]
    assert {place.count for place in places} == {5}
    assert [place.next_id for place in places] == [*listed[1:], listed[0]]
    first = queries.place(cast.gp, cast.practice_list.pk, today=TODAY)
    assert (first.number, first.next_id) == (0, listed[0])
    one = queries.place(cast.gp, cast.practice_list.pk, listed[4], today=TODAY, strength="DOUBTFUL")
    assert (one.number, one.count, one.next_id) == (1, 1, None)


def test_the_place_of_somebody_takes_as_many_queries_however_long_the_list(cast: Cast) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            queries.place(cast.gp, cast.practice_list.pk, cast.bob.pk, today=TODAY)
        return len(captured)

    fill_list(cast.practice_list, 10)
    few = cost()
    fill_list(cast.practice_list, 300)
    assert few == cost() <= 4


def test_all_are_on_one_page_to_print_or_select(cast: Cast, sign_in: SignIn) -> None:
    fill_list(cast.practice_list, 60)
    client = sign_in(cast.gp)
    assert client.get(list_url(cast)).content.count(b'name="pick"') == 50
    page = client.get(list_url(cast, show="all"))
    assert page.content.count(b'name="pick"') == 62
    assert "Show 50 people a page" in read(page)
    assert "Doubtful One GP record only" in read(page)
