"""FHIR R4 Bulk Data by the conventions of UK Core: what becomes a row, what is left out, and what is said of it."""

import gzip
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.conf import settings as django_settings

from cohort.actions.extracts import ExtractRefused, LoadReport
from cohort.extracts.mappings import lines
from tests.cohort.extracts.conftest import AMINA, AS_AT, BOB, CHARLIE, rejected

Load = Callable[..., LoadReport]
SNOMED, DMD, ICD10 = "http://snomed.info/sct", "https://dmd.nhs.uk", "http://hl7.org/fhir/sid/icd-10-uk"
OPCS4, BNF = "https://fhir.hl7.org.uk/CodeSystem/OPCS-4", "https://fhir.example.test/Id/BNF"
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"


def a_patient(nhs_number: str = AMINA, **changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": f"p-{nhs_number}",
        "identifier": [{"system": NHS_NUMBER, "value": nhs_number}],
        "name": [
            {"use": "old", "family": "Begum", "given": ["Amina"]},
            {"use": "usual", "family": "Khan", "given": ["Amina", "Noor"]},
        ],
        "gender": "female",
        "birthDate": "1961-02-14",
        "address": [{"use": "home", "line": ["1 Mill Lane", "Sutton"], "postalCode": "SM1 1AA"}],
        "generalPractitioner": [{"identifier": {"system": ODS, "value": "Z90001"}}],
        **changes,
    }


def coded(*codings: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, **more} for system, code in codings]}


def a_record(resource: str, nth: int = 1, *, of: str = AMINA, **fields: Any) -> dict[str, Any]:
    return {"resourceType": resource, "id": f"r{nth}", "subject": {"reference": f"Patient/p-{of}"}, **fields}


def a_condition(nth: int = 1, **fields: Any) -> dict[str, Any]:
    return a_record("Condition", nth, **{"code": coded((SNOMED, "195967001")), "onsetDateTime": "2019-03-04"} | fields)


def send(folder: Path, *resources: dict[str, Any], suffix: str = "") -> Path:
    """Writes the resources to one NDJSON file of each kind."""
    folder.mkdir(exist_ok=True)
    kinds = {resource["resourceType"] for resource in resources}
    for kind in kinds:
        own = [json.dumps(resource) for resource in resources if resource["resourceType"] == kind]
        (folder / f"{kind}{suffix}.ndjson").write_text("\n".join(own) + "\n")
    return folder


def rows(report: LoadReport, settings: Any, what: str, columns: str = "*") -> list[tuple[Any, ...]]:
    files = sorted((settings.EXTRACT_STORE / report.extract.folder).glob(f"{what}*.parquet"))
    if not files:
        return []
    return duckdb.execute(f"SELECT {columns} FROM read_parquet(?) ORDER BY ALL", [[str(f) for f in files]]).fetchall()


def records(report: LoadReport, settings: Any) -> list[tuple[Any, ...]]:
    return rows(report, settings, "records", "system, code, date::VARCHAR, source, episode")


def one_patient(load: Load, folder: Path, settings: Any, columns: str, **changes: Any) -> tuple[Any, ...]:
    report = load(send(folder, a_patient(**changes)), mapping="fhir", practice_code="Z90002")
    (row,) = rows(report, settings, "patients", columns)
    return row


def test_a_patient_has_the_name_in_use_the_home_address_and_the_practices_code(
    load: Load, tmp_path: Path, settings: Any
) -> None:
    row = one_patient(
        load,
        tmp_path / "in",
        settings,
        "person, given_name, family_name, birth_date::VARCHAR, sex, practice_code, address_lines, postcode",
    )
    assert row == (int(AMINA), "Amina Noor", "Khan", "1961-02-14", "F", "Z90001", ["1 Mill Lane", "Sutton"], "SM1 1AA")


LIVING, REPORTED, REGISTERED = ("", None), ("INFORMAL", date(2020, 3, 1)), ("FORMAL", date(2020, 3, 1))


