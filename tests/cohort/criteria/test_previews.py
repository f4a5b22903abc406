"""Counting a draft in the whole extract: how many, where, whose working age, and what changes; no names anywhere."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.urls import reverse

from cohort.actions import drafts as actions
from cohort.models import CriterionDraft, CriterionVersion, Extract
from cohort.queries import previews
from cohort.queries.drafts import Opened, opened
from cohort.search.criteria import AllOf
from shielding.accounts.models import Membership, Organisation
from shielding.places.models import LocalAuthority, Postcode
from tests.cohort.criteria.conftest import ASTHMA, INHALER, PREDNISOLONE, with_count
from tests.cohort.factories import NOW, OrganisationFactory

pytestmark = pytest.mark.django_db

AS_AT = date(2020, 3, 14)
#: (person, born, sex, practice, dispensings of prednisolone)
PEOPLE = [
    (9990000001, date(2004, 3, 14), "F", "Z10001", 4),
    (9990000002, date(2004, 3, 15), "M", "Z10001", 4),
    (9990000003, date(1955, 3, 15), "M", "Z10002", 3),
    (9990000004, date(1955, 3, 14), "F", "Z10002", 3),
    (9990000005, date(1955, 3, 14), "F", "Z99999", 2),
]


@pytest.fixture
def extract(settings: Any) -> Extract:
    folder = Path(settings.EXTRACT_STORE) / "gp-1"
    folder.mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE p (person BIGINT, birth_date DATE, sex VARCHAR, practice_code VARCHAR)")
        connection.executemany("INSERT INTO p VALUES (?, ?, ?, ?)", [row[:4] for row in PEOPLE])
        connection.execute(
            "CREATE TABLE r (person BIGINT, system VARCHAR, code VARCHAR, date DATE, source VARCHAR, episode VARCHAR,"
            " value DOUBLE)"
        )
        rows = [
            (person, "DMD", code, date(2020, 3, 1 + day), "MEDICINES", "", None)
            for person, *_, times in PEOPLE
            for code, count in ((INHALER, 1), (PREDNISOLONE, times))
            for day in range(count)
        ]
        connection.executemany("INSERT INTO r VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        for table, name, order in (("p", "patients", "person"), ("r", "records", "system, code, person, date")):
            path = folder / f"{name}-000-of-001.parquet"
            connection.execute(f"COPY (FROM {table} ORDER BY {order}) TO '{path}' (FORMAT parquet)")
    return Extract.objects.create(
        supplier="gp",
        as_at=AS_AT,
        sha256="0" * 64,
        folder="gp-1",
        accepted_rows={},
        rejected_rows={},
        loaded_at=NOW,
    )


@pytest.fixture
def places(db: None) -> None:
    ics = OrganisationFactory(code="QWE", kind=Organisation.Kind.ICS, name="South West London ICS")
    sutton = LocalAuthority.objects.create(gss_code="E09000029", name="Sutton")
    Postcode.objects.create(postcode="SM1 1AA", local_authority=sutton)
    for code in ("Z10001", "Z10002"):
        OrganisationFactory(code=code, ics=ics, postcode="SM1 1AA" if code == "Z10001" else "")


@pytest.fixture
def draft(asthma: CriterionVersion, chidi: Membership) -> CriterionDraft:
    made = actions.begin_draft(criterion=asthma.criterion, by=chidi, at=NOW)
    change = with_count(made, 3)
    actions.change_draft(draft_id=made.pk, seen=1, criterion=change, what="Asked for 3", by=chidi, at=NOW)
    return CriterionDraft.objects.get(pk=made.pk)


def found(draft: CriterionDraft) -> Opened:
    return opened(CriterionDraft.objects.get(pk=draft.pk), on=AS_AT)


def numbers(tally: previews.Tally) -> tuple[int, int, int, int]:
    return tally.draft, tally.published, tally.gained, tally.lost


def test_a_draft_is_counted_against_what_is_in_force(draft: CriterionDraft, extract: Extract, places: None) -> None:
    count = previews.count_people(found(draft))
    assert numbers(count.total) == (4, 2, 2, 0)
    # 16 counts and 15 does not; 64 counts and 65 does not
    assert numbers(count.working_age) == (2, 1, 1, 0)
    assert [(row.name, row.draft) for row in count.ages] == [("15-19", 2), ("60-64", 1), ("65-69", 1)]
    assert [(row.name, row.draft) for row in count.sexes] == [("Female", 2), ("Male", 2)]
    assert [(row.name, *numbers(row)) for row in count.systems] == [("South West London ICS", 4, 2, 2, 0)]
    assert [(row.name, row.draft, row.gained) for row in count.authorities] == [("Sutton", 2, 0), ("Not known", 2, 2)]
    assert [(row.path, row.people, row.remaining) for row in count.clauses] == [("", 4, 4), ("0", 5, 5), ("1", 4, 4)]


def test_people_lost_are_counted_too(draft: CriterionDraft, extract: Extract, chidi: Membership) -> None:
    change = with_count(draft, 5)
    actions.change_draft(draft_id=draft.pk, seen=2, criterion=change, what="Asked for 5", by=chidi, at=NOW)
    assert numbers(previews.count_people(found(draft)).total) == (0, 2, 0, 2)


def test_a_new_criterion_is_counted_alone(asthma: CriterionVersion, extract: Extract, chidi: Membership) -> None:
    new = replace(ASTHMA, slug="inhaler", rule=AllOf(ASTHMA.rule.clauses[:1]))
    count = previews.count_people(found(actions.begin_new_criterion(criterion=new, by=chidi, at=NOW)))
    assert (count.has_published, count.total.draft) == (False, 5)


def test_a_count_is_shown_for_exactly_what_was_counted(
    draft: CriterionDraft, extract: Extract, chidi: Membership
) -> None:
    count = previews.count_people(found(draft))
    assert previews.remembered(found(draft)) == count
    actions.change_draft(
        draft_id=draft.pk, seen=2, criterion=with_count(draft, 2), what="Asked for 2", by=chidi, at=NOW
    )
    assert previews.remembered(found(draft)) is None


def test_the_pages_count_on_request_and_name_nobody(
    draft: CriterionDraft, extract: Extract, places: None, sign_in: Any, chidi: Membership
) -> None:
    page = sign_in(chidi)
    one = reverse("cohort:draft", args=[draft.pk])
    assert "Not counted as it stands now" in page.get(one).content.decode()
    shown = page.post(reverse("cohort:count_draft", args=[draft.pk]), follow=True).content.decode()
    assert "+2 gained and 0 lost against the 2 of version 1" in shown
    whole = page.get(reverse("cohort:counted_draft", args=[draft.pk])).content.decode()
    assert "South West London ICS" in whole
    assert "Sutton" in whole
    assert not any(str(person) in shown + whole for person, *_ in PEOPLE)


def test_without_an_extract_the_page_says_so(draft: CriterionDraft, sign_in: Any, chidi: Membership) -> None:
    with pytest.raises(previews.NothingToCount):
        previews.count_people(found(draft))
    page = sign_in(chidi)
    assert "No extract has been loaded yet" in page.get(reverse("cohort:draft", args=[draft.pk])).content.decode()
    answer = page.post(reverse("cohort:count_draft", args=[draft.pk]), follow=True)
    assert "there is nobody to count" in answer.content.decode()
