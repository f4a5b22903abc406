"""A search's results land once and whole, and a clinician's word stands against them."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import pytest
from django.db import IntegrityError, InternalError, transaction

from cohort.actions import facts
from cohort.actions.decisions import confirm, reopen
from cohort.actions.demographics import refresh_people
from cohort.actions.facts import record_fact, withdraw_fact
from cohort.actions.landing import LandingError, land
from cohort.actions.sign_off import submit_list
from cohort.models import Evidence, Flag, ListEntry, ListFact, Patient, PracticeList, SearchCount, SearchRun
from cohort.queries.review import version
from cohort.queries.runs import only_found_by
from cohort.queries.worklists import progress
from cohort.rules import FactSource, Request
from shielding.accounts.models import Organisation, User
from shielding.ledger import ledger
from tests.cohort.factories import (
    NOW,
    CodeListVersionFactory,
    CriterionVersionFactory,
    ListEntryFactory,
    MembershipFactory,
    OrganisationFactory,
    PatientFactory,
    SearchRunFactory,
    UserFactory,
    invented_nhs_number,
)

pytestmark = pytest.mark.django_db

AS_AT = date(2020, 3, 14)
WEEK_LATER = NOW + timedelta(days=7)
#: A row of each of a run's small tables, for its columns alone.
OUTPUTS = {
    "attrition": "('', '', '', 0, 0)) AS t (criterion, path, label, people, remaining",
    "combinations": "([''], 0)) AS t (criteria, people",
    "groups": "('', '', '', 0)) AS t (criterion, age_band, sex, people",
}
PEOPLE = """
    person BIGINT, given_name VARCHAR, family_name VARCHAR, birth_date DATE, sex VARCHAR, practice_code VARCHAR,
    address_lines VARCHAR[], postcode VARCHAR, uprn VARCHAR, no_fixed_abode BOOLEAN, mobile VARCHAR, landline VARCHAR,
    email VARCHAR, death_status VARCHAR, death_date DATE, is_restricted BOOLEAN, is_invalid BOOLEAN,
    moved_away_code VARCHAR, asked_not_to_be_contacted BOOLEAN, unsafe_channels VARCHAR[],
    safe_contact_instruction VARCHAR
"""


def write_people(file: Path, *people: dict[str, Any]) -> Path:
    """Writes rows of the extract store's patients: Amina at Z90001, but for what is given."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as duck:
        duck.execute(f"CREATE TABLE people ({PEOPLE})")
        for given in people:
            row = {
                "person": int(invented_nhs_number(900)),
                "given_name": "Amina",
                "family_name": 'O\'Neil-"Begum", née\\Łukasz',
                "birth_date": date(1961, 2, 14),
                "sex": "F",
                "practice_code": "Z90001",
                "address_lines": ['1 Mill Lane, "Rear"', "Back\\slash", "{Braces}"],
                "postcode": "SM1 1AA",
                "uprn": "000012345678",
                "no_fixed_abode": False,
                "mobile": "07700900123",
                "landline": "",
                "email": "",
                "death_status": "",
                "death_date": None,
                "is_restricted": False,
                "is_invalid": False,
                "moved_away_code": "",
                "asked_not_to_be_contacted": False,
                "unsafe_channels": ["LETTER"],
                "safe_contact_instruction": "",
                **given,
            }
            duck.execute(f"INSERT INTO people VALUES ({', '.join('?' * len(row))})", list(row.values()))
        duck.execute(f"COPY people TO '{file}' (FORMAT parquet)")
    return file