def notified(code: str) -> dict[str, Any]:
    url = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-DeathNotificationStatus"
    status = {"url": "deathNotificationStatus", "valueCodeableConcept": {"coding": [{"code": code}]}}
    return {"extension": [{"url": url, "extension": [status]}], "deceasedDateTime": "2020-03-01T10:00:00+00:00"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, LIVING),
        ({"deceasedBoolean": False}, LIVING),
        ({"deceasedBoolean": True}, ("INFORMAL", None)),
        ({"deceasedDateTime": "2020-03-01"}, REPORTED),
        ({"deceasedDateTime": "2020-03"}, REPORTED),
        (notified("1"), REPORTED),
        (notified("2"), REGISTERED),
        (notified("U"), LIVING),
    ],
)
def test_deaths_are_formal_only_where_the_registrar_said_so(
    load: Load, tmp_path: Path, settings: Any, changes: dict[str, Any], expected: tuple[str, date | None]
) -> None:
    assert one_patient(load, tmp_path / "in", settings, "death_status, death_date", **changes) == expected


@pytest.mark.parametrize("code", ["R", "V", "S", "REDACTED"])
def test_a_restricted_person_is_marked_and_no_place_or_number_is_stored(
    load: Load, tmp_path: Path, settings: Any, code: str
) -> None:
    row = one_patient(
        load,
        tmp_path / "in",
        settings,
        "is_restricted, address_lines, postcode, mobile, landline, email",
        meta={"security": [{"code": code}]},
        telecom=[{"system": system, "value": "x"} for system in ("phone", "email")],
    )
    assert row == (True, [], "", "", "", "")


def test_unrestricted_people_are_not_marked_and_numbers_and_preferences_are_kept(
    load: Load, tmp_path: Path, settings: Any
) -> None:
    base = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-"
    contact = [
        {"url": "PreferredContactMethod", "valueCodeableConcept": {"coding": [{"code": "8", "display": "No calls"}]}},
        {"url": "PreferredContactTimes", "valueString": "Not after 7pm"},
    ]
    ended = {"period": {"end": "2019-12-31"}}
    row = one_patient(
        load,
        tmp_path / "in",
        settings,
        "is_restricted, mobile, landline, email, unsafe_channels, safe_contact_instruction, moved_away_code",
        meta={"security": [{"code": "U"}]},
        telecom=[
            {"system": "phone", "use": "mobile", "value": "07700900111", **ended},
            {"system": "phone", "use": "mobile", "value": "07700900222", "rank": 2},
            {"system": "phone", "use": "mobile", "value": "07700900333", "rank": 1},
            {"system": "phone", "use": "home", "value": "01632960587"},
            {"system": "email", "value": "amina@example.test"},
        ],
        extension=[
            {"url": base + "ContactPreference", "extension": contact},
            {
                "url": "https://fhir.nhs.uk/StructureDefinition/Extension-PDS-RemovalFromRegistration",
                "extension": [
                    {
                        "url": "removalFromRegistrationCode",
                        "valueCodeableConcept": {"coding": [{"code": "SCT"}]},
                    }
                ],
            },
        ],
    )
    assert row == (
        False,
        "07700900333",
        "01632960587",
        "amina@example.test",
        ["SMS"],
        "Prefers: No calls. When: Not after 7pm",
        "SCT",
    )


