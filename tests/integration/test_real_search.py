"""The invented GP patients of ehrQL, searched with a real code list, at a real practice. Skips without ../shared."""

import csv
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from io import StringIO
from pathlib import Path

import duckdb
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db.models import Q, Sum
from django.utils import timezone

from cohort.actions.criteria import load_criteria_set
from cohort.actions.extracts import load_extract
from cohort.actions.runs import request_search
from cohort.models import CodeListVersion, CriterionVersion, Evidence, Extract, Flag, ListEntry, SearchCount
from cohort.models import Criterion as CriterionRow
from cohort.queries.criteria import code_sets_for, criteria_in_force, search_criterion
from cohort.rules import RunState
from cohort.search.codec import to_json
from cohort.search.criteria import Criterion, Records, code_lists
from cohort.search.english import plain_english
from cohort.search.reference import Person, Record, evaluate
from cohort.search.terms import SexCode, Source, Tier
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


#: The shipped lists that have a real counterpart of the same meaning: its file, and its system where it does not say.
REAL_LISTS = {
    "asthma": ("opensafely_vax-fourth-dose-RD/primis-covid19-vacc-uptake-ast.csv", "SNOMED"),
    "asthma-inhaler": ("ebmdatalab_asthma-meds/severe_asthma_inc_rule1.csv", ""),
    "body-mass-index": ("opensafely_vax-fourth-dose-RD/primis-covid19-vacc-uptake-bmi.csv", "SNOMED"),
    "chemotherapy": ("opensafely_vax-fourth-dose-RD/opensafely-chemotherapy-or-radiotherapy-snomed.csv", ""),
    "chronic-heart-disease": ("opensafely_mab-av-non-users/opensafely-chronic-cardiac-disease-snomed.csv", ""),
    "chronic-liver-disease": ("opensafely_vax-fourth-dose-RD/primis-covid19-vacc-uptake-cld.csv", "SNOMED"),
    "chronic-lung-disease": ("opensafely_mab-av-non-users/opensafely-chronic-respiratory-disease-snomed.csv", ""),
    "chronic-neurological-disease": ("opensafely_vax-fourth-dose-RD/primis-covid19-vacc-uptake-cns_cov.csv", "SNOMED"),
    "ckd-stage-3-to-5": ("opensafely_vax-fourth-dose-RD/primis-covid19-vacc-uptake-ckd35.csv", "SNOMED"),
    "delivery": ("opensafely_mab-av-non-users/primis-covid19-vacc-uptake-pregdel.csv", "SNOMED"),
    "diabetes": ("opensafely_mab-av-non-users/opensafely-diabetes-snomed.csv", ""),
    "diabetes-resolved": ("opensafely_vax-fourth-dose-RD/primis-covid19-vacc-uptake-dmres.csv", "SNOMED"),
    "dialysis": ("ukrr-dialysis-opcs-4.csv", "OPCS-4"),
    "haematological-cancer": ("opensafely_mab-av-non-users/nhsd-haematological-malignancies-snomed.csv", "SNOMED"),
    "haematological-transplant": (
        "opensafely_mab-av-non-users/nhsd-haematopoietic-stem-cell-transplant-snomed.csv",
        "SNOMED",
    ),
    "immune-deficiency": ("opensafely_vax-fourth-dose-RD/primis-covid19-vacc-uptake-immdx_cov.csv", "SNOMED"),
    "immunosuppressant": ("opensafely_mab-av-non-users/nhsd-immunosuppresant-drugs-pra-dmd.csv", "DMD"),
    "inhaled-steroid": ("ebmdatalab_asthma-meds/ics_asthma.csv", ""),
    "lung-cancer": ("opensafely_mab-av-non-users/opensafely-lung-cancer-snomed.csv", ""),
    "prednisolone": ("opensafely_mab-av-non-users/nhsd-oral-steroid-drugs-pra-dmd.csv", ""),
    "pregnancy": ("opensafely_mab-av-non-users/primis-covid19-vacc-uptake-preg.csv", "SNOMED"),
    "solid-cancer": (
        "opensafely_vax-fourth-dose-RD/opensafely-cancer-excluding-lung-and-haematological-snomed.csv",
        "",
    ),
    "solid-transplant": ("opensafely_mab-av-non-users/nhsd-transplant-spl-atriskv4-snomed-ct.csv", "SNOMED"),
    "spleen-problem": ("opensafely_vax-fourth-dose-RD/primis-covid19-vacc-uptake-spln_cov.csv", "SNOMED"),
}


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


def load_real_lists() -> None:
    """Makes the real lists the newest versions of the shipped ones, in criteria of the next version."""
    load_criteria_set(at=timezone.now())
    for slug, (file, system) in REAL_LISTS.items():
        arguments = ["--system", system] if system else []
        call_command(
            "load_reference", "codelist", str(CODE_LISTS / file), "--slug", slug, "--name", slug, *arguments,
            stdout=StringIO(),
        )  # fmt: skip
    newest = CodeListVersion.objects.order_by("code_list", "-number").distinct("code_list").select_related("code_list")
    lists = {version.code_list.slug: version for version in newest}
    assert {slug for slug, version in lists.items() if version.number == 2} == REAL_LISTS.keys()
    for version in CriterionVersion.objects.select_related("criterion"):
        made = CriterionVersion.objects.create(
            criterion=version.criterion,
            number=2,
            definition=version.definition,
            plain_english=version.plain_english,
            published_at=timezone.now(),
        )
        made.code_lists.set(lists[slug] for slug in code_lists(search_criterion(version)))


def people_of(store: Path) -> Iterator[Person]:
    """Yields everybody of an extract with all their records, read without the search."""
    records: dict[int, list[Record]] = defaultdict(list)
    for person, system, code, day, source, episode, value in duckdb.sql(
        f"SELECT person, system, code, date, source, episode, value FROM '{store}/records-*.parquet'"
    ).fetchall():
        records[person].append(Record(system, code, day, Source(source), episode, value))
    for person, born, sex in duckdb.sql(f"SELECT person, birth_date, sex FROM '{store}/patients-*.parquet'").fetchall():
        yield Person(born, SexCode(sex), tuple(records[person]))


@pytest.mark.parametrize(
    ("mapping", "folder", "found_somebody"),
    [
        ("ehrql", PATIENTS, {"diabetes"}),
        ("synthea", SYNTHEA, {"chronic-heart-disease"}),
    ],
)
def test_the_shipped_criteria_on_real_code_lists_find_whom_the_reference_finds(
    mapping: str, folder: Path, found_somebody: set[str]
) -> None:
    load_extract(
        folder=folder, supplier=mapping, as_at=AS_AT, at=timezone.now(), mapping=mapping, practice_code="A81001"
    )
    load_real_lists()
    request_search(search_date=AS_AT, by=None, at=timezone.now())
    resume_searches()

    versions = criteria_in_force()
    sets = code_sets_for(versions)
    assert sum(len(each.codes) for each in sets.values()) > 20_000
    people = list(people_of(Path(settings.EXTRACT_STORE) / Extract.objects.get().folder))
    expected = {
        version.criterion.slug: sum(
            evaluate(search_criterion(version), person, sets, AS_AT).is_met for person in people
        )
        for version in versions
    }
    counted = SearchCount.objects.values_list("criterion_version__criterion__slug").annotate(found=Sum("people"))
    assert dict(counted) == {slug: found for slug, found in expected.items() if found}
    assert {slug for slug in found_somebody if expected[slug]} == found_somebody


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