def write_results(folder: Path, *people: dict[str, Any], recorded: date = date(2014, 5, 3)) -> Path:
    """Writes what a search that flagged these people for a solid transplant writes."""
    write_people(folder / "people.parquet", *people)
    with duckdb.connect() as duck:
        duck.execute(f"CREATE VIEW people AS FROM '{folder / 'people.parquet'}'")
        for name, query in {
            "flags": f"SELECT person, 'solid-transplant' AS criterion, {recorded.toordinal()} AS fingerprint"
            " FROM people",
            "evidence": "SELECT person, 'solid-transplant' AS criterion, 'A transplant, ever' AS clause,"
            f" 'SNOMED' AS system, '70536003' AS code, DATE '{recorded}' AS event_date, 'GP' AS source,"
            " '' AS detail, 'solid-transplant' AS code_list FROM people",
            "counts": "SELECT 'solid-transplant' AS criterion, practice_code, count(*)::INTEGER AS people"
            " FROM people GROUP BY ALL",
            **{name: f"FROM (VALUES {rows}) LIMIT 0" for name, rows in OUTPUTS.items()},
        }.items():
            duck.execute(f"COPY ({query}) TO '{folder / name}.parquet' (FORMAT parquet)")
    return folder


@pytest.fixture
def practice() -> Any:
    return OrganisationFactory(code="Z90001", name="Mill Lane Surgery")


def a_running_search() -> SearchRun:
    run = SearchRunFactory(state="RUNNING", finished_at=None, percent=50)
    code_list = CodeListVersionFactory()
    version = CriterionVersionFactory(criterion__slug="solid-transplant", number=1)
    version.code_lists.set([code_list])
    run.criteria.set([version])
    return run


def land_people(
    folder: Path, *people: dict[str, Any], at: Any = NOW, searched: Any = None, recorded: date = date(2014, 5, 3)
) -> SearchRun:
    """Lands a search that flagged these people, of those `searched` (left out: of these alone)."""
    run = a_running_search()
    results = write_results(folder / str(run.pk), *people, recorded=recorded)
    patients = [results / "people.parquet"]
    if searched is not None:
        patients = [write_people(folder / f"{run.pk}-patients.parquet", *searched)]
    return land(run_id=run.pk, results=results, patients=patients, as_at=AS_AT, at=at)


def entry_of(number: int) -> ListEntry:
    return ListEntry.objects.get(patient__nhs_number=invented_nhs_number(number))


def test_a_flagged_person_lands_with_details_evidence_and_a_place_on_the_practices_list(
    practice: Any, tmp_path: Path
) -> None:
    run = land_people(tmp_path, {})

    patient = Patient.objects.get()
    assert patient.nhs_number == invented_nhs_number(900)
    assert patient.family_name == 'O\'Neil-"Begum", née\\Łukasz'
    assert patient.address_lines == ['1 Mill Lane, "Rear"', "Back\\slash", "{Braces}"]
    assert patient.unsafe_channels == ["LETTER"]
    assert patient.uprn == "000012345678"
    evidence = Evidence.objects.get()
    assert (evidence.flag.patient, evidence.code, evidence.event_date) == (patient, "70536003", date(2014, 5, 3))
    assert evidence.code_list_version is not None
    entry = ListEntry.objects.get()
    assert (entry.is_on_list, entry.is_flagged, entry.review_state) == (True, True, "TO_REVIEW")
    assert entry.because == ListFact.objects.get(source="ALGORITHM", run=run)
    assert entry.practice_list == PracticeList.objects.get(practice=practice)
    assert entry.practice_list.due_date == NOW.date() + timedelta(days=7)
    assert SearchCount.objects.get().people == 1
    assert (run.state, run.people_flagged) == ("LANDED", 1)


def test_landing_the_same_run_again_changes_nothing(practice: Any, tmp_path: Path) -> None:
    run = a_running_search()
    results = write_results(tmp_path / "results", {})
    for _ in range(2):
        land(run_id=run.pk, results=results, patients=[results / "people.parquet"], as_at=AS_AT, at=NOW)
    assert (Flag.objects.count(), Evidence.objects.count(), ListFact.objects.count()) == (1, 1, 1)


def test_a_second_search_on_the_same_evidence_writes_no_flag_fact_evidence_or_list(
    practice: Any, tmp_path: Path
) -> None:
    first = land_people(tmp_path, {})
    second = land_people(tmp_path, {}, at=WEEK_LATER)
    assert Flag.objects.get().run == first
    assert (Evidence.objects.count(), ListFact.objects.count(), ListEntry.objects.count()) == (1, 1, 1)
    assert PracticeList.objects.count() == 1
    assert (second.people_flagged, second.people_not_searched) == (1, 0)


