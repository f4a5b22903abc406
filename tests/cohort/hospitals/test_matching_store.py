"""Finding the people of the extract store whom a list may be about."""

from datetime import date, timedelta
from typing import Any

import pytest

from cohort.matching import RowState
from cohort.models import Extract
from cohort.queries.matching import Asked, known_people, verdicts
from tests.cohort.factories import NOW, PatientFactory, invented_nhs_number
from tests.cohort.test_landing import write_people

pytestmark = pytest.mark.django_db

AMINA, BOB, TWIN, SON = (invented_nhs_number(n) for n in (911, 912, 913, 914))
BORN = date(1961, 2, 14)


def extract(settings: Any, name: str, *people: dict[str, Any], days_old: int = 3) -> None:
    Extract.objects.create(
        supplier=name,
        as_at=NOW.date() - timedelta(days=days_old),
        sha256=name.ljust(64, "0"),
        folder=name,
        loaded_at=NOW,
    )
    write_people(settings.EXTRACT_STORE / name / "patients-000-of-001.parquet", *people)


@pytest.fixture(autouse=True)
def _people(settings: Any) -> None:
    extract(
        settings,
        "gp",
        {"person": int(AMINA), "family_name": "O'Neil-Begum"},
        {"person": int(BOB), "given_name": "José", "family_name": "Marsh", "birth_date": date(1948, 11, 2)},
        {"person": int(TWIN), "given_name": "Amira", "family_name": "O'Neil-Begum"},
        {"person": int(SON), "given_name": "Jose", "family_name": "Marsh", "birth_date": date(1980, 4, 9)},
    )


def asked(
    number: str = "", given: str = "Amina", family: str = "ONeil Begum", born: date = BORN, postcode: str = "SM1 1AA"
) -> Asked:
    return Asked(number, given, family, born, postcode)


CASES = [
    (asked(AMINA), RowState.MATCHED, [AMINA]),
    (asked(), RowState.MATCHED, [AMINA]),
    (asked(given="AMINA", family="o'neil-bégum"), RowState.MATCHED, [AMINA]),
    (asked(postcode=""), RowState.DOUBTFUL, [AMINA, TWIN]),
    (asked(born=date(1961, 2, 24)), RowState.DOUBTFUL, [AMINA, TWIN]),
    (asked(AMINA, born=date(1991, 3, 3)), RowState.DOUBTFUL, [AMINA]),
    (asked(BOB), RowState.DOUBTFUL, [BOB, AMINA, TWIN]),
    (asked(invented_nhs_number(999)), RowState.DOUBTFUL, [AMINA, TWIN]),
    (asked("", "Jose", "Marsh", date(1948, 11, 2)), RowState.MATCHED, [BOB]),
    (asked("", "Jose", "Marsh", date(1980, 4, 9)), RowState.MATCHED, [SON]),
    (asked("", "Jose", "Marsh", date(1950, 1, 1)), RowState.NOT_FOUND, []),
    (asked("", "Marsh", "José", date(1948, 11, 2)), RowState.DOUBTFUL, [BOB]),
    (asked("", "Nobody", "Atall", date(1950, 1, 1)), RowState.NOT_FOUND, []),
    (asked("", "李", "王"), RowState.NOT_FOUND, []),
]


@pytest.mark.parametrize(("who", "state", "numbers"), CASES)
def test_who_is_meant(who: Asked, state: RowState, numbers: list[str]) -> None:
    (verdict,) = verdicts([who])
    assert (verdict.state, [each.nhs_number for each in verdict.candidates]) == (state, numbers)


def test_a_whole_list_is_answered_in_its_order() -> None:
    found = verdicts([case[0] for case in CASES])
    assert [verdict.state for verdict in found] == [case[1] for case in CASES]
    assert verdicts([]) == []


def test_the_newest_extract_that_knows_somebody_says_how_they_are(settings: Any) -> None:
    extract(settings, "hospital", {"person": int(AMINA), "family_name": "Marsh", "postcode": "SM9 9ZZ"}, days_old=1)
    (verdict,) = verdicts([asked(given="Amina", family="O'Neil-Begum")])
    assert (verdict.state, [each.nhs_number for each in verdict.candidates]) == (RowState.DOUBTFUL, [TWIN])
    (verdict,) = verdicts([asked(given="Amina", family="Marsh", postcode="SM9 9ZZ")])
    assert verdict.state is RowState.MATCHED
    assert known_people([AMINA])[AMINA].family_name == "Marsh"


def test_somebody_on_the_list_who_is_in_no_extract_any_more_is_found_by_number() -> None:
    gone = PatientFactory(given_name="Gone", family_name="Away", birth_date=BORN)
    (verdict,) = verdicts([asked(gone.nhs_number, "Gone", "Away")])
    assert verdict.state is RowState.MATCHED
    assert known_people([gone.nhs_number])[gone.nhs_number].given_name == "Gone"


def test_without_any_extract_nobody_is_found(settings: Any) -> None:
    Extract.objects.all().delete()
    assert [verdict.state for verdict in verdicts([asked(), asked(AMINA)])] == [RowState.NOT_FOUND] * 2


def test_a_restricted_record_shows_no_postcode(settings: Any) -> None:
    number = invented_nhs_number(915)
    extract(settings, "other", {"person": int(number), "is_restricted": True})
    shown = known_people([number, AMINA])
    assert (shown[number].postcode, shown[AMINA].postcode) == ("", "SM1 1AA")
