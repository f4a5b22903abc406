"""Practices of two care systems, their people, and lists that are due around the day of the tests."""

from datetime import date, timedelta
from typing import Any

from cohort.models import ListEntry, Patient, PracticeList, SearchRun
from shielding.accounts.models import Membership, Organisation, Role
from tests.cohort.factories import (
    NOW,
    MembershipFactory,
    OrganisationFactory,
    PatientFactory,
    PracticeListFactory,
    SearchRunFactory,
)

TODAY = NOW.date()


def care_system(name: str = "North care system") -> Organisation:
    return OrganisationFactory(kind=Organisation.Kind.ICS, name=name)


def operator() -> Membership:
    centre = OrganisationFactory(kind=Organisation.Kind.CENTRE, name="National team")
    return MembershipFactory(organisation=centre, role=Role.CENTRAL_OPERATOR, user__name="Olu Adams")


def lead(of: Organisation) -> Membership:
    return MembershipFactory(organisation=of, role=Role.ICS_LEAD, user__name="Lea North")


def practice_list(
    days_left: int, *, ics: Organisation | None = None, run: SearchRun | None = None, **fields: Any
) -> PracticeList:
    """Returns a list of a practice of its own, due so many days from the tests' day."""
    practice = {name.removeprefix("practice__"): fields.pop(name) for name in list(fields) if name[:10] == "practice__"}
    return PracticeListFactory(
        practice=OrganisationFactory(ics=ics, **practice),
        run=run or SearchRunFactory(),
        due_date=TODAY + timedelta(days=days_left),
        **fields,
    )


def put(on: PracticeList, by: Membership, **counts: int) -> None:
    """Puts people on a list: `to_review`, `confirmed`, `removed`, `added`."""
    for state, count in counts.items():
        patients = Patient.objects.bulk_create(PatientFactory.build_batch(count, practice=on.practice))
        is_decided, is_removed = state != "to_review", state == "removed"
        ListEntry.objects.bulk_create(
            ListEntry(
                patient=patient,
                practice_list=on,
                is_flagged=state != "added",
                is_on_list=not is_removed,
                changed_at=NOW,
                review_state=state.upper(),
                reviewed_at=NOW if is_decided else None,
                reviewed_by=by.user if is_decided else None,
                removal_reason="LOW_RISK" if is_removed else "",
                is_patient_told=True if is_removed else None,
            )
            for patient in patients
        )


def on(days: int) -> date:
    return TODAY + timedelta(days=days)