def test_addresses_that_are_old_or_ended_are_not_used_and_no_fixed_abode_is_known(
    load: Load, tmp_path: Path, settings: Any
) -> None:
    uprn = {
        "url": "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-AddressKey",
        "extension": [
            {"url": "type", "valueCoding": {"code": "UPRN"}},
            {"url": "value", "valueString": "123456789012"},
        ],
    }
    lines_of_six = ["1", "2", "3", "4", "5"]
    home = {"use": "home", "line": lines_of_six, "city": "6", "postalCode": "zz99 3vz", "extension": [uprn]}
    row = one_patient(
        load,
        tmp_path / "in",
        settings,
        "address_lines, postcode, uprn, no_fixed_abode",
        address=[
            {"use": "old", "line": ["Old"]},
            {"use": "home", "line": ["Ended"], "period": {"end": "2019"}},
            {"use": "temp", "line": ["Away"]},
            home,
        ],
    )
    assert row == (["1", "2", "3", "4", "5, 6"], "", "123456789012", True)


@pytest.mark.parametrize(
    ("practice", "expected"),
    [
        ([{"reference": "Organization/o1"}], "Z90001"),
        ([{"reference": "Organization/unknown"}], "Z90002"),
        ([{"reference": "Practitioner/o1"}], "Z90002"),
        ([{"identifier": {"system": ODS, "value": "Z90001", "period": {"end": "2020-03-01"}}}], "Z90002"),
        ([], "Z90002"),
    ],
)
def test_the_practice_comes_from_its_code_or_its_organization_else_from_the_command(
    load: Load, tmp_path: Path, settings: Any, practice: list[dict[str, Any]], expected: str
) -> None:
    organization = {"resourceType": "Organization", "id": "o1", "identifier": [{"system": ODS, "value": "Z90001"}]}
    folder = send(tmp_path / "in", a_patient(generalPractitioner=practice), organization)
    report = load(folder, mapping="fhir", practice_code="Z90002")
    assert rows(report, settings, "patients", "practice_code") == [(expected,)]


@pytest.mark.parametrize(
    ("uri", "code", "expected"),
    [
        (SNOMED, "195967001", ("SNOMED", "195967001", "GP")),
        (f"{SNOMED}/83821000000107", "195967001", ("SNOMED", "195967001", "GP")),
        (DMD, "325521000", ("DMD", "325521000", "GP")),
        (ICD10, "C43.7", ("ICD-10", "C437", "HOSPITAL")),
        ("http://hl7.org/fhir/sid/icd-10", "c437", ("ICD-10", "C437", "HOSPITAL")),
        (OPCS4, "Y01.2", ("OPCS-4", "Y012", "HOSPITAL")),
        ("https://fhir.nhs.uk/Id/opcs-4", "Y012", ("OPCS-4", "Y012", "HOSPITAL")),
        ("https://fhir.hl7.org.uk/Id/opcs-4", "Y012", ("OPCS-4", "Y012", "HOSPITAL")),
        ("http://read.info/ctv3", "H33..", ("CTV3", "H33..", "GP")),
        ("http://read.info/readv2", "H33..00", ("READ2", "H33..00", "GP")),
        ("http://loinc.org", "1234-5", None),
        ("http://hl7.org/fhir/sid/icd-10-cm", "C437", None),
    ],
)
def test_code_systems_are_known_by_their_uris(
    load: Load, tmp_path: Path, settings: Any, uri: str, code: str, expected: tuple[str, str, str] | None
) -> None:
    folder = send(tmp_path / "in", a_patient(), a_condition(code=coded((uri, code))))
    report = load(folder, mapping="fhir")
    assert rows(report, settings, "records", "system, code, source") == ([expected] if expected else [])
    told = "Condition: 1 left out: no code of a system of ours."
    assert (told in report.notes) is (expected is None)