def test_other_evidence_ends_the_flag_and_begins_another_but_the_fact_stands(practice: Any, tmp_path: Path) -> None:
    first = land_people(tmp_path, {})
    second = land_people(tmp_path, {}, at=WEEK_LATER, recorded=date(2019, 1, 1))
    assert set(Flag.objects.values_list("run", "ended_in")) == {(first.pk, second.pk), (second.pk, None)}
    assert Evidence.objects.get(flag__ended_in=None).event_date == date(2019, 1, 1)
    assert (ListFact.objects.count(), ListEntry.objects.get().review_state) == (1, "TO_REVIEW")


def test_another_version_of_the_criterion_ends_the_flag_of_the_last(practice: Any, tmp_path: Path) -> None:
    land_people(tmp_path, {})
    run = a_running_search()
    run.criteria.set([CriterionVersionFactory(criterion__slug="solid-transplant", number=2)])
    results = write_results(tmp_path / "second", {})
    land(run_id=run.pk, results=results, patients=[results / "people.parquet"], as_at=AS_AT, at=WEEK_LATER)
    assert list(Flag.objects.order_by("pk").values_list("criterion_version__number", "ended_in")) == [
        (1, run.pk),
        (2, None),
    ]
    assert ListFact.objects.count() == 1


def test_somebody_unreviewed_who_is_no_longer_found_lapses_and_found_again_is_new_to_the_practice(
    practice: Any, tmp_path: Path
) -> None:
    bob = {"person": int(invented_nhs_number(901))}
    first = land_people(tmp_path, {}, bob)
    second = land_people(tmp_path, bob, searched=[{}, bob], at=WEEK_LATER)
    amina = entry_of(900)
    assert (amina.is_on_list, amina.review_state, amina.because) == (False, "LAPSED", None)
    assert amina.changed_at == WEEK_LATER
    assert Flag.objects.get(patient=amina.pk).ended_in == second
    withdrawal = ListFact.objects.get(withdraws__patient=amina.pk)
    assert (withdrawal.source, withdrawal.run, withdrawal.request) == ("ALGORITHM", second, "")
    assert entry_of(901).review_state == "TO_REVIEW"
    assert not PracticeList.objects.filter(run=second).exists()
    assert ledger().differences == []
    assert (ledger().figures["flagged"], ledger().figures["lapsed"]) == (2, 1)

    third = land_people(tmp_path, {}, bob, at=WEEK_LATER + timedelta(days=7))
    amina.refresh_from_db()
    assert (amina.is_on_list, amina.review_state) == (True, "TO_REVIEW")
    assert amina.because == ListFact.objects.get(run=third, request="ADD")
    assert amina.practice_list == PracticeList.objects.get(run=third, practice=practice)
    assert entry_of(901).practice_list == PracticeList.objects.get(run=first, practice=practice)
    assert ledger().differences == []


def test_those_who_lapse_are_taken_a_batch_at_a_time(
    practice: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "_AT_ONCE", 2)
    everybody = [{"person": int(invented_nhs_number(number))} for number in range(900, 905)]
    land_people(tmp_path, *everybody)
    land_people(tmp_path, searched=everybody, at=WEEK_LATER)
    assert set(ListEntry.objects.values_list("is_on_list", "review_state", "because")) == {(False, "LAPSED", None)}
    assert ledger().differences == []


