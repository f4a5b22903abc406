"""Reads of a coordinator's caseload: whom they lead for, check-ins, needs."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, Case, Count, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce

from cohort.models import Flag, ListEntry
from cohort.rules import FactSource
from coordinators.models import Assignment, CheckIn, Need, Referral
from coordinators.queries.referrals import OPEN_STATES
from coordinators.rules import TRIES_BEFORE_SOMETHING_ELSE, UNSUCCESSFUL, CheckInOutcome
from shielding.accounts.models import Membership


def assignments(membership: Membership) -> QuerySet[Assignment]:
    """Returns whom this coordinator leads for now, with patient and practice. Everything of theirs goes through it."""
    return Assignment.objects.filter(coordinator=membership, ended_at__isnull=True).select_related("patient__practice")


@dataclass(frozen=True)
class LeadContact:
    """How a letter names who leads for somebody. `phone` is of where they work; empty where none is known."""

    name: str
    phone: str


def lead_contact(patient_id: UUID) -> LeadContact | None:
    """Returns how to name who leads for this person now, to the person alone; None where nobody does."""
    current = Assignment.objects.filter(patient=patient_id, ended_at__isnull=True)
    found = current.values_list("coordinator__user__name", "coordinator__organisation__phone").first()
    return LeadContact(*found) if found else None


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
        .order_by(Coalesce("check_in__at", "referral__made_at").desc(), "kind")
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
