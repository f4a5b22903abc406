"""What tests of the hospital route share: a unit, its staff, and an extract store that knows some people."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from cohort.actions.hospitals import lists
from cohort.hospital_lists import check_rows
from cohort.models import Extract, HospitalList, HospitalRow, ListEntry
from shielding.accounts.models import Membership, Organisation, Role
from tests.cohort.factories import (
    NOW,
    MembershipFactory,
    OrganisationFactory,
    PracticeListFactory,
    invented_nhs_number,
)
from tests.cohort.test_landing import write_people

AMINA, BOB, DORA, STRANGER = (invented_nhs_number(n) for n in (901, 902, 903, 904))
TODAY = NOW.date()


@dataclass
class Scene:
    """A renal unit and a practice of which Amina, Bob and Dora (who has died) are in the extracts."""

    unit: Organisation
    staff: Membership
    other_staff: Membership
    practice: Organisation
    gp: Membership
    practice_list: Any

    def row(self, number: str = AMINA, **changed: Any) -> dict[str, Any]:
        """Returns a row about Amina, or whoever has this number, with all that it needs."""
        given = {AMINA: "Amina", BOB: "Bob", DORA: "Dora"}.get(number, "Sasha")
        return {
            "action": "add",
            "nhs_number": number,
            "given_name": given,
            "family_name": "Khan",
            "birth_date": "1961-02-14",
            "postcode": "SM1 1AA",
            "reason": "On dialysis",
            **changed,
        }

    def send(self, *rows: dict[str, Any], by: Membership | None = None, at: datetime = NOW) -> HospitalList:
        """Checks and sends a list."""
        who = by or self.staff
        read = check_rows(enumerate(rows, start=2), today=TODAY)
        made = lists.check_list(read=read, sha256="0" * 64, by=who, at=at)
        return lists.send_list(list_id=made.pk, by=who, at=at)

    def only_row(self, sent: HospitalList) -> HospitalRow:
        """Returns the one row of a list."""
        return sent.rows.get()


def entry_of(number: str) -> ListEntry:
    """Returns somebody's entry on the list."""
    return ListEntry.objects.get(patient__nhs_number=number)


def make_scene(settings: Any) -> Scene:
    """Returns the scene, made in the database and the extract store."""
    practice = OrganisationFactory(code="Z90001", name="Mill Lane Surgery")
    unit = OrganisationFactory(
        kind=Organisation.Kind.HOSPITAL, unit_kind="DIALYSIS", code="RXX01", name="St Anselm's Renal Unit"
    )
    other = OrganisationFactory(kind=Organisation.Kind.HOSPITAL, unit_kind="CANCER", code="RXX02", name="Cancer Centre")
    Extract.objects.create(supplier="gp", as_at=TODAY - timedelta(days=3), sha256="0" * 64, folder="gp", loaded_at=NOW)
    write_people(
        settings.EXTRACT_STORE / "gp" / "patients-000-of-001.parquet",
        {"person": int(AMINA), "family_name": "Khan"},
        {"person": int(BOB), "given_name": "Bob", "family_name": "Khan"},
        {
            "person": int(DORA),
            "given_name": "Dora",
            "family_name": "Khan",
            "death_status": "FORMAL",
            "death_date": date(2020, 3, 1),
        },
    )
    return Scene(
        unit=unit,
        staff=MembershipFactory(organisation=unit, role=Role.HOSPITAL_STAFF, user__name="Dr Hana Sato"),
        other_staff=MembershipFactory(organisation=other, role=Role.HOSPITAL_STAFF, user__name="Otto Ward"),
        practice=practice,
        gp=MembershipFactory(organisation=practice, role=Role.GP, user__name="Dr Grace Okafor"),
        practice_list=PracticeListFactory(practice=practice),
    )


Send = Callable[..., HospitalList]