def test_somebody_confirmed_stays_on_the_list_when_the_search_no_longer_finds_them(
    practice: Any, tmp_path: Path
) -> None:
    land_people(tmp_path, {})
    gp = MembershipFactory(organisation=practice)
    entry = ListEntry.objects.get()
    confirm(entry_id=entry.pk, by=gp, at=NOW, seen=version(entry))
    land_people(tmp_path, searched=[{}], at=WEEK_LATER)
    entry = ListEntry.objects.get()
    assert (entry.is_on_list, entry.review_state) == (True, "CONFIRMED")
    assert Flag.objects.get().ended_in is not None
    assert ledger().differences == []

    # Once the practice takes its word back, nothing holds them.
    entry = reopen(entry_id=entry.pk, by=gp, at=WEEK_LATER, seen=version(entry))
    assert (entry.is_on_list, entry.review_state) == (False, "LAPSED")
    confirm(entry_id=entry.pk, by=gp, at=WEEK_LATER, seen=version(entry))
    assert ListEntry.objects.get().review_state == "CONFIRMED"


def test_somebody_whom_a_hospital_holds_on_the_list_is_still_to_review(practice: Any, tmp_path: Path) -> None:
    land_people(tmp_path, {})
    patient = Patient.objects.get()
    fact = record_fact(patient_id=patient.pk, source=FactSource.HOSPITAL, request=Request.ADD, reason="", at=NOW)
    land_people(tmp_path, searched=[{}], at=WEEK_LATER)
    entry = ListEntry.objects.get()
    assert (entry.is_on_list, entry.review_state) == (True, "TO_REVIEW")
    withdraw_fact(fact=fact, reason="", at=WEEK_LATER, by=None)
    entry.refresh_from_db()
    assert (entry.is_on_list, entry.review_state) == (False, "LAPSED")
    record_fact(patient_id=patient.pk, source=FactSource.HOSPITAL, request=Request.ADD, reason="", at=WEEK_LATER)
    entry.refresh_from_db()
    assert (entry.is_on_list, entry.review_state) == (True, "TO_REVIEW")


def test_somebody_who_was_not_searched_stays_as_they_are_and_is_counted(practice: Any, tmp_path: Path) -> None:
    bob = {"person": int(invented_nhs_number(901))}
    land_people(tmp_path, {}, bob)
    run = land_people(tmp_path, bob, at=WEEK_LATER)
    assert run.people_not_searched == 1
    assert not Flag.objects.exclude(ended_in=None).exists()
    assert entry_of(900).is_on_list


def test_an_incremental_search_ends_the_flags_of_those_alone_whom_it_searched(practice: Any, tmp_path: Path) -> None:
    bob, charlie = ({"person": int(invented_nhs_number(n))} for n in (901, 902))
    land_people(tmp_path, {}, bob, charlie)
    run = a_running_search()
    results = write_results(tmp_path / "incremental", charlie, recorded=date(2019, 1, 1))
    searched = write_people(tmp_path / "searched.parquet", {}, charlie)
    with duckdb.connect() as duck:
        duck.execute(f"COPY (SELECT person FROM '{searched}') TO '{results / 'searched-1.parquet'}'")
    everybody = write_people(tmp_path / "patients.parquet", {}, bob, charlie)
    run = land(run_id=run.pk, results=results, patients=[everybody], as_at=AS_AT, at=WEEK_LATER)
    ended = Flag.objects.filter(ended_in=run).values_list("patient__nhs_number", flat=True)
    assert set(ended) == {invented_nhs_number(900), invented_nhs_number(902)}
    assert [entry_of(n).review_state for n in (900, 901, 902)] == ["LAPSED", "TO_REVIEW", "TO_REVIEW"]
    assert (run.people_flagged, run.people_not_searched) == (2, 0)


