"""Reads of the coordinators app. A coordinator reaches their caseload, council staff their council's referrals."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, When

from cohort.models import Flag, ListEntry, Patient
from cohort.rules import FactSource, ReviewState
from coordinators.models import Assignment, CheckIn, Need, Referral
from coordinators.rules import (
    TRIES_BEFORE_SOMETHING_ELSE,
    UNSUCCESSFUL,
    CheckInOutcome,
    ReferralState,
    death_notice,
    safe_contact,
)
from shielding.accounts.models import Membership, Role

OPEN_STATES = (ReferralState.WAITING, ReferralState.ACCEPTED)


def assignments(membership: Membership) -> QuerySet[Assignment]:
    """Returns whom this coordinator leads for now, with patient and practice. Everything of theirs goes through it."""
    return Assignment.objects.filter(coordinator=membership, ended_at__isnull=True).select_related("patient__practice")


def caseload(membership: Membership, *, name: str = "", show: str = "") -> QuerySet[Assignment]:
    """Returns this coordinator's caseload, who is due first: never contacted, then the longest ago.

    Those who refused check-ins or died come last. Each row has `last_at` and `last_outcome` (None where
    never contacted), `latest` (the newest outcomes, at most three), `needs_another_way` and `is_due`.
    `name` keeps people with each of its words at the beginning of a name; `show` keeps NEW (never contacted) or
    ANOTHER_WAY.
    """
    newest = CheckIn.objects.filter(patient=OuterRef("patient")).order_by("-at", "-pk")
    found = assignments(membership).annotate(
        last_at=Subquery(newest.values("at")[:1]),
        last_outcome=Subquery(newest.values("outcome")[:1]),
        latest=ArraySubquery(newest.values("outcome")[:TRIES_BEFORE_SOMETHING_ELSE]),
    )
    # The words of `rules.needs_another_way`, so that a page of people can be picked by it.
    another_way = Q(
        latest__len=TRIES_BEFORE_SOMETHING_ELSE, latest__contained_by=sorted(outcome.value for outcome in UNSUCCESSFUL)
    )
    finished = Q(last_outcome=CheckInOutcome.REFUSED) | ~Q(patient__death_status="")
    found = found.annotate(
        needs_another_way=Case(When(another_way, then=True), default=False, output_field=BooleanField()),
        is_due=Case(When(finished, then=False), default=True, output_field=BooleanField()),
    )
    for word in name.split():
        found = found.filter(Q(patient__given_name__istartswith=word) | Q(patient__family_name__istartswith=word))
    if show == "NEW":
        found = found.filter(last_at__isnull=True)
    elif show == "ANOTHER_WAY":
        found = found.filter(needs_another_way=True)
    return found.order_by(
        "-is_due", F("last_at").asc(nulls_first=True), "patient__family_name", "patient__given_name", "pk"
    )


def caseload_counts(membership: Membership) -> dict[str, int]:
    """Returns how many people this coordinator leads for: all, NEW (never contacted) and ANOTHER_WAY."""
    return (
        caseload(membership)
        .order_by()
        .aggregate(
            all=Count("pk"),
            NEW=Count("pk", filter=Q(last_at__isnull=True)),
            ANOTHER_WAY=Count("pk", filter=Q(needs_another_way=True)),
        )
    )


def person_for(membership: Membership, patient_id: UUID) -> Assignment | None:
    """Returns the row of `caseload` for this person, or None where this coordinator does not lead for them."""
    return caseload(membership).filter(patient_id=patient_id).first()


def check_ins(assignment: Assignment) -> QuerySet[CheckIn]:
    """Returns every check-in with the person, the newest first, with who made it and the needs found."""
    return (
        CheckIn.objects.filter(patient=assignment.patient_id)
        .select_related("by__user")
        .prefetch_related("needs")
        .order_by("-at", "-pk")
    )


def not_safe_to_talk(newest_first: Iterable[CheckIn]) -> CheckIn | None:
    """Returns the last check-in at which it was asked whether it is safe to talk, if it was not; else None.

    A later try that nobody answered does not make it safe.
    """
    asked = next((check_in for check_in in newest_first if check_in.is_safe_to_talk is not None), None)
    return asked if asked is not None and not asked.is_safe_to_talk else None


def needs(assignment: Assignment) -> QuerySet[Need]:
    """Returns the person's needs, the newest first, each with its referral and what the council did."""
    return (
        Need.objects.filter(patient=assignment.patient_id)
        .select_related("check_in", "referral__local_authority")
        .order_by("-check_in__at", "kind")
    )


