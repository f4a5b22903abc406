"""A practice's lists, and one of them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cohort.actions.decisions import confirm
from cohort.models import ListEntry, Patient
from cohort.queries.review import version
from cohort.queries.worklists import progress
from shielding.audit.models import ReadLog
from tests.addresses import addresses_with
from tests.cohort.factories import (
    NOW,
    Cast,
    ListEntryFactory,
    MembershipFactory,
    PracticeListFactory,
    fill_list,
)
from tests.cohort.validation.pages import REMOVAL, SignIn, decide, entry_of, list_url, person_url, read

pytestmark = pytest.mark.django_db


def test_the_lists_say_how_far_each_is_and_how_long_there_is(cast: Cast, sign_in: SignIn) -> None:
    today = timezone.localdate()
    for days, said in [(5, "5 days left"), (1, "1 day left"), (0, "Due today"), (-1, "Overdue by 1 day")]:
        cast.practice_list.due_date = today + timedelta(days=days)
        cast.practice_list.save()
        page = read(sign_in(cast.gp).get(reverse("cohort:lists")))
        assert said in page
        assert "0 of 2 reviewed" in page
        assert "2 to review, 0 confirmed, 0 removed, 0 added" in page


def test_lists_due_on_one_day_are_in_the_order_of_their_searches(cast: Cast) -> None:
    first = cast.practice_list
    later = [
        PracticeListFactory(
            practice=cast.practice, due_date=first.due_date, run__requested_at=NOW + timedelta(hours=hours)
        )
        for hours in (3, 1, 2, 4)
    ]
    found = [row.practice_list for row in progress(cast.gp)]
    assert found == [first, later[1], later[2], later[0], later[3]]


def test_a_signed_off_list_says_by_whom(cast: Cast, sign_in: SignIn) -> None:
    ListEntry.objects.filter(practice_list=cast.practice_list).delete()
    cast.practice_list.submitted_at, cast.practice_list.submitted_by = NOW, cast.gp.user
    cast.practice_list.save()
    assert "Signed off by Dr Grace Okafor on 20 March 2020" in read(sign_in(cast.staff).get(reverse("cohort:lists")))


def test_a_practice_without_lists_is_told_when_one_comes(sign_in: SignIn) -> None:
    by = MembershipFactory(organisation__name="New Surgery")
    assert "There is no list for New Surgery yet" in read(sign_in(by).get(reverse("cohort:lists")))


@pytest.mark.parametrize("role", ["COORDINATOR", "LA_STAFF", "CENTRAL_OPERATOR", "ADMINISTRATOR"])
def test_other_roles_see_no_list(cast: Cast, sign_in: SignIn, role: str) -> None:
    client = sign_in(MembershipFactory(organisation=cast.practice, role=role))
    for url in (reverse("cohort:lists"), list_url(cast), person_url(cast, cast.amina), reverse("cohort:add")):
        assert client.get(url).status_code == 403


def test_nobody_sees_anything_without_signing_in(cast: Cast, client: Client) -> None:
    for url in (reverse("cohort:lists"), list_url(cast), person_url(cast, cast.amina), reverse("cohort:add")):
        assert client.get(url).status_code == 302


def test_a_list_shows_the_clearest_first_and_the_most_doubtful_last_each_by_name(cast: Cast, sign_in: SignIn) -> None:
    for name, strength in [("Zorn", "CLEAR"), ("Abel", "DOUBTFUL"), ("Baker", "CLEAR")]:
        ListEntryFactory(practice_list=cast.practice_list, strength=strength, patient__family_name=name)
    page = read(sign_in(cast.staff).get(list_url(cast)))
    places = [page.index(name) for name in ("Baker, ", "Zorn, ", "Khan, Amina", "Marsh, Bob", "Abel, ")]
    assert places == sorted(places)


def test_a_list_says_how_far_it_is_and_who_they_are(cast: Cast, sign_in: SignIn) -> None:
    page = read(sign_in(cast.staff).get(list_url(cast)))
    assert "999 " in page
    assert "14 February 1961" in page
    assert "To review (2) Confirmed (0) Removed (0) Added (0)" in page


def test_a_tab_shows_only_its_people_with_the_decision(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.gp)
    decide(client, cast, cast.bob, **REMOVAL)
    removed = read(client.get(list_url(cast, tab="removed")))
    assert "Marsh, Bob" in removed
    assert "They have the condition but are not at high risk. Dr Grace Okafor" in removed
    assert "Khan, Amina" not in removed
    assert "Marsh, Bob" not in read(client.get(list_url(cast)))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"name": "kha"}, {"Khan, Amina"}),
        ({"name": "amina khan"}, {"Khan, Amina"}),
        ({"name": "MARSH"}, {"Marsh, Bob"}),
        ({"group": "Transplants (solid)"}, {"Khan, Amina"}),
        ({"group": "Transplants (solid)", "name": "bob"}, set()),
        ({"name": "charlie"}, set()),
        ({"tab": "nonsense"}, {"Khan, Amina", "Marsh, Bob"}),
    ],
)
def test_people_are_found_by_name_and_group(
    cast: Cast, sign_in: SignIn, query: dict[str, str], names: set[str]
) -> None:
    client = sign_in(cast.gp)
    response = client.post(list_url(cast), query)
    assert response.status_code == 302
    assert response["Location"] == list_url(cast, **{key: query[key] for key in ("tab", "group") if key in query})
    page = read(client.get(response["Location"]))
    assert {name for name in ("Khan, Amina", "Marsh, Bob", "Stone, Charlie") if name in page} == names
    assert ("Nobody here matches" in page) is (not names)
    assert (f": {len(names)} found. Show everybody" in page) is ("tab" not in query)


def test_a_page_past_the_last_is_the_last(cast: Cast, sign_in: SignIn) -> None:
    assert "Khan, Amina" in read(sign_in(cast.gp).get(list_url(cast, page="99")))


def test_a_list_says_that_it_is_filtered_until_everybody_is_asked_for(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.gp)
    client.post(list_url(cast), {"name": "kha", "group": "Transplants (solid)"})
    said = "Only people with “kha” in their name"
    assert f"{said}: 1 found." in read(client.get(list_url(cast)))
    assert f"{said}: 0 found." in read(client.get(list_url(cast, tab="removed")))
    assert f"{said} in the group “Transplants (solid)”: 1 found." in read(
        client.get(list_url(cast, group="Transplants (solid)"))
    )
    response = client.post(list_url(cast), {"name": "", "tab": "removed"})
    assert response["Location"] == list_url(cast, tab="removed")
    page = read(client.get(list_url(cast)))
    assert "Only people" not in page
    assert "Marsh, Bob" in page


def test_a_list_is_not_filtered_by_what_was_typed_on_another_or_before_signing_out(cast: Cast, sign_in: SignIn) -> None:
    other = PracticeListFactory(practice=cast.practice)
    client = sign_in(cast.gp)
    client.post(reverse("cohort:list", args=[other.pk]), {"name": "nobody"})
    assert "Marsh, Bob" in read(client.get(list_url(cast)))
    client.post(list_url(cast), {"name": "nobody"})
    assert "Marsh, Bob" not in read(client.get(list_url(cast)))
    client.post(reverse("account_logout"))
    assert "Marsh, Bob" in read(sign_in(cast.gp).get(list_url(cast)))


@pytest.mark.parametrize("spaced", [False, True])
def test_an_nhs_number_typed_as_a_name_is_told_and_not_kept(cast: Cast, sign_in: SignIn, spaced: bool) -> None:
    number = cast.amina.nhs_number
    typed = f"{number[:3]} {number[3:6]} {number[6:]}" if spaced else number
    client = sign_in(cast.gp)
    response = client.post(list_url(cast), {"name": typed, "tab": "to-review"})
    assert (response.status_code, response["Location"]) == (302, list_url(cast, tab="to-review"))
    assert number[6:] not in str(dict(client.session)) + str(client.cookies)
    page = read(client.get(response["Location"]))
    assert "Enter a name: an NHS number finds nobody here." in page
    assert "Only people" not in page


@pytest.mark.parametrize("typed", ["qadir", "nobody"])
def test_no_address_on_a_list_or_a_person_has_a_name_in_it(cast: Cast, sign_in: SignIn, typed: str) -> None:
    fill_list(cast.practice_list, 60)
    Patient.objects.update(family_name="Qadir")
    client = sign_in(cast.gp)
    names = (typed, "Qadir", "Amina", "Bob")
    group = "Transplants (solid)"
    assert not addresses_with(client.post(list_url(cast), {"name": typed, "tab": "to-review", "group": group}), *names)
    for url in (
        list_url(cast),
        list_url(cast, page="2"),
        list_url(cast, tab="removed", group=group),
        person_url(cast, cast.amina),
        f"{person_url(cast, cast.bob)}?group={group}",
    ):
        response = client.get(url)
        assert response.status_code == 200
        assert not addresses_with(response, *names)
    decided = decide(client, cast, cast.amina)
    assert not addresses_with(decided, *names)
    assert not addresses_with(client.get(decided["Location"]), *names)
    undo = reverse("cohort:undo", args=[cast.practice_list.pk, cast.amina.pk])
    assert not addresses_with(client.post(undo, {"seen": version(entry_of(cast.amina))}), *names)


@pytest.mark.parametrize(
    ("tab", "said"),
    [("confirmed", "Nobody has been confirmed yet"), ("removed", "Nobody has been removed"), ("added", "add them")],
)
def test_an_empty_tab_says_so(cast: Cast, sign_in: SignIn, tab: str, said: str) -> None:
    assert said in read(sign_in(cast.gp).get(list_url(cast, tab=tab)))


def test_fifty_people_are_on_a_page(cast: Cast, sign_in: SignIn) -> None:
    fill_list(cast.practice_list, 60)
    client = sign_in(cast.gp)
    assert client.get(list_url(cast)).content.count(b"<tr role") == 51
    second = client.get(list_url(cast, page="2"))
    assert second.content.count(b"<tr role") == 13
    assert b"nhsuk-pagination" in second.content


def test_everybody_shown_is_in_the_read_log(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.gp)
    client.get(list_url(cast))
    client.get(person_url(cast, cast.amina))
    rows = list(ReadLog.objects.order_by("pk").values_list("what", "user", "organisation"))
    assert rows == [
        ("cohort:list", cast.gp.user.pk, cast.practice.pk),
        ("cohort:person", cast.gp.user.pk, cast.practice.pk),
    ]
    assert set(ReadLog.objects.get(what="cohort:list").patient_ids) == {cast.amina.pk, cast.bob.pk}
    assert ReadLog.objects.get(what="cohort:person").patient_ids == [cast.amina.pk]


def queries_of(do: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        do()
    return len(captured)


def test_pages_take_as_many_queries_at_five_hundred_people_as_at_fifty(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.gp)

    def counts(patient: Patient) -> list[int]:
        return [
            queries_of(lambda: client.get(reverse("cohort:lists"))),
            queries_of(lambda: client.get(list_url(cast))),
            queries_of(lambda: client.get(list_url(cast, tab="confirmed"))),
            queries_of(lambda: client.get(person_url(cast, cast.charlie))),
            queries_of(lambda: client.get(person_url(cast, patient))),
            queries_of(lambda: client.get(reverse("cohort:submit", args=[cast.practice_list.pk]))),
            queries_of(lambda: decide(client, cast, patient)),
        ]

    fill_list(cast.practice_list, 51)
    one = (
        ListEntry.objects.filter(practice_list=cast.practice_list).exclude(pk__in=[cast.amina.pk, cast.bob.pk]).first()
    )
    confirm(entry_id=one.pk, by=cast.staff, at=NOW, seen=version(one))
    at_fifty = counts(cast.amina)
    fill_list(cast.practice_list, 450)
    at_five_hundred = counts(cast.bob)
    assert at_fifty == at_five_hundred
    lists, one_list, _, _, person, _, _ = at_fifty
    assert (lists, one_list, person) <= (8, 12, 12)
