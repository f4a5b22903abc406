"""The invented GP patients of ehrQL, searched with a real code list, at a real practice. Skips without ../shared."""

import csv
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db.models import Q, Sum
from django.utils import timezone

from cohort.actions.criteria import load_criteria_set
from cohort.actions.extracts import load_extract
from cohort.actions.runs import request_search
from cohort.models import CodeListVersion, CriterionVersion, Evidence, Flag, ListEntry, SearchCount
from cohort.models import Criterion as CriterionRow
from cohort.rules import RunState
from cohort.search.codec import to_json
from cohort.search.criteria import Criterion, Records
from cohort.search.english import plain_english
from cohort.search.terms import Source, Tier
from cohort.tasks import resume_searches
from tests.integration.test_real_reference import CODE_LISTS, REFERENCE

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not REFERENCE.is_dir(), reason="needs the real reference data in ../shared/reference"),
]
DIABETES = CODE_LISTS / "opensafely_mab-av-non-users" / "opensafely-diabetes-snomed.csv"
PATIENTS = REFERENCE / "synthetic_patients" / "ehrql_example-data"
SYNTHEA = REFERENCE / "synthetic_patients" / "dbt-synthea_27"
PRACTICES = REFERENCE / "nhs_organisations" / "epraccur_2024-01.csv"
AS_AT = date(2025, 6, 1)


@pytest.fixture(autouse=True)
def practices() -> None:
    call_command("load_reference", "organisations", str(PRACTICES), stdout=StringIO())


@pytest.mark.parametrize(("mapping", "folder"), [("ehrql", PATIENTS), ("synthea", SYNTHEA)])
def test_the_shipped_criteria_run_over_both_public_sets_of_invented_patients(mapping: str, folder: Path) -> None:
    report = load_extract(
        folder=folder, supplier=mapping, as_at=AS_AT, at=timezone.now(), mapping=mapping, practice_code="A81001"
    )
    load_criteria_set(at=timezone.now())
    run = request_search(search_date=AS_AT, by=None, at=timezone.now())
    resume_searches()
    run.refresh_from_db()
    accepted = {table.table: table.accepted for table in report.tables}
    assert (run.state, run.people_searched) == (RunState.LANDED, accepted["patients"])
    over_70 = Sum("people", filter=Q(criterion_version__criterion__slug="aged-70-and-over"))
    assert SearchCount.objects.aggregate(found=over_70)["found"] > 0


def test_a_real_code_list_finds_the_patients_who_have_one_of_its_codes() -> None:
    call_command(
        "load_reference", "codelist", str(DIABETES), "--slug", "diabetes", "--name", "Diabetes", "--system", "SNOMED",
        stdout=StringIO(),
    )  # fmt: skip
    report = load_extract(
        folder=PATIENTS, supplier="ehrql", as_at=AS_AT, at=timezone.now(), mapping="ehrql", practice_code="A81001"
    )
    criterion = Criterion(
        slug="diabetes",
        title="Diabetes",
        tier=Tier.HIGH,
        disease_group="Diabetes",
        rule=Records(label="A record of diabetes", code_list="diabetes", sources=(Source.GP,)),
    )
    version = CriterionVersion.objects.create(
        criterion=CriterionRow.objects.create(
            slug="diabetes", title="Diabetes", tier=Tier.HIGH, disease_group="Diabetes"
        ),
        number=1,
        definition=to_json(criterion),
        plain_english=plain_english(criterion),
        published_at=timezone.now(),
    )
    version.code_lists.set(CodeListVersion.objects.filter(code_list__slug="diabetes"))

    request_search(search_date=AS_AT, by=None, at=timezone.now())
    resume_searches()

    accepted = {table.table: table.accepted for table in report.tables}
    with DIABETES.open(encoding="utf-8-sig") as stream:
        codes = {row["id"] for row in csv.DictReader(stream)}
    with (PATIENTS / "clinical_events.csv").open() as stream:
        has = {
            row["patient_id"]
            for row in csv.DictReader(stream)
            if row["snomedct_code"] in codes and row["date"] and date.fromisoformat(row["date"]) <= AS_AT
        }
    with (PATIENTS / "patients.csv").open() as stream:
        born = {row["patient_id"] for row in csv.DictReader(stream) if row["date_of_birth"] <= AS_AT.isoformat()}
    assert accepted["patients"] == len(born)
    assert Flag.objects.count() == ListEntry.objects.count() == len(has & born) > 10
    assert set(Evidence.objects.values_list("system", "source").distinct()) == {("SNOMED", "GP")}
    assert not Evidence.objects.filter(term="").exists()
