"""What a search gained, lost and found on other evidence, and that it tells nobody's name."""

from datetime import timedelta
from typing import Any

import pytest

from cohort.models import Flag, ListEntry, Patient, SearchRun
from cohort.queries.differences import changes, difference, run_before
from cohort.spreadsheets import read_csv
from shielding.accounts.models import Organisation, Role
from tests.cohort.factories import (
    NOW,
    Cast,
    CriterionVersionFactory,
    FlagFactory,
    ListEntryFactory,
    MembershipFactory,
    OrganisationFactory,
    SearchRunFactory,
)

pytestmark = pytest.mark.django_db
TRANSPLANT, ASTHMA = "Transplants (solid)", "Respiratory (severe asthma)"


@pytest.fixture
def operator(sign_in: Any) -> Any:
    centre = OrganisationFactory(code="CENTRE", kind=Organisation.Kind.CENTRE)
    return sign_in(MembershipFactory(organisation=centre, role=Role.CENTRAL_OPERATOR))


def a_later_run(cast: Cast, days: int = 7) -> SearchRun:
    run = SearchRunFactory(search_date=(NOW + timedelta(days=days)).date(), finished_at=NOW + timedelta(days=days))
    run.criteria.set(CriterionVersionFactory._meta.model.objects.all())
    return run


def found(run: SearchRun, patient: Patient, slug: str) -> Flag:
    return FlagFactory(run=run, patient=patient, criterion_version__criterion__slug=slug)


def lost(run: SearchRun, patient: Patient) -> None:
    Flag.objects.filter(patient=patient, ended_in=None).exclude(run=run).update(ended_in=run)


@pytest.fixture
def later(cast: Cast) -> SearchRun:
    """Amina is lost to transplants and gained for asthma, Bob has other evidence, Charlie is lost, Dana is new."""
    run = a_later_run(cast)
    for patient in (cast.amina, cast.bob, cast.charlie):
        lost(run, patient)
    found(run, cast.amina, "severe-asthma")
    found(run, cast.bob, "severe-asthma")
    dana = ListEntryFactory(practice_list=cast.practice_list).patient
    found(run, dana, "solid-transplant")
    found(run, dana, "severe-asthma")
    return run


def told(change: Any) -> tuple[int, int, int]:
    return (change.gained, change.lost, change.changed)


def test_people_are_counted_once_in_all_and_in_each_of_their_groups(cast: Cast, later: SearchRun) -> None:
    assert run_before(later) == cast.run
    whole = difference(later)
    assert told(whole.total) == (1, 1, 2)
    assert {group: told(change) for group, change in whole.by_group} == {ASTHMA: (2, 0, 1), TRANSPLANT: (1, 2, 0)}
    assert {row.code: told(row) for row in whole.by_practice} == {"Z90001": (1, 0, 2), "Z90002": (0, 1, 0)}


def test_one_group_and_one_area_can_be_looked_at_alone(cast: Cast, later: SearchRun) -> None:
    ics = OrganisationFactory(code="QX1", kind=Organisation.Kind.ICS)
    Organisation.objects.filter(pk=cast.practice.pk).update(ics=ics)
    assert told(difference(later, group=ASTHMA).total) == (2, 0, 1)
    assert told(difference(later, ics=ics.pk).total) == (1, 0, 2)
    assert told(difference(later, group=TRANSPLANT, ics=ics.pk).total) == (1, 1, 0)


def test_people_count_at_the_practice_where_they_are_registered_now(cast: Cast, later: SearchRun) -> None:
    Patient.objects.filter(pk=cast.charlie.pk).update(practice=cast.practice)
    assert [(row.code, told(row)) for row in difference(later).by_practice] == [("Z90001", (1, 1, 2))]


def test_a_later_search_leaves_what_an_earlier_one_changed_as_it_was(cast: Cast, later: SearchRun) -> None:
    before = difference(later)
    last = a_later_run(cast, days=14)
    for entry in ListEntry.objects.all():
        lost(last, entry.patient)
    found(last, cast.charlie, "solid-transplant")
    assert difference(later) == before
    assert told(difference(last).total) == (1, 3, 0)


def test_the_page_shows_totals_groups_practices_and_filters(cast: Cast, later: SearchRun, operator: Any) -> None:
    page = " ".join(operator.get(f"/searches/{later.pk}/difference/").content.decode().split())
    assert "1 gained, 1 lost, 2 found on other evidence" in page
    assert "Harbour Practice" in page
    page = " ".join(operator.get(f"/searches/{later.pk}/difference/?group={TRANSPLANT}").content.decode().split())
    assert "1 gained, 2 lost, 0 found on other evidence" in page
    nothing = operator.get(f"/searches/{later.pk}/difference/?group=nonsense&ics=1").content.decode()
    assert "1 gained, 1 lost" in nothing
    assert not any(name in page for name in ("Amina", "Khan", cast.amina.nhs_number))
    first = operator.get(f"/searches/{cast.run.pk}/difference/").content.decode()
    assert "There was no search before this one" in first


def test_small_numbers_are_hidden_in_the_file_to_pass_on(cast: Cast, later: SearchRun, operator: Any) -> None:
    for _ in range(5):
        found(later, ListEntryFactory(practice_list=cast.other_list).patient, "severe-asthma")
    whole = read_csv(operator.get(f"/searches/{later.pk}/difference.csv").content)
    assert [(row["practice_code"], row["disease_group"], row["gained"], row["lost"]) for row in whole] == [
        ("Z90002", ASTHMA, "5", "0"),
        ("Z90002", TRANSPLANT, "0", "1"),
        ("Z90001", ASTHMA, "2", "0"),
        ("Z90001", TRANSPLANT, "1", "1"),
    ]
    hidden = read_csv(operator.get(f"/searches/{later.pk}/difference.csv?small=hidden").content)
    assert [(row["gained"], row["lost"]) for row in hidden] == [
        ("5", "0"),
        ("0", "fewer than 5"),
        ("fewer than 5", "0"),
        ("fewer than 5", "fewer than 5"),
    ]
    assert len(changes(later, by_group=True)) == 4


@pytest.mark.parametrize("path", ["difference/", "difference.csv"])
def test_nobody_but_the_operator_sees_it(path: str, cast: Cast, later: SearchRun, sign_in: Any) -> None:
    assert sign_in(cast.gp).get(f"/searches/{later.pk}/{path}").status_code == 403


def test_one_criterion_shows_what_each_part_finds(cast: Cast, operator: Any) -> None:
    version = CriterionVersionFactory(criterion__slug="solid-transplant")
    cast.run.criteria.add(version)
    for number, (path, label, people) in enumerate([("", "All of", 3), ("0", "Aged 18 or over", 41_000)]):
        cast.run.attrition.create(
            criterion_version=version, number=number, path=path, label=label, people=people, remaining=people
        )
    cast.run.groups.create(criterion_version=version, age_band="90+", sex="F", people=2)
    cast.run.groups.create(criterion_version=version, age_band="5-9", sex="M", people=1)
    page = " ".join(operator.get(f"/searches/{cast.run.pk}/criteria/{version.pk}/").content.decode().split())
    assert "41,000" in page
    assert page.index("5 to 9") < page.index("90 and over")
    assert operator.get(f"/searches/{cast.run.pk}/criteria/{cast.amina.pk}/").status_code == 404