LEFT_OUT = [
    a_condition(verificationStatus=coded(("v", "entered-in-error"))),
    a_condition(verificationStatus=coded(("v", "refuted"))),
    a_record("Procedure", code=coded((SNOMED, "70536003")), performedDateTime="2019-03-04", status="not-done"),
    a_record("Procedure", code=coded((SNOMED, "70536003")), performedDateTime="2019-03-04", status="preparation"),
    a_record("Observation", code=coded((SNOMED, "60621009")), effectiveDateTime="2019-03-04", status="cancelled"),
    a_record(
        "Observation",
        code=coded((SNOMED, "60621009")),
        effectiveDateTime="2019-03-04",
        dataAbsentReason=coded(("d", "not-performed")),
    ),
    a_record(
        "MedicationRequest",
        medicationCodeableConcept=coded((DMD, "325521000")),
        authoredOn="2019-03-04",
        intent="plan",
    ),
    a_record(
        "MedicationRequest",
        medicationCodeableConcept=coded((DMD, "325521000")),
        authoredOn="2019-03-04",
        doNotPerform=True,
    ),
    a_record(
        "MedicationDispense",
        medicationCodeableConcept=coded((DMD, "325521000")),
        whenHandedOver="2019-03-04",
        status="declined",
    ),
]


@pytest.mark.parametrize("resource", LEFT_OUT, ids=lambda resource: resource["resourceType"])
def test_what_did_not_happen_is_left_out_and_counted(
    load: Load, tmp_path: Path, settings: Any, resource: dict[str, Any]
) -> None:
    report = load(send(tmp_path / "in", a_patient(), resource), mapping="fhir")
    assert records(report, settings) == []
    assert any(note.startswith(f"{resource['resourceType']}: 1 left out: ") for note in report.notes)


DATES = [
    ({"onsetDateTime": "2019-03-04T23:30:00Z"}, "2019-03-04"),
    ({"onsetDateTime": "2019-03"}, "2019-03-01"),
    ({"onsetDateTime": "2019"}, "2019-01-01"),
    ({"onsetPeriod": {"start": "2018-01-02"}, "recordedDate": "2019-03-04"}, "2018-01-02"),
    ({"onsetString": "as a child", "recordedDate": "2019-03-04"}, "2019-03-04"),
    ({"encounter": {"reference": "Encounter/stay"}}, "2019-05-06"),
]


@pytest.mark.parametrize(("fields", "expected"), DATES)
def test_a_condition_is_dated_by_its_onset_else_its_recording_else_the_stay(
    load: Load, tmp_path: Path, settings: Any, fields: dict[str, Any], expected: str
) -> None:
    condition = {k: v for k, v in a_condition().items() if k != "onsetDateTime"} | fields
    report = load(send(tmp_path / "in", a_patient(), a_stay(), condition), mapping="fhir")
    assert [row[2] for row in records(report, settings)] == [expected]


def a_stay(kind: str = "IMP") -> dict[str, Any]:
    return {"resourceType": "Encounter", "id": "stay", "class": {"code": kind}, "period": {"start": "2019-05-06"}}


def test_two_codes_of_one_stay_share_its_episode_and_other_encounters_are_the_gps(
    load: Load, tmp_path: Path, settings: Any
) -> None:
    stay = {"encounter": {"reference": "Encounter/stay"}}
    visit = a_stay("AMB") | {"id": "visit"}
    folder = send(
        tmp_path / "in",
        a_patient(),
        a_stay(),
        visit,
        a_condition(1, code=coded((ICD10, "B20.8")), **stay),
        a_record("Procedure", 2, code=coded((OPCS4, "Y012")), performedDateTime="2019-05-07", **stay),
        a_condition(3, encounter={"reference": "https://fhir.example.test/Encounter/visit/_history/2"}),
    )
    assert records(load(folder, mapping="fhir"), settings) == [
        ("ICD-10", "B208", "2019-03-04", "HOSPITAL", "stay"),
        ("OPCS-4", "Y012", "2019-05-07", "HOSPITAL", "stay"),
        ("SNOMED", "195967001", "2019-03-04", "GP", ""),
    ]


