"""Invented rows for the tests of coordination: people who are validated, councils, check-ins, referrals."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import factory
from factory.django import DjangoModelFactory

from cohort.models import ListEntry, Patient
from coordinators.models import Assignment, CheckIn, Need, Referral
from shielding.accounts.models import Membership, Organisation, Role
from shielding.places.models import LocalAuthority, Postcode
from tests.cohort.factories import (
    NOW,
    ListEntryFactory,
    MembershipFactory,
    OrganisationFactory,
    PracticeListFactory,
    UserFactory,
)


class ValidatedEntryFactory(ListEntryFactory):
    """Somebody on the list whom their practice has confirmed. Pass `practice` or `practice_list`."""

    class Params:
        practice = factory.LazyFunction(OrganisationFactory)

    practice_list = factory.SubFactory(PracticeListFactory, practice=factory.SelfAttribute("..practice"))
    review_state = "CONFIRMED"
    reviewed_at = NOW - timedelta(days=1)
    reviewed_by = factory.SubFactory(UserFactory)


def validated(practice: Organisation, count: int = 1, **patient: Any) -> list[Patient]:
    """Returns people of the practice who are confirmed and on the list."""
    practice_list = PracticeListFactory(practice=practice)
    user = UserFactory()
    details = {f"patient__{name}": value for name, value in patient.items()}
    return [
        ValidatedEntryFactory(practice_list=practice_list, reviewed_by=user, **details).patient for _ in range(count)
    ]


def coordinator(practice: Organisation, **fields: Any) -> Membership:
    """Returns a coordinator of the practice."""
    return MembershipFactory(organisation=practice, role=Role.COORDINATOR, **fields)


def council(gss_code: str, name: str, postcode: str = "") -> Membership:
    """Returns a member of staff of a new local authority, which `postcode` lies in."""
    authority = LocalAuthority.objects.create(gss_code=gss_code, name=name)
    if postcode:
        Postcode.objects.create(postcode=postcode, local_authority=authority)
    organisation = OrganisationFactory(
        kind=Organisation.Kind.LOCAL_AUTHORITY, code=gss_code, name=name, local_authority=authority
    )
    return MembershipFactory(organisation=organisation, role=Role.LA_STAFF)


class AssignmentFactory(DjangoModelFactory[Assignment]):
    """Pass `patient` and `coordinator`."""

    class Meta:
        model = Assignment

    started_at = NOW - timedelta(hours=12)


class CheckInFactory(DjangoModelFactory[CheckIn]):
    """Pass `patient` and `by`."""

    class Meta:
        model = CheckIn

    at = NOW - timedelta(hours=6)
    outcome = "COMPLETED"


def refer(patient: Patient, to: Membership | None, by: Membership, **fields: Any) -> Referral:
    """Returns a waiting referral of a need for food, to the council that `to` works for, or to none."""
    detail = fields.pop("detail", "Vegetarian")
    kind = fields.pop("kind", "FOOD")
    check_in = CheckInFactory(patient=patient, by=by, at=fields.get("made_at", NOW))
    need = Need.objects.create(patient=patient, check_in=check_in, kind=kind, detail=detail)
    return Referral.objects.create(
        **{
            "need": need,
            "patient": patient,
            "local_authority": to.organisation.local_authority if to else None,
            "state": "WAITING",
            "made_at": NOW,
            "made_by": by,
            **fields,
        }
    )


@dataclass
class Team:
    """A practice with a coordinator, a council, and the fixed cast.

    The coordinator leads for Amina; Bob was removed by his GP; Charlie is another practice's, another
    coordinator's and another council's, and must never be seen.
    """

    practice: Organisation
    lead: Membership
    staff: Membership
    amina: Patient
    bob: Patient
    other_lead: Membership
    other_staff: Membership
    charlie: Patient


def make_team() -> Team:
    """Returns the team, made in the database."""
    practice = OrganisationFactory(name="Mill Lane Surgery", code="Z90001", phone="01632 960001")
    other_practice = OrganisationFactory(name="Harbour Practice", code="Z90002", phone="01632 960002")
    lead = coordinator(practice, user__name="Nia Rees")
    other_lead = coordinator(other_practice, user__name="Ola Berg")
    [amina] = validated(
        practice,
        given_name="Amina",
        family_name="Khan",
        mobile="07700900123",
        landline="02079460001",
        email="amina@example.test",
        uprn="100000000001",
        safe_contact_instruction="Ask for Amina by name. Say it is the library.",
    )
    [charlie] = validated(other_practice, given_name="Charlie", family_name="Stone", postcode="BN1 1AA")
    bob = ListEntryFactory(
        practice_list=PracticeListFactory(practice=practice),
        patient__given_name="Bob",
        patient__family_name="Marsh",
        is_on_list=False,
        review_state="REMOVED",
        reviewed_at=NOW,
        reviewed_by=UserFactory(),
        removal_reason="LOW_RISK",
        is_patient_told=True,
    ).patient
    AssignmentFactory(patient=amina, coordinator=lead)
    AssignmentFactory(patient=charlie, coordinator=other_lead)
    return Team(
        practice=practice,
        lead=lead,
        staff=council("E09000029", "Sutton", "SM1 1AA"),
        amina=amina,
        bob=bob,
        other_lead=other_lead,
        other_staff=council("E06000043", "Brighton and Hove", "BN1 1AA"),
        charlie=charlie,
    )


def take_off_list(patient: Patient) -> None:
    """Their practice has taken the person off the list."""
    ListEntry.objects.filter(patient=patient).update(
        is_on_list=False, review_state="REMOVED", removal_reason="LOW_RISK", is_patient_told=True
    )


def form_token() -> str:
    """Returns the token of a check-in form."""
    return str(uuid4())