def test_a_runs_small_tables_land_as_the_engine_wrote_them(practice: Any, tmp_path: Path) -> None:
    run = a_running_search()
    second = CriterionVersionFactory(criterion__slug="aged", criterion__tier="VULNERABLE")
    run.criteria.add(second)
    first = run.criteria.exclude(pk=second.pk).get()
    results = write_results(tmp_path / "results", {})
    with duckdb.connect() as duck:
        for name, query in {
            "attrition": "(VALUES ('solid-transplant', '', 'All of, \"quoted\"', 7, 7),"
            " ('solid-transplant', '0', 'Age 18', 9, 9)) AS t (criterion, path, label, people, remaining)",
            "combinations": "(VALUES (['aged', 'solid-transplant'], 3), (['solid-transplant'], 4))"
            " AS t (criteria, people)",
            "groups": "(VALUES ('aged', '70-74', 'F', 3)) AS t (criterion, age_band, sex, people)",
        }.items():
            duck.execute(f"COPY (FROM {query}) TO '{results / name}.parquet' (FORMAT parquet)")
    land(run_id=run.pk, results=results, patients=[results / "people.parquet"], as_at=AS_AT, at=NOW)
    assert list(run.attrition.order_by("number").values_list("criterion_version", "path", "label", "people")) == [
        (first.pk, "", 'All of, "quoted"', 7),
        (first.pk, "0", "Age 18", 9),
    ]
    assert list(run.combinations.order_by("people").values_list("criterion_versions", "people")) == [
        ([second.pk, first.pk], 3),
        ([first.pk], 4),
    ]
    assert run.groups.values_list("criterion_version", "age_band", "sex", "people").get() == (
        second.pk,
        "70-74",
        "F",
        3,
    )
    assert only_found_by(run) == {first.pk: 7}  # of the high tier, whatever of the other they meet


def test_a_list_with_lapsed_people_alone_can_be_signed_off(practice: Any, tmp_path: Path) -> None:
    land_people(tmp_path, {})
    land_people(tmp_path, searched=[{}], at=WEEK_LATER)
    assert PracticeList.objects.count() == 1
    gp = MembershipFactory(organisation=practice)
    (row,) = progress(gp)
    assert (row.to_review, row.lapsed, row.everybody) == (0, 1, 0)
    submit_list(list_id=row.practice_list.pk, by=gp, at=WEEK_LATER)


def test_a_flag_can_be_ended_once_and_nothing_else_of_it_is_ever_changed(practice: Any, tmp_path: Path) -> None:
    land_people(tmp_path, {})
    run = SearchRunFactory()
    for change in ({"fingerprint": 1}, {"run": run}, {"run": run, "ended_in": run}):
        with pytest.raises(InternalError), transaction.atomic():
            Flag.objects.update(**change)
    Flag.objects.update(ended_in=run)
    for change in ({"ended_in": None}, {"ended_in": SearchRunFactory()}):
        with pytest.raises(InternalError), transaction.atomic():
            Flag.objects.update(**change)
    with pytest.raises(InternalError), transaction.atomic():
        Flag.objects.all()._raw_delete("default")


def test_flags_and_evidence_refer_only_to_what_is_there(practice: Any, tmp_path: Path) -> None:
    run = land_people(tmp_path, {})
    flag = Flag.objects.get()
    whole = {"run_id": run.pk, "patient_id": PatientFactory().pk, "criterion_version_id": flag.criterion_version_id}
    for column in whole:
        with pytest.raises(IntegrityError, match="a person, a criterion or a run"), transaction.atomic():
            Flag.objects.create(**whole | {column: uuid4()})
    Flag.objects.create(**whole)
    for missing in ({"flag_id": flag.pk + 1}, {"flag": flag, "code_list_version_id": 0}):
        with pytest.raises(IntegrityError, match="flag or a code list that is not there"), transaction.atomic():
            Evidence.objects.create(clause="Age 70 or over", **missing)
    Evidence.objects.create(clause="Age 70 or over", flag=flag)


def test_facts_refer_only_to_what_is_there(practice: Any, tmp_path: Path) -> None:
    run = land_people(tmp_path, {})
    gp = MembershipFactory(organisation=practice)
    whole = {
        "patient_id": PatientFactory().pk,
        "run_id": run.pk,
        "by_id": gp.user_id,
        "organisation_id": gp.organisation_id,
    }
    said = {"source": FactSource.GP.value, "request": Request.ADD.value, "at": NOW}
    for column in whole:
        with pytest.raises(IntegrityError, match="that is not there"), transaction.atomic():
            ListFact.objects.create(**said | whole | {column: uuid4()})
        if column != "patient_id":
            ListFact.objects.create(**said | whole | {column: None})
    ListFact.objects.create(**said | whole)