SEVERAL_CODINGS = [
    ("a GP record in two systems", [(ICD10, "J45.9"), (SNOMED, "195967001")], None, [("SNOMED", "195967001")]),
    ("a hospital record in two systems", [(SNOMED, "195967001"), (ICD10, "J45.9")], "IMP", [("ICD-10", "J459")]),
    ("dagger and asterisk", [(ICD10, "B20.8"), (ICD10, "J17.8")], "IMP", [("ICD-10", "B208"), ("ICD-10", "J178")]),
    ("one code twice", [(ICD10, "B20.8"), (ICD10, "B208")], "IMP", [("ICD-10", "B208")]),
    ("two SNOMED codings", [(SNOMED, "195967001"), (SNOMED, "304527002")], None, [("SNOMED", "195967001")]),
]


@pytest.mark.parametrize(("what", "codings", "kind", "expected"), SEVERAL_CODINGS)
def test_translations_of_one_event_are_counted_once(
    load: Load,
    tmp_path: Path,
    settings: Any,
    what: str,
    codings: list[tuple[str, str]],
    kind: str | None,
    expected: list[tuple[str, str]],
) -> None:
    encounter = {"encounter": {"reference": "Encounter/stay"}} if kind else {}
    folder = send(tmp_path / "in", a_patient(), a_stay(kind or "AMB"), a_condition(code=coded(*codings), **encounter))
    report = load(folder, mapping="fhir")
    assert [row[:2] for row in records(report, settings)] == expected


def test_the_coding_the_user_chose_is_used(load: Load, tmp_path: Path, settings: Any) -> None:
    chosen = {"system": SNOMED, "code": "304527002", "userSelected": True}
    both = {"coding": [{"system": SNOMED, "code": "195967001"}, chosen]}
    report = load(send(tmp_path / "in", a_patient(), a_condition(code=both)), mapping="fhir")
    assert [row[1] for row in records(report, settings)] == ["304527002"]
    assert any(note.startswith("Condition: 1 other codings") for note in report.notes)


def test_medicines_are_dmd_or_bnf_by_code_by_reference_or_contained(load: Load, tmp_path: Path, settings: Any) -> None:
    medication = {"resourceType": "Medication", "id": "m1", "code": coded((DMD, "325426006"))}
    request = {"status": "completed", "intent": "order"}
    folder = send(
        tmp_path / "in",
        a_patient(),
        medication,
        a_record(
            "MedicationRequest",
            1,
            medicationReference={"reference": "Medication/m1"},
            authoredOn="2019-01-01",
            **request,
        ),
        a_record(
            "MedicationRequest",
            2,
            contained=[{"resourceType": "Medication", "id": "in", "code": coded((SNOMED, "325521000"))}],
            medicationReference={"reference": "#in"},
            authoredOn="2019-01-02",
            **request,
        ),
        a_record(
            "MedicationDispense", 3, medicationCodeableConcept=coded((BNF, "0603020T0")), whenPrepared="2019-01-03"
        ),
        a_record(
            "MedicationDispense",
            4,
            medicationCodeableConcept=coded((BNF, "0603020T0"), (DMD, "325426006")),
            whenHandedOver="2019-01-04",
        ),
    )
    assert records(load(folder, mapping="fhir"), settings) == [
        ("BNF", "0603020T0", "2019-01-03", "MEDICINES", ""),
        ("DMD", "325426006", "2019-01-01", "MEDICINES", ""),
        ("DMD", "325426006", "2019-01-04", "MEDICINES", ""),
        ("DMD", "325521000", "2019-01-02", "MEDICINES", ""),
    ]


def test_a_prescription_that_was_dispensed_is_counted_once(load: Load, tmp_path: Path, settings: Any) -> None:
    drug = {"medicationCodeableConcept": coded((DMD, "325521000"))}
    folder = send(
        tmp_path / "in",
        a_patient(),
        a_record("MedicationRequest", 1, authoredOn="2019-01-01", **drug),
        a_record(
            "MedicationDispense",
            2,
            whenHandedOver="2019-01-05",
            authorizingPrescription=[{"reference": "MedicationRequest/r1"}],
            **drug,
        ),
    )
    report = load(folder, mapping="fhir")
    assert [row[2] for row in records(report, settings)] == ["2019-01-05"]
    assert "MedicationRequest: 1 left out: its dispensing is counted instead." in report.notes


