"""Loading an extract brings the details of people already on or near the list up to date."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from cohort.actions.extracts import LoadReport
from cohort.models import Patient
from shielding.accounts.models import Organisation
from tests.cohort.extracts.conftest import ADMISSIONS, AMINA, AS_AT, PEOPLE, write
from tests.cohort.factories import PatientFactory


def test_a_death_and_a_new_address_reach_somebody_who_is_not_searched_for_again(
    load: Callable[..., LoadReport], tmp_path: Path
) -> None:
    amina = PatientFactory(
        nhs_number=AMINA,
        practice=Organisation.objects.get(code="Z90001"),
        address_lines=["Her old flat"],
        as_at=AS_AT - timedelta(days=7),
    )
    told = {"death_status": "INFORMAL", "address_line_1": "2 New Road"}
    load(write(tmp_path / "gp", {"patients": [{**row, **told} for row in PEOPLE]}))
    amina.refresh_from_db()
    assert (amina.death_status, amina.address_lines, amina.as_at) == ("INFORMAL", ["2 New Road"], AS_AT)
    # Nobody else came into PostgreSQL: their records stay in the extract store.
    assert Patient.objects.count() == 1


def test_an_extract_without_patients_changes_nobody(load: Callable[..., LoadReport], tmp_path: Path) -> None:
    amina = PatientFactory(nhs_number=AMINA, birth_date=date(1961, 2, 14))
    load(write(tmp_path / "hospital", {"admissions": ADMISSIONS}))
    before = amina.as_at
    amina.refresh_from_db()
    assert amina.as_at == before