def test_who_is_named_by_facts_is_never_deleted(practice: Any) -> None:
    gp = MembershipFactory(organisation=practice)
    patient = PatientFactory()
    ListFact.objects.create(
        patient=patient,
        source=FactSource.GP.value,
        request=Request.ADD.value,
        at=NOW,
        by=gp.user,
        organisation=practice,
    )
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        Patient.objects.filter(pk=patient.pk)._raw_delete("default")
    for named in (User.objects.filter(pk=gp.user_id), Organisation.objects.filter(pk=practice.pk)):
        with pytest.raises(InternalError, match="Cannot delete"), transaction.atomic():
            named._raw_delete("default")


def test_a_run_and_somebody_who_was_flagged_are_never_deleted(practice: Any, tmp_path: Path) -> None:
    land_people(tmp_path, {})
    unknown = PatientFactory()
    SearchRunFactory()
    with pytest.raises(InternalError, match="Cannot delete"), transaction.atomic():
        SearchRun.objects.all()._raw_delete("default")
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        Patient.objects.filter(flags__isnull=False)._raw_delete("default")
    Patient.objects.filter(pk=unknown.pk)._raw_delete("default")


def test_the_search_says_so_once_of_a_person_until_it_is_withdrawn(practice: Any, tmp_path: Path) -> None:
    run = land_people(tmp_path, {})
    said = {"patient": Patient.objects.get(), "source": "ALGORITHM", "run": run, "at": NOW}
    with pytest.raises(IntegrityError), transaction.atomic():
        ListFact.objects.create(**said, request="ADD")
    ListFact.objects.create(**said, withdraws=ListFact.objects.get())
    ListFact.objects.create(**said, request="ADD")


def test_somebody_removed_by_their_gp_is_flagged_again_but_stays_off_the_list(practice: Any, tmp_path: Path) -> None:
    land_people(tmp_path, {})
    patient = Patient.objects.get()
    record_fact(patient_id=patient.pk, source=FactSource.GP, request=Request.REMOVE, reason="low risk", at=NOW)
    land_people(tmp_path, {}, at=WEEK_LATER, recorded=date(2019, 1, 1))
    assert not ListEntry.objects.get().is_on_list
    assert Flag.objects.count() == 2


def test_somebody_a_gp_had_taken_off_before_the_first_flag_does_not_come_on(practice: Any, tmp_path: Path) -> None:
    entry = ListEntryFactory(
        patient__nhs_number=invented_nhs_number(901),
        is_flagged=False,
        is_on_list=False,
        because=None,
        review_state="ADDED",
        reviewed_at=NOW,
        reviewed_by=UserFactory(),
    )
    record_fact(patient_id=entry.pk, source=FactSource.GP, request=Request.REMOVE, reason="", at=NOW)
    land_people(tmp_path, {"person": int(invented_nhs_number(901))})
    entry.refresh_from_db()
    assert (entry.is_flagged, entry.is_on_list) == (True, False)


