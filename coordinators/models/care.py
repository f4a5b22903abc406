"""Coordinators, who leads for whom, check-ins, needs, and referrals to local authorities."""

import uuid

import pghistory
import pgtrigger
from django.db import models
from django.db.models import Q

from coordinators.rules import (
    REFERRAL_TRANSITIONS,
    CheckInOutcome,
    NeedKind,
    ReferralState,
    RejectionReason,
)

OUTCOMES = [
    (CheckInOutcome.COMPLETED.value, "Spoke to the person"),
    (CheckInOutcome.NO_ANSWER.value, "No answer"),
    (CheckInOutcome.VOICEMAIL.value, "Left a voicemail"),
    (CheckInOutcome.WRONG_NUMBER.value, "Wrong number"),
    (CheckInOutcome.CALL_BACK.value, "Asked to be called back"),
    (CheckInOutcome.REFUSED.value, "Does not want check-ins"),
]
NEEDS = [
    (NeedKind.FOOD.value, "Food"),
    (NeedKind.MEDICINES.value, "Collecting or delivering medicines"),
    (NeedKind.BASIC_CARE.value, "Basic care, someone to contact them"),
    (NeedKind.SUPERMARKET.value, "Priority supermarket delivery"),
    (NeedKind.LONELINESS.value, "Loneliness or low mood"),
    (NeedKind.MONEY.value, "Money or debt"),
    (NeedKind.HOUSING.value, "Housing"),
    (NeedKind.TRANSPORT.value, "Transport"),
]
REJECTIONS = [
    (RejectionReason.MOVED_AWAY.value, "Has moved away"),
    (RejectionReason.NOT_OURS.value, "Does not live in our area"),
    (RejectionReason.COULD_NOT_REACH.value, "Could not reach them"),
    (RejectionReason.DECLINED.value, "Does not want help"),
]


@pghistory.track()
class Assignment(models.Model):
    """`coordinator` leads for the person from `started_at`. One at a time; ended, never deleted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey("cohort.Patient", models.PROTECT, related_name="assignments")
    coordinator = models.ForeignKey("accounts.Membership", models.PROTECT, related_name="assignments")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient"], condition=Q(ended_at__isnull=True), name="one_coordinator_at_a_time"
            )
        ]
        indexes = [models.Index(fields=["coordinator"], condition=Q(ended_at__isnull=True), name="assignment_caseload")]

    def __str__(self) -> str:
        return f"{self.coordinator_id} leads for {self.patient_id}"


class CheckIn(models.Model):
    """One try to speak to a person. Append-only: a mistake is mended by another entry."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey("cohort.Patient", models.PROTECT, related_name="check_ins")
    at = models.DateTimeField()
    by = models.ForeignKey("accounts.Membership", models.PROTECT)
    outcome = models.CharField(max_length=20, choices=OUTCOMES)
    is_safe_to_talk = models.BooleanField(null=True, help_text="None where it was not asked or nobody answered.")
    note = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["patient", "-at"], name="check_in_patient_newest")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.outcome} {self.patient_id}"


class Need(models.Model):
    """Something a person needs help with, found at a check-in or referred by a case conference.

    Append-only; what is done about it is the referral.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey("cohort.Patient", models.PROTECT, related_name="needs")
    check_in = models.ForeignKey(CheckIn, models.PROTECT, null=True, blank=True, related_name="needs")
    agenda_item = models.ForeignKey(
        "coordinators.AgendaItem", models.PROTECT, null=True, blank=True, related_name="referred_needs"
    )
    kind = models.CharField(max_length=20, choices=NEEDS)
    detail = models.CharField(max_length=300, blank=True, help_text="Only what the council must know to help.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["check_in", "kind"], name="one_need_of_a_kind_per_check_in"),
            models.UniqueConstraint(fields=["agenda_item", "kind"], name="one_need_of_a_kind_per_agenda_item"),
            models.CheckConstraint(
                condition=Q(check_in__isnull=False, agenda_item__isnull=True)
                | Q(check_in__isnull=True, agenda_item__isnull=False),
                name="a_need_is_found_somewhere",
            ),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.kind} {self.patient_id}"


@pghistory.track()
class Referral(models.Model):
    """A need handed to the local authority of the person's postcode as of that day.

    `local_authority` is None where the postcode is in no known area: that is a worklist, not a loss.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    need = models.OneToOneField(Need, models.PROTECT, related_name="referral")
    patient = models.ForeignKey("cohort.Patient", models.PROTECT, related_name="referrals")
    local_authority = models.ForeignKey("places.LocalAuthority", models.PROTECT, null=True, blank=True)
    state = models.CharField(max_length=10, choices=[(s.value, s.value.title()) for s in ReferralState])
    made_at = models.DateTimeField()
    made_by = models.ForeignKey("accounts.Membership", models.PROTECT, related_name="+")
    downloaded_at = models.DateTimeField(null=True, blank=True, help_text="When council staff first downloaded it.")
    settled_at = models.DateTimeField(null=True, blank=True, help_text="When it was closed or rejected.")
    settled_by = models.ForeignKey("accounts.Membership", models.PROTECT, null=True, blank=True, related_name="+")
    what_was_done = models.CharField(max_length=300, blank=True)
    rejection_reason = models.CharField(max_length=20, choices=REJECTIONS, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["CLOSED", "REJECTED"], settled_at__isnull=False, settled_by__isnull=False)
                | Q(state__in=["WAITING", "ACCEPTED"], settled_at__isnull=True, settled_by__isnull=True),
                name="referral_settled_at_and_by",
            ),
            models.CheckConstraint(
                condition=(Q(state="REJECTED") & ~Q(rejection_reason=""))
                | (~Q(state="REJECTED") & Q(rejection_reason="")),
                name="a_rejection_has_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["local_authority", "state", "made_at"], name="referral_by_authority")]
        triggers = [
            pgtrigger.FSM(
                name="legal_moves",
                field="state",
                transitions=sorted((a.value, b.value) for a, after in REFERRAL_TRANSITIONS.items() for b in after),
            )
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.patient_id}"