def test_a_measurement_has_its_value_and_its_components(load: Load, tmp_path: Path, settings: Any) -> None:
    folder = send(
        tmp_path / "in",
        a_patient(),
        a_record(
            "Observation",
            code=coded((SNOMED, "75367002")),
            effectiveDateTime="2019-01-01",
            component=[
                {"code": coded((SNOMED, "72313002")), "valueQuantity": {"value": 128.5}},
                {"code": coded((SNOMED, "1091811000000102")), "valueInteger": 80},
            ],
        ),
        a_record("Observation", 2, code=coded((SNOMED, "60621009")), issued="2019-01-02", valueQuantity={"value": 31}),
    )
    report = load(folder, mapping="fhir")
    assert rows(report, settings, "records", "code, value") == [
        ("1091811000000102", 80.0),
        ("60621009", 31.0),
        ("72313002", 128.5),
        ("75367002", None),
    ]


@pytest.mark.parametrize("block", [40, 16 << 20])
def test_a_broken_line_is_told_with_its_file_and_line_and_the_others_go_on(
    load: Load, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", block)
    folder = send(tmp_path / "in", a_patient(), a_patient(BOB))
    good = [json.dumps(a_condition(n)).encode() for n in range(4)]
    content = [good[0], good[1][:40], b"", good[2], b'{"resourceType": "Claim"}', b"3", b'"\xff"', good[3]]
    (folder / "Condition.000.ndjson.gz").write_bytes(gzip.compress(b"\n".join(content)))
    report = load(folder, mapping="fhir")
    told = rejected(report, "unreadable-Condition")
    assert [(row["file"], row["line"]) for row in told] == [
        ("Condition.000.ndjson.gz", line) for line in ("2", "5", "6", "7")
    ]
    assert [row["reason"][:12] for row in told] == ["is not a FHI", "is another r", "is not a FHI", "is not UTF-8"]
    assert len(records(report, settings)) == 3
    assert report.extract.rejected_rows["unreadable-Condition"] == 4


def test_a_bad_value_leads_back_to_the_line_of_the_source(load: Load, tmp_path: Path) -> None:
    folder = send(tmp_path / "in", a_patient(), a_patient(BOB[:9] + str((int(BOB[9]) + 1) % 10)))
    send(folder, a_condition(1), a_condition(2, onsetDateTime="2190-01-01"), a_condition(3, of=CHARLIE), suffix=".002")
    report = load(folder, mapping="fhir")
    (patient,) = rejected(report, "patients")
    assert (patient["reason"], patient["source_file"], patient["source_line"]) == (
        "fails its check digit",
        "Patient.ndjson",
        "2",
    )
    events = {row["source_line"]: row for row in rejected(report, "events")}
    assert events["2"]["reason"].startswith("is in the year 2190")
    assert events["2"]["source_file"] == "Condition.002.ndjson"
    assert events["3"]["column"] == "nhs_number"
    assert "Condition: 1 are about nobody whose Patient is here, and are rejected." in report.notes
    assert not any("ignored unknown column" in note for note in report.notes)


def test_too_many_broken_lines_refuse_the_folder(load: Load, tmp_path: Path) -> None:
    folder = send(tmp_path / "in", a_patient())
    (folder / "Condition.ndjson").write_text("{\n{\n")
    with pytest.raises(ExtractRefused, match=r"Condition: 2 of 2 lines cannot be read.*Condition.ndjson line 1"):
        load(folder, mapping="fhir", reject_above=0.1)


def test_a_gzip_that_is_cut_short_or_a_folder_without_resources_is_refused(load: Load, tmp_path: Path) -> None:
    folder = send(tmp_path / "in", a_patient())
    (folder / "Condition.ndjson.gz").write_bytes(gzip.compress(b"x" * 999)[:-9])
    with pytest.raises(ExtractRefused, match=r"Condition\.ndjson\.gz: the gzip file is damaged or cut short"):
        load(folder, mapping="fhir")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ExtractRefused, match=r"has no Patient\.ndjson"):
        load(tmp_path / "empty", mapping="fhir")