@pytest.mark.parametrize(
    ("said", "when_lost", "when_found_again"),
    [
        ([], False, True),
        ([(FactSource.GP, Request.ADD)], True, True),
        ([(FactSource.GP, Request.REMOVE)], False, False),
        ([(FactSource.HOSPITAL, Request.ADD)], True, True),
        ([(FactSource.HOSPITAL, Request.REMOVE)], False, False),
        ([(FactSource.PATIENT, Request.REMOVE)], False, False),
        ([(FactSource.GP, Request.REMOVE), (FactSource.HOSPITAL, Request.ADD)], True, True),
        ([(FactSource.HOSPITAL, Request.ADD), (FactSource.GP, Request.REMOVE)], False, False),
        ([(FactSource.RISK_MODEL, Request.ADD)], True, True),
        ([(FactSource.GP, Request.REMOVE), (FactSource.RISK_MODEL, Request.ADD)], False, False),
    ],
)
def test_the_decision_table_holds_when_a_search_loses_somebody_and_finds_them_again(
    practice: Any,
    tmp_path: Path,
    said: list[tuple[FactSource, Request]],
    when_lost: bool,
    when_found_again: bool,
) -> None:
    land_people(tmp_path, {})
    entry = ListEntry.objects.get()
    for days, (source, request) in enumerate(said):
        record_fact(patient_id=entry.pk, source=source, request=request, reason="", at=NOW + timedelta(days=days))
    land_people(tmp_path, searched=[{}], at=WEEK_LATER)
    entry.refresh_from_db()
    assert entry.is_on_list is when_lost
    assert ledger().differences == []
    land_people(tmp_path, {}, at=WEEK_LATER + timedelta(days=7))
    entry.refresh_from_db()
    assert (entry.is_on_list, entry.review_state) == (when_found_again, "TO_REVIEW")
    assert ledger().differences == []


def test_somebody_of_whom_only_a_request_is_known_is_held_to_it(practice: Any, tmp_path: Path) -> None:
    patient = PatientFactory(nhs_number=invented_nhs_number(902), practice=practice)
    record_fact(patient_id=patient.pk, source=FactSource.HOSPITAL, request=Request.REMOVE, reason="", at=NOW)
    land_people(tmp_path, {"person": int(patient.nhs_number)})
    assert not ListEntry.objects.get().is_on_list
    assert ledger().differences == []


def test_people_of_an_unknown_practice_land_nothing_at_all(practice: Any, tmp_path: Path) -> None:
    stranger = {"person": int(invented_nhs_number(902)), "practice_code": "Z99999"}
    run = a_running_search()
    results = write_results(tmp_path / "results", {}, stranger)
    with pytest.raises(LandingError, match="1 people are registered at practices"):
        land(run_id=run.pk, results=results, patients=[results / "people.parquet"], as_at=AS_AT, at=NOW)
    assert not Patient.objects.exists()
    assert not ListEntry.objects.exists()


def test_every_open_practice_gets_a_list_so_that_it_can_add_people(practice: Any, tmp_path: Path) -> None:
    OrganisationFactory(code="Z90002")
    OrganisationFactory(code="Z90003", closed_date=date(2019, 1, 1))
    land_people(tmp_path, {})
    assert set(PracticeList.objects.values_list("practice__code", flat=True)) == {"Z90001", "Z90002"}


def test_a_death_in_a_later_extract_reaches_people_whether_or_not_they_are_searched_again(
    practice: Any, tmp_path: Path
) -> None:
    land_people(tmp_path, {})
    died = {"death_status": "FORMAL", "death_date": date(2020, 3, 18)}
    stranger = {"person": int(invented_nhs_number(903))}
    later = write_people(tmp_path / "later.parquet", died, stranger)
    assert refresh_people(patients=later, as_at=date(2020, 3, 20), at=NOW) == 1
    patient = Patient.objects.get()
    assert (patient.death_status, patient.as_at) == ("FORMAL", date(2020, 3, 20))


def test_an_older_extract_never_overwrites_newer_details(practice: Any, tmp_path: Path) -> None:
    land_people(tmp_path, {"mobile": "07700900999"})
    older = write_people(tmp_path / "older.parquet", {"mobile": "07700900000"})
    assert refresh_people(patients=older, as_at=AS_AT - timedelta(days=7), at=NOW) == 0
    assert Patient.objects.get().mobile == "07700900999"


def test_somebody_who_registers_elsewhere_waits_on_their_new_practices_list(practice: Any, tmp_path: Path) -> None:
    other = OrganisationFactory(code="Z90002")
    land_people(tmp_path, {})
    moved = write_people(tmp_path / "moved.parquet", {"practice_code": "Z90002"})
    refresh_people(patients=moved, as_at=AS_AT + timedelta(days=7), at=NOW)
    assert ListEntry.objects.get().practice_list == PracticeList.objects.get(practice=other)