def open_by_kind(found: Iterable[Need]) -> dict[str, Referral]:
    """Returns, by kind of need, the referral a council has open already, so that nobody asks it twice unawares."""
    made = ((need.kind, getattr(need, "referral", None)) for need in found)
    return {kind: referral for kind, referral in made if referral is not None and referral.state in OPEN_STATES}


def what_became_of_needs(check_in: CheckIn) -> str:
    """Returns where the needs found at a check-in went, in one sentence; an empty string where none were."""
    found = list(check_in.needs.select_related("referral__local_authority"))
    if not found:
        return ""
    referral = getattr(found[0], "referral", None)
    if referral is None:
        return "The record is restricted, so no council was told: what they need stays with you."
    if referral.local_authority is None:
        return "No council is known for their postcode yet. The referral is kept, and sent on once one is."
    return f"Referred to {referral.local_authority}."


def reasons(assignment: Assignment) -> list[str]:
    """Returns why the person is on the list, in a few words each: what the search found, or who asked."""
    entry = ListEntry.objects.filter(patient=assignment.patient_id).select_related("because").first()
    groups = (
        Flag.objects.filter(patient=assignment.patient_id, ended_in=None)
        .order_by("criterion_version__criterion__title")
        .values_list("criterion_version__criterion__title", flat=True)
        .distinct()
    )
    found = list(groups)
    asked = {FactSource.GP: "Their GP practice asked for it", FactSource.HOSPITAL: "A hospital asked for it"}
    if entry and entry.because and entry.because.source in asked:
        found.append(asked[FactSource(entry.because.source)])
    return found


def referrals_for(membership: Membership) -> QuerySet[Referral]:
    """Returns the referrals to this membership's local authority, and to no other.

    None where the organisation is no local authority. People whose record is restricted are not there,
    also where it became so after the referral was made.
    """
    authority = membership.organisation.local_authority_id
    if authority is None:
        return Referral.objects.none()
    return Referral.objects.filter(local_authority=authority, patient__is_restricted=False).select_related(
        "need", "patient__practice"
    )


def open_referrals(membership: Membership) -> QuerySet[Referral]:
    """Returns the authority's referrals that are waiting or accepted, the oldest first."""
    return referrals_for(membership).filter(state__in=OPEN_STATES).order_by("made_at", "pk")


def referrals_in(membership: Membership, state: ReferralState) -> QuerySet[Referral]:
    """Returns the authority's referrals in one state: open ones the oldest first, settled ones the newest first."""
    found = referrals_for(membership).filter(state=state)
    return found.order_by("made_at", "pk") if state in OPEN_STATES else found.order_by("-settled_at", "pk")


def referral_for(membership: Membership, referral_id: UUID) -> Referral | None:
    """Returns one of the authority's referrals, or None: another authority's is not there."""
    return referrals_for(membership).filter(pk=referral_id).first()


def referral_counts(membership: Membership) -> dict[ReferralState, int]:
    """Returns how many referrals the authority has in each state."""
    counts: Mapping[str, int] = dict(
        referrals_for(membership).order_by().values_list("state").annotate(people=Count("pk"))
    )
    return {state: counts.get(state, 0) for state in ReferralState}


@dataclass(frozen=True)
class CouncilReferral:
    """All that a council is told about a referral: who, where, what is needed, how to make contact safely.

    Nothing clinical is in it. Contact details are empty where `death_notice` says the person has died,
    and once the referral is settled: nobody is to be visited then.
    """

    id: UUID
    patient_id: UUID
    state: ReferralState
    made_at: datetime
    downloaded_at: datetime | None
    nhs_number: str
    given_name: str
    family_name: str
    birth_date: date
    death_notice: str
    safe_contact: str
    need: str
    detail: str
    address_lines: tuple[str, ...]
    postcode: str
    uprn: str
    mobile: str
    landline: str
    email: str
    practice: str
    practice_phone: str
    settled_at: datetime | None
    what_was_done: str
    rejection_reason: str


