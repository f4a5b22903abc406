"""What a practice writes about one person besides its decision: questions to a colleague."""

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

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
