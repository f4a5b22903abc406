"""Reads for planning a case conference: with which council, and about whom."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, QuerySet

from cohort.models import ListEntry, Patient
from coordinators.conference_rules import AgendaFacts, AgendaReason, Side, age, agenda_reasons
from coordinators.models import AgendaItem, CheckIn, Conference, Referral
from coordinators.queries.conferences import side_of
from coordinators.queries.referrals import OPEN_STATES
from coordinators.rules import TRIES_BEFORE_SOMETHING_ELSE, CheckInOutcome, ReferralState
from shielding.accounts.models import Membership, Organisation
from shielding.places.models import LocalAuthority
from shielding.places.queries import local_authorities_for


def councils_for(by: Membership, on: date) -> list[tuple[LocalAuthority, int]]:
    """Returns the councils that use this service in whose areas a practice's listed people live, and how many do.

    The one with most people first.
    """
    postcodes = Counter(_listed(by.organisation_id).values_list("patient__postcode", flat=True))
    areas: Counter[LocalAuthority] = Counter()
    for postcode, authority in local_authorities_for(postcodes, on).items():
        if authority is not None:
            areas[authority] += postcodes[postcode]
    here = set(Organisation.objects.filter(local_authority__in=areas).values_list("local_authority_id", flat=True))
    return [(area, people) for area, people in areas.most_common() if area.pk in here]


@dataclass(frozen=True)
class Candidate:
    """Somebody who may be put on an agenda, and why they are suggested."""

    patient_id: UUID
    name: str
    birth_date: date
    age: int
    reasons: list[AgendaReason]


def candidates(
    by: Membership, conference: Conference, on: date, *, name: str = "", among: Collection[UUID] | None = None
) -> list[Candidate]:
    """Returns who may be put on the agenda and is not on it, those with most reasons first, then the oldest.

    They are on the practice's list, live in the council's area on that day, are alive, and their record is
    not restricted. A practice chooses among all of them; a council among those who were referred to it.
    `name` keeps people with each of its words at the beginning of a name; without one, only those with a
    reason are returned. `among` keeps these, with or without a reason.
    """
    area = conference.local_authority_id
    found = _listed(conference.practice_id).filter(patient__is_restricted=False)
    found = found.exclude(patient__death_status=Patient.DeathStatus.FORMAL)
    referred = Referral.objects.filter(patient=OuterRef("patient"), local_authority=area)
    if side_of(by) is Side.COUNCIL:
        found = found.filter(Exists(referred))
    for word in name.split():
        found = found.filter(Q(patient__given_name__istartswith=word) | Q(patient__family_name__istartswith=word))
    if among is not None:
        found = found.filter(patient__in=among)
    found = found.exclude(
        Exists(AgendaItem.objects.filter(conference=conference, patient=OuterRef("patient"), removed_at=None))
    )
    # Of the areas, before the reasons: the latter take a look at each person's referrals and check-ins.
    postcodes = local_authorities_for(set(found.values_list("patient__postcode", flat=True)), on)
    inside = [postcode for postcode, authority in postcodes.items() if authority and authority.pk == area]
    newest = CheckIn.objects.filter(patient=OuterRef("patient")).order_by("-at", "-pk").values("outcome")
    rows = (
        found.filter(patient__postcode__in=inside)
        .select_related("patient")
        .annotate(
            latest=ArraySubquery(newest[:TRIES_BEFORE_SOMETHING_ELSE]),
            waits=Exists(referred.filter(state__in=OPEN_STATES)),
            unmet=Exists(referred.filter(state=ReferralState.REJECTED)),
        )
    )
    people = [_candidate(row, on) for row in rows]
    if not name and among is None:
        people = [person for person in people if person.reasons]
    return sorted(people, key=lambda one: (-len(one.reasons), one.birth_date, one.name, one.patient_id))


def _candidate(row: ListEntry, on: date) -> Candidate:
    patient = row.patient
    facts = AgendaFacts(
        birth_date=patient.birth_date,
        open_needs=int(row.waits),  # type: ignore[attr-defined]
        unmet_needs=int(row.unmet),  # type: ignore[attr-defined]
        latest=[CheckInOutcome(outcome) for outcome in row.latest],  # type: ignore[attr-defined]
        has_phone=bool(patient.mobile or patient.landline),
    )
    return Candidate(
        patient_id=patient.pk,
        name=f"{patient.given_name} {patient.family_name}",
        birth_date=patient.birth_date,
        age=age(patient.birth_date, on),
        reasons=agenda_reasons(facts, on),
    )


def _listed(practice_id: UUID) -> QuerySet[ListEntry]:
    return ListEntry.objects.filter(is_on_list=True, patient__practice=practice_id).order_by()
