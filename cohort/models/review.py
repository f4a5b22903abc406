"""What a practice writes about one person besides its decision.

Questions to a colleague, details it has mended, what it knows of somebody it adds, when it told
somebody of their removal, and a removal half written.
"""

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from cohort.amending import Detail, EndedBy
from cohort.models.criteria import APPEND_ONLY, Criterion
from cohort.models.lists import REMOVAL_REASONS, ListFact
from cohort.models.patients import Patient


class ReviewQuery(models.Model):
    """A question to a colleague about one person, and its answer. Open until it is answered, once.

    `to` is who is asked; None asks anybody at the practice. It leaves the person's review as it is.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="review_queries")
    practice = models.ForeignKey("accounts.Organisation", models.PROTECT, related_name="review_queries")
    question = models.CharField(max_length=500)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    to = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    answer = models.CharField(max_length=500, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name_plural = "review queries"
        constraints = [
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answered_by__isnull=True, answer="")
                | (Q(answered_at__isnull=False, answered_by__isnull=False) & ~Q(answer="")),
                name="review_query_answered_at_and_by",
            ),
            models.CheckConstraint(condition=~Q(question=""), name="review_query_asks_something"),
        ]
        indexes = [
            models.Index(
                fields=["practice", "patient"], condition=Q(answered_at__isnull=True), name="open_query_by_practice"
            )
        ]
        triggers = [
            pgtrigger.ReadOnly(name="only_its_answer_is_written", exclude=["answer", "answered_at", "answered_by"]),
            pgtrigger.Protect(
                name="answered_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__answered_at__isnull=False),
            ),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Amendment(models.Model):
    """One detail of a person that a practice has mended, from when it was to when that no longer stood.

    `value`, `extract_said` (as it was mended, as far as it was said ever since: what is overruled) and
    `extract_says` (now) hold the detail's columns of Patient by name; the last two are None where extracts do
    not have them. While it stands, the patient's columns are as `cohort.amending.standing` makes them. Only its
    end and what extracts say are ever written.
    """

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="amendments")
    practice = models.ForeignKey("accounts.Organisation", models.PROTECT, related_name="+")
    detail = models.CharField(max_length=20, choices=[(d.value, d.label) for d in Detail])
    value = models.JSONField()
    extract_said = models.JSONField(null=True, blank=True)
    extract_says = models.JSONField(null=True, blank=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_as = models.CharField(max_length=10, choices=[(e.value, e.value.title()) for e in EndedBy], blank=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "detail"], condition=Q(ended_at__isnull=True), name="one_standing_amendment"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_as="", ended_by__isnull=True)
                | (Q(ended_at__isnull=False) & Q(ended_as=EndedBy.EXTRACT.value, ended_by__isnull=True))
                | (
                    Q(ended_at__isnull=False, ended_by__isnull=False)
                    & Q(ended_as__in=[EndedBy.WITHDRAWN.value, EndedBy.REPLACED.value])
                ),
                name="amendment_ended_at_as_and_by",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="only_its_end_is_written",
                exclude=["extract_said", "extract_says", "ended_at", "ended_as", "ended_by"],
            ),
            pgtrigger.Protect(
                name="ends_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__ended_at__isnull=False)
            ),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.detail} of {self.patient_id}"


class Addition(models.Model):
    """What a practice knew of somebody whom it added: which tier, which group, and on what evidence. Append-only.

    `fact` is its word about the list: ADD for high risk; for the vulnerable, who are not on the list, REMOVE.
    An empty `disease_group` is a clinician's judgement.
    """

    fact = models.OneToOneField(ListFact, models.PROTECT, related_name="addition")
    tier = models.CharField(max_length=10, choices=Criterion.Tier)
    disease_group = models.CharField(max_length=100, blank=True)
    evidence = models.CharField(max_length=300, blank=True)
    evidence_date = models.DateField(null=True, blank=True)

    class Meta:
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return str(self.fact_id)


class RemovalTold(models.Model):
    """A clinician has talked a removal over with the person: who and on what day, and who wrote it down. Append-only.

    `fact` is the practice's word that took them off the list.
    """

    fact = models.OneToOneField(ListFact, models.PROTECT, related_name="told")
    told_by = models.CharField(max_length=100, help_text="The clinician, by name.")
    told_date = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name_plural = "removals told"
        constraints = [models.CheckConstraint(condition=~Q(told_by=""), name="removal_told_by_somebody")]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return str(self.fact_id)


class RemovalDraft(models.Model):
    """A removal that somebody has half written. Kept here and not in their browser, where it would outlive them.

    Gone once they decide about the person.
    """

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="removal_drafts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    reason = models.CharField(max_length=30, choices=REMOVAL_REASONS, blank=True)
    detail = models.CharField(max_length=200, blank=True)
    is_patient_told = models.BooleanField(null=True, blank=True)
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["patient", "user"], name="one_removal_draft_a_user")]

    def __str__(self) -> str:
        return str(self.patient_id)
