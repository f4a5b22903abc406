"""What is read of each FHIR resource: DuckDB's JSON structures, and SQL that several resources share."""

import json
from typing import Any

NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
#: The URI of today, and that of the resources of STU3.
ODS_CODES = ("https://fhir.nhs.uk/Id/ods-organization-code", "http://fhir.nhs.net/Id/ods-organization-code")
NO_FIXED_ABODE = "ZZ99 3VZ"

#: Patterns over a code system's URI in small letters, and the system of ours each means.
CODE_SYSTEMS = (
    (r"https?://snomed\.info/sct(/.*)?", "SNOMED"),
    (r"https?://(www\.)?dmd\.nhs\.uk(/.*)?", "DMD"),
    (r"https?://hl7\.org/fhir/sid/icd-10(-uk)?|urn:oid:2\.16\.840\.1\.113883\.6\.3", "ICD-10"),
    (r"https?://[^/]+/(.*/)?(ex-)?opcs-?4", "OPCS-4"),
    (r"https?://[^/]+/(.*/)?bnf", "BNF"),
    (r"https?://read\.info/ctv3", "CTV3"),
    (r"https?://read\.info/readv2", "READ2"),
)

_TEXT = "VARCHAR"
_PERIOD = {"start": _TEXT, "end": _TEXT}
_CODING = {"system": _TEXT, "code": _TEXT, "display": _TEXT, "userSelected": _TEXT}
_CONCEPT = {"coding": [_CODING]}
_IDENTIFIER = {"system": _TEXT, "value": _TEXT, "use": _TEXT, "period": _PERIOD}
_REFERENCE = {"reference": _TEXT, "identifier": _IDENTIFIER}
_EXTENSION = {
    "url": _TEXT,
    "extension": [
        {
            "url": _TEXT,
            "valueCodeableConcept": _CONCEPT,
            "valueCoding": _CODING,
            "valueString": _TEXT,
            "valuePeriod": _PERIOD,
        }
    ],
}
_BASE: dict[str, Any] = {"resourceType": _TEXT, "id": _TEXT, "status": _TEXT}
_EVENT = _BASE | {"subject": _REFERENCE, "encounter": _REFERENCE, "code": _CONCEPT}
_MEDICINE = _BASE | {
    "subject": _REFERENCE,
    "medicationCodeableConcept": _CONCEPT,
    "medicationReference": _REFERENCE,
    "contained": [{"id": _TEXT, "code": _CONCEPT}],
}
_QUANTITY = {"value": _TEXT}

SHAPES: dict[str, dict[str, Any]] = {
    "Organization": _BASE | {"identifier": [_IDENTIFIER]},
    "Medication": _BASE | {"code": _CONCEPT},
    "Encounter": _BASE | {"class": _CODING, "period": _PERIOD},
    "Patient": _BASE
    | {
        "meta": {"security": [_CODING]},
        "identifier": [_IDENTIFIER],
        "name": [{"use": _TEXT, "family": _TEXT, "given": [_TEXT], "period": _PERIOD}],
        "telecom": [{"system": _TEXT, "value": _TEXT, "use": _TEXT, "rank": _TEXT, "period": _PERIOD}],
        "gender": _TEXT,
        "birthDate": _TEXT,
        "deceasedBoolean": _TEXT,
        "deceasedDateTime": _TEXT,
        "address": [
            {
                "use": _TEXT,
                "line": [_TEXT],
                "city": _TEXT,
                "district": _TEXT,
                "postalCode": _TEXT,
                "period": _PERIOD,
                "extension": [_EXTENSION],
            }
        ],
        "generalPractitioner": [_REFERENCE],
        "extension": [_EXTENSION],
    },
    "Condition": _EVENT
    | {
        "verificationStatus": _CONCEPT,
        "onsetDateTime": _TEXT,
        "onsetPeriod": _PERIOD,
        "recordedDate": _TEXT,
    },
    "Procedure": _EVENT | {"performedDateTime": _TEXT, "performedPeriod": _PERIOD},
    "Observation": _EVENT
    | {
        "effectiveDateTime": _TEXT,
        "effectivePeriod": _PERIOD,
        "effectiveInstant": _TEXT,
        "issued": _TEXT,
        "valueQuantity": _QUANTITY,
        "valueInteger": _TEXT,
        "dataAbsentReason": _CONCEPT,
        "component": [{"code": _CONCEPT, "valueQuantity": _QUANTITY, "valueInteger": _TEXT}],
    },
    "MedicationRequest": _MEDICINE | {"intent": _TEXT, "doNotPerform": _TEXT, "authoredOn": _TEXT},
    "MedicationDispense": _MEDICINE
    | {"whenHandedOver": _TEXT, "whenPrepared": _TEXT, "authorizingPrescription": [_REFERENCE]},
}


def structure(resource: str) -> str:
    """Returns the structure of a resource as DuckDB's from_json takes it."""
    return json.dumps(SHAPES[resource])


def system_of(uri: str) -> str:
    """Returns SQL for our name of a code system from SQL for its URI; NULL where it is none of ours."""
    cases = " ".join(
        f"WHEN regexp_full_match(lower({uri}), '{pattern}') THEN '{ours}'" for pattern, ours in CODE_SYSTEMS
    )
    return f"CASE {cases} END"


def day_of(moment: str) -> str:
    """Returns SQL for the day of a date or dateTime as it was written: 2019-03 is 2019-03-01, 2019 is 2019-01-01."""
    return (
        f"CASE WHEN regexp_full_match({moment}, '[0-9]{{4}}') THEN concat({moment}, '-01-01')"
        f" WHEN regexp_full_match({moment}, '[0-9]{{4}}-[0-9]{{2}}') THEN concat({moment}, '-01')"
        f" WHEN regexp_full_match({moment}, '[0-9-]{{10}}T.*') THEN {moment}[:10] ELSE {moment} END"
    )


def id_of(reference: str) -> str:
    """Returns SQL for the id a reference ends in: `Patient/1`, an address, `urn:uuid:1`; versions left out."""
    return f"nullif(regexp_extract({reference}, '([A-Za-z0-9.-]+)(/_history/[^/]*)?$', 1), '')"


def nhs_number_in(identifiers: str) -> str:
    """Returns SQL for the NHS number in a list of identifiers, those in use first."""
    return (
        f"list_filter({identifiers}, lambda i: i.system = '{NHS_NUMBER}' AND i.\"use\" IS DISTINCT FROM 'old')[1].value"
    )


def is_current(period: str, as_at: str) -> str:
    """Returns SQL: has a period begun and not ended on a day (YYYY-MM-DD)? Partial dates count as a whole."""
    return (
        f"coalesce({period}.\"start\"[:10] <= '{as_at}', true)"
        f" AND coalesce(rpad({period}.\"end\"[:10], 10, '9') >= '{as_at}', true)"
    )


def extension_of(extensions: str, url: str) -> str:
    """Returns SQL for the parts of the first extension of that name, by the last part of its URL."""
    return f"list_filter({extensions}, lambda e: ends_with(e.url, '/{url}'))[1].extension"


def part_of(parts: str, url: str) -> str:
    """Returns SQL for one part of an extension."""
    return f"list_filter({parts}, lambda p: p.url = '{url}')[1]"