def for_council(referral: Referral) -> CouncilReferral:
    """Returns what the council may know of a referral that came out of `referrals_for`."""
    patient = referral.patient
    is_told_where = referral.state in OPEN_STATES and patient.death_status != Patient.DeathStatus.FORMAL
    contact: dict[str, Any] = dict.fromkeys(("postcode", "uprn", "mobile", "landline", "email"), "")
    if is_told_where:
        contact = {name: getattr(patient, name) for name in contact}
    return CouncilReferral(
        id=referral.pk,
        patient_id=patient.pk,
        state=ReferralState(referral.state),
        made_at=referral.made_at,
        downloaded_at=referral.downloaded_at,
        nhs_number=patient.nhs_number,
        given_name=patient.given_name,
        family_name=patient.family_name,
        birth_date=patient.birth_date,
        death_notice=death_notice(patient.death_status),
        safe_contact=safe_contact(patient.safe_contact_instruction, patient.unsafe_channels),
        need=referral.need.get_kind_display(),
        detail=referral.need.detail,
        address_lines=tuple(patient.address_lines) if is_told_where else (),
        practice=patient.practice.name,
        practice_phone=patient.practice.phone,
        settled_at=referral.settled_at,
        what_was_done=referral.what_was_done,
        rejection_reason=referral.get_rejection_reason_display(),
        **contact,
    )


def without_authority() -> QuerySet[Referral]:
    """Returns the referrals whose postcode was in no known area when they were made: a worklist, not a loss."""
    return Referral.objects.filter(
        local_authority__isnull=True, state=ReferralState.WAITING, patient__is_restricted=False
    )


def _has_coordinator() -> Exists:
    return Exists(Assignment.objects.filter(patient=OuterRef("patient"), ended_at__isnull=True))


def _validated() -> QuerySet[ListEntry]:
    return ListEntry.objects.filter(is_on_list=True).exclude(review_state=ReviewState.TO_REVIEW)


def waiting_for_a_coordinator() -> QuerySet[ListEntry]:
    """Returns everybody validated and on the list without a current coordinator, but those who have died.

    For counting, not for pages. `actions.assign_waiting` says the same in SQL.
    """
    return _validated().exclude(patient__death_status=Patient.DeathStatus.FORMAL).filter(~_has_coordinator())


def without_coordinator() -> dict[UUID, int]:
    """Returns how many people wait at each practice that has no coordinator to give them, by practice id.

    Counts only: nobody is named.
    """
    available = Membership.objects.filter(
        organisation=OuterRef("patient__practice"), role=Role.COORDINATOR, ended_at__isnull=True, user__is_active=True
    )
    waiting = waiting_for_a_coordinator().filter(~Exists(available)).order_by()
    return dict(waiting.values_list("patient__practice").annotate(people=Count("pk")))


def coordination_counts() -> dict[str, Any]:
    """Returns the counts of the ledger. Two sums hold:

    `validated` = `with_coordinator` + `waiting_for_coordinator` + `died` (people on the list and
    reviewed; `at_practice_without_coordinator` are some of those waiting), and
    `needs` = the sum of `referrals` (by state, WAITING to REJECTED) + `needs_without_authority`
    + `needs_kept_by_coordinator` (restricted records, which make no referral).
    `referrals_hidden` are some of `referrals`: to an authority, but the record became restricted later.
    """
    died = Q(patient__death_status=Patient.DeathStatus.FORMAL)
    people = (
        _validated()
        .annotate(has=_has_coordinator())
        .aggregate(
            validated=Count("pk"),
            with_coordinator=Count("pk", filter=Q(has=True) & ~died),
            waiting_for_coordinator=Count("pk", filter=Q(has=False) & ~died),
            died=Count("pk", filter=died),
        )
    )
    known = Q(local_authority__isnull=False)
    referrals = Referral.objects.aggregate(
        **{state.value: Count("pk", filter=known & Q(state=state)) for state in ReferralState},
        without=Count("pk", filter=~known),
        hidden=Count("pk", filter=known & Q(patient__is_restricted=True)),
    )
    needs_found = Need.objects.aggregate(all=Count("pk"), kept=Count("pk", filter=Q(referral__isnull=True)))
    return {
        **people,
        "at_practice_without_coordinator": sum(without_coordinator().values()),
        "needs": needs_found["all"],
        "referrals": {state.value: referrals[state.value] for state in ReferralState},
        "needs_without_authority": referrals["without"],
        "needs_kept_by_coordinator": needs_found["kept"],
        "referrals_hidden": referrals["hidden"],
    }
