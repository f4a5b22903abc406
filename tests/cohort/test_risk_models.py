"""A population risk model's list: domain, section 5, on real facts, and every wrong line told."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from cohort.actions.facts import record_fact
from cohort.actions.risk_models import (
    RiskListCounts,
    RiskListRefused,
    RiskListReport,
    load_risk_list,
    preview_risk_list,
)
from cohort.models import Extract, ListEntry, ListFact, Patient, PracticeList, RiskList
from cohort.rules import FactSource, Request
from shielding.accounts.models import Membership, Organisation, Role
from shielding.accounts.policies import NotAllowed
from shielding.ledger import ledger
from tests.cohort.factories import (
    NOW,
    ListEntryFactory,
    MembershipFactory,
    OrganisationFactory,
    PracticeListFactory,
    SearchRunFactory,
    invented_nhs_number,
)
from tests.cohort.test_landing import write_people

pytestmark = pytest.mark.django_db

AMINA, BOB, CHARLIE, STRANGER = (invented_nhs_number(n) for n in (901, 902, 903, 904))
ON = NOW.date()


@pytest.fixture
def operator() -> Membership:
    centre = OrganisationFactory(code="CENTRE", kind=Organisation.Kind.CENTRE)
    return MembershipFactory(organisation=centre, role=Role.CENTRAL_OPERATOR)


@pytest.fixture
def practice() -> Organisation:
    return OrganisationFactory(code="Z90001")


@pytest.fixture(autouse=True)
def extract(practice: Organisation, settings: Any) -> Extract:
    """Amina and Bob, and Charlie whose practice nobody knows."""
    SearchRunFactory()
    people = [
        {"person": int(AMINA)},
        {"person": int(BOB), "given_name": "Bob"},
        {"person": int(CHARLIE), "practice_code": "Z99999"},
    ]
    made = Extract.objects.create(
        supplier="gp", as_at=ON - timedelta(days=3), sha256="0" * 64, folder="gp", loaded_at=NOW
    )
    write_people(settings.EXTRACT_STORE / "gp" / "patients-000-of-001.parquet", *people)
    return made


def a_file(folder: Path, *rows: str, header: str = "nhs_number,model,version,date,flag") -> Path:
    path = folder / "list.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def row(number: str, flag: str = "yes", *, model: str = "QCovid", day: date = ON) -> str:
    return f"{number},{model},1.0,{day},{flag}"


@pytest.fixture
def load(tmp_path: Path, operator: Membership) -> Callable[..., RiskListReport]:
    def _load(*rows: str, days: int = 0, threshold: float | None = None, **options: Any) -> RiskListReport:
        file = a_file(tmp_path, *rows, **options)
        return load_risk_list(file=file, threshold=threshold, by=operator, at=NOW + timedelta(days=days))

    return _load


Load = Callable[..., RiskListReport]


def entry_of(number: str) -> ListEntry:
    return ListEntry.objects.get(patient__nhs_number=number)


def test_somebody_flagged_comes_on_the_list_and_waits_for_their_practice(load: Load, practice: Organisation) -> None:
    report = load(row(AMINA), row(BOB, "no"), row(STRANGER), row(CHARLIE))
    assert report.counts == RiskListCounts(lines=4, lines_in_error=0, not_flagged=1, flagged=3, not_found=2, added=1)
    patient = Patient.objects.get()
    assert (patient.nhs_number, patient.practice, patient.as_at) == (AMINA, practice, ON - timedelta(days=3))
    entry = entry_of(AMINA)
    assert (entry.is_on_list, entry.is_flagged, entry.review_state) == (True, True, "TO_REVIEW")
    assert entry.because is not None
    assert (entry.because.source, entry.because.reason) == ("RISK_MODEL", f"QCovid 1.0, {ON:%-d %B %Y}")
    assert entry.practice_list == PracticeList.objects.get(practice=practice)
    assert entry.practice_list.due_date == ON + timedelta(days=7)


def test_the_ledger_still_adds_up(load: Load) -> None:
    load(row(AMINA), row(BOB))
    assert ledger().differences == []


def test_they_join_the_list_that_their_practice_is_working_on(load: Load, practice: Organisation) -> None:
    working_on = PracticeListFactory(practice=practice)
    load(row(AMINA))
    assert entry_of(AMINA).practice_list == working_on


def known(number: str, practice: Organisation, **fields: Any) -> ListEntry:
    return ListEntryFactory(patient__nhs_number=number, practice_list=PracticeListFactory(practice=practice), **fields)


REMOVALS = [FactSource.GP, FactSource.HOSPITAL, FactSource.PATIENT]


@pytest.mark.parametrize("source", REMOVALS)
def test_somebody_taken_off_by_a_person_or_clinician_stays_off(
    load: Load, practice: Organisation, source: FactSource
) -> None:
    entry = known(AMINA, practice)
    record_fact(patient_id=entry.pk, source=source, request=Request.REMOVE, reason="", at=NOW - timedelta(days=1))
    report = load(row(AMINA))
    assert (report.counts.kept_off, report.counts.added) == (1, 0)
    assert not entry_of(AMINA).is_on_list
    assert ListFact.objects.filter(source="RISK_MODEL").count() == 1


def test_somebody_on_the_list_already_stays_on_it_for_two_reasons(load: Load, practice: Organisation) -> None:
    known(AMINA, practice)
    assert load(row(AMINA)).counts.on_list_already == 1
    report = load(row(BOB), days=1)
    assert (report.counts.withdrawn, report.counts.came_off, report.counts.added) == (1, 0, 1)
    assert entry_of(AMINA).is_on_list


def test_somebody_missing_from_a_later_list_of_the_model_is_withdrawn(load: Load) -> None:
    load(row(AMINA), row(BOB))
    report = load(row(BOB), row(AMINA, "no"), days=1)
    assert report.counts == RiskListCounts(
        lines=2, lines_in_error=0, not_flagged=1, flagged=1, said_before=1, withdrawn=1, came_off=1
    )
    assert (entry_of(AMINA).is_on_list, entry_of(AMINA).review_state) == (False, "LAPSED")
    assert entry_of(BOB).is_on_list
    again = load(row(BOB), row(AMINA), days=2)
    assert (again.counts.added, again.counts.said_before) == (1, 1)
    assert (entry_of(AMINA).is_on_list, entry_of(AMINA).review_state) == (True, "TO_REVIEW")
    assert ledger().differences == []


def test_a_list_of_another_model_withdraws_nobody(load: Load) -> None:
    load(row(AMINA))
    assert load(row(AMINA, model="Other"), row(BOB, model="Other"), days=1).counts.withdrawn == 0
    report = load(row(BOB), days=2)
    assert (report.counts.withdrawn, report.counts.came_off) == (1, 0)
    assert entry_of(AMINA).is_on_list


def test_while_lines_are_in_error_nobody_is_withdrawn(load: Load) -> None:
    load(row(AMINA))
    no = [row(invented_nhs_number(n), "no") for n in range(20)]
    report = load(row(BOB), row("123"), *no, days=1)
    assert (report.counts.lines_in_error, report.counts.withdrawn, report.counts.added) == (1, 0, 1)
    assert entry_of(AMINA).is_on_list


def test_the_same_file_again_does_nothing_and_an_older_list_is_refused(load: Load) -> None:
    first = load(row(AMINA))
    again = load(row(AMINA), days=1)
    assert (again.is_new, again.risk_list, again.counts) == (False, first.risk_list, first.counts)
    with pytest.raises(RiskListRefused, match="An older list would withdraw"):
        load(row(BOB, day=ON - timedelta(days=1)))
    assert RiskList.objects.count() == 1


def test_a_preview_says_what_would_happen_and_changes_nothing(operator: Membership, tmp_path: Path) -> None:
    file = a_file(tmp_path, row(AMINA), row(STRANGER))
    report = preview_risk_list(file=file, threshold=None, by=operator, at=NOW)
    assert (report.counts.added, report.counts.not_found) == (1, 1)
    assert not any(model.objects.exists() for model in (Patient, ListEntry, ListFact, RiskList, PracticeList))
    assert load_risk_list(file=file, threshold=None, by=operator, at=NOW).counts == report.counts


def test_scores_count_from_the_threshold_on(load: Load) -> None:
    header = "nhs_number,model,version,date,score"
    report = load(row(AMINA, "0.5"), row(BOB, "0.49"), header=header, threshold=0.5)
    assert (report.counts.flagged, report.counts.not_flagged) == (1, 1)


LINES = [
    (row(""), "nhs_number", "is missing"),
    (row(AMINA[:9] + str((int(AMINA[9]) + 1) % 10)), "nhs_number", "fails its check digit"),
    (row(BOB, model=""), "model", "is missing"),
    (row(BOB, model="Other"), "model", "is not the model and version of the other lines"),
    (row(BOB, day=ON + timedelta(days=1)), "date", "is after today"),
    (f"{BOB},QCovid,1.0,43905,yes", "date", "is a bare number, as Excel keeps dates"),
    (row(BOB, "maybe"), "flag", "is not yes or no"),
    (row(AMINA, "no"), "nhs_number", "is also on line 2 with another answer"),
    (f"{BOB},QCovid", "", "has 2 fields where the header has 5"),
]


@pytest.mark.parametrize(("line", "column", "reason"), LINES)
def test_each_wrong_line_is_told_by_line_and_column(load: Load, line: str, column: str, reason: str) -> None:
    fine = [row(AMINA), *(row(invented_nhs_number(n), "no") for n in range(18))]
    (error,) = load(*fine, line).errors
    assert (error.line, error.column) == (21, column)
    assert error.reason.startswith(reason)


@pytest.mark.parametrize(
    ("rows", "options", "why"),
    [
        ([row(AMINA), row("1")], {}, "1 of 2 lines are in error"),
        ([row("1")], {}, "No line can be used. Line 2: nhs_number is not 10 digits"),
        ([row(AMINA)], {"header": "nhs_number,model,version,date,x"}, "a column flag or a column score"),
        ([row(AMINA)], {"header": "nhs_number,model,x,date,flag"}, "Columns missing: version"),
        ([row(AMINA, "1")], {"header": "nhs_number,model,version,date,score"}, "say the lowest score that counts"),
        ([row(AMINA)], {"threshold": 0.5}, "leave the lowest score empty"),
    ],
)
def test_a_list_that_cannot_be_used_changes_nothing(
    load: Load, rows: list[str], options: dict[str, Any], why: str
) -> None:
    with pytest.raises(RiskListRefused, match=why):
        load(*rows, **options)
    assert not ListFact.objects.exists()


def test_only_the_central_operator_may(tmp_path: Path) -> None:
    with pytest.raises(NotAllowed):
        load_risk_list(file=a_file(tmp_path, row(AMINA)), threshold=None, by=MembershipFactory(), at=NOW)


def test_the_command_loads_a_list_and_says_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = a_file(tmp_path, row(AMINA))
    call_command("load_risk_list", str(file))
    said = capsys.readouterr().out
    assert "Loaded QCovid 1.0" in said
    assert AMINA not in said
    assert entry_of(AMINA).is_on_list
    file.write_text("x\n")
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("load_risk_list", str(file))