def test_the_same_resource_twice_is_one_record(load: Load, tmp_path: Path, settings: Any) -> None:
    report = load(send(tmp_path / "in", a_patient(), a_condition(), a_condition()), mapping="fhir")
    assert len(records(report, settings)) == 1
    assert "Condition: 1 left out: the same id came before." in report.notes


REFERENCE = Path(django_settings.BASE_DIR).parent / "shared" / "reference" / "fhir_ukcore"


def real(folder: str, pattern: str) -> list[Path]:
    found = sorted((REFERENCE / folder).glob(pattern))
    if not found:
        pytest.skip(f"the reference files are not there: {REFERENCE}")
    return found


def test_real_pds_answers_load_with_deaths_and_restrictions(load: Load, tmp_path: Path, settings: Any) -> None:
    (tmp_path / "in").mkdir()
    answers = [json.loads(path.read_text()) for path in real("pds_sandbox", "patient_*.json")]
    (tmp_path / "in" / "Patient.ndjson").write_text("\n".join(json.dumps(answer) for answer in answers))
    report = load(tmp_path / "in", mapping="fhir", practice_code="Z90002", as_at=AS_AT)
    stored = {
        row[0]: row[1:]
        for row in rows(report, settings, "patients", "person, death_status, is_restricted, len(address_lines), uprn")
    }
    refused = {row["source_line"]: row["reason"] for row in rejected(report, "patients")}
    assert len(stored) + len(refused) == len(answers)
    # Nobody but the people of unknown practices (Y12345 and the like) and those with no name is refused.
    assert set(refused.values()) <= {"is not a practice we know", "is missing; is missing; is missing"}
    restricted = stored[9000000025]
    assert restricted == ("FORMAL", True, 0, "")
    assert stored[5900046192][2] == 4


def test_real_uk_core_conditions_and_prescriptions_are_read(load: Load, tmp_path: Path, settings: Any) -> None:
    richard = a_patient() | {"id": "UKCore-Patient-RichardSmith-Example"}
    send(tmp_path / "in", richard)
    for path in real("examples", "UKCore-*-Example.xml"):
        resource = _as_json(ElementTree.parse(path).getroot())  # noqa: S314 - a file of our own
        if resource["resourceType"] in {"Condition", "MedicationRequest"}:
            with (tmp_path / "in" / f"{resource['resourceType']}.ndjson").open("a") as stream:
                stream.write(json.dumps(resource) + "\n")
    report = load(tmp_path / "in", mapping="fhir", as_at=date(2026, 1, 1), at=datetime(2026, 1, 2, tzinfo=UTC))
    # The example has no date at all.
    assert [row["code"] for row in rejected(report, "events")] == ["26322001"]
    # The others name a Medication by reference, which is not among the examples.
    found = len(records(report, settings))
    left_out = [note for note in report.notes if note.startswith("MedicationRequest: ")]
    assert found + sum(int(note.split()[1]) for note in left_out) == 4


_LISTS = {"coding", "identifier", "category", "contained", "extension"}


def _as_json(element: Any) -> dict[str, Any]:
    """FHIR's XML as its JSON, as far as these examples go."""
    name = element.tag.partition("}")[2]
    made: dict[str, Any] = {"resourceType": name} if name[0].isupper() else {}
    for child in element:
        key = child.tag.partition("}")[2]
        value: Any = child.get("value") if child.get("value") is not None else _as_json(child)
        if key in _LISTS:
            made.setdefault(key, []).append(value)
        else:
            made[key] = value
    return made
