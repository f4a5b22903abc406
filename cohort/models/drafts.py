"""Drafts of criteria: what clinicians change, test and sign off before it is published.

A draft's contents are revisions, never changed; a sign-off is of one revision.
"""

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from cohort.drafting import DRAFT_TRANSITIONS, OPEN_DRAFTS, DraftState, SignOffOutcome
from cohort.models.criteria import APPEND_ONLY, CodeListVersion, Criterion, CriterionVersion
from cohort.models.patients import Patient

#: Nobody signs their own change off, whatever the code above says.
SIGNED_BY_ANOTHER = pgtrigger.Trigger(
    name="signed_by_another",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert,
    declare=[("of_draft", "uuid")],
    func="""
        SELECT draft_id INTO of_draft FROM cohort_draftrevision WHERE id = NEW.revision_id;
        IF EXISTS (
            SELECT 1 FROM cohort_draftrevision WHERE draft_id = of_draft AND changed_by_id = NEW.by_id AND is_change
        ) THEN
            RAISE EXCEPTION 'Nobody signs off their own change' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    """,
)
PUBLISHED_WHEN_SIGNED = pgtrigger.Trigger(
    name="published_when_signed",
    when=pgtrigger.Before,
    operation=pgtrigger.Update,
    condition=pgtrigger.Q(new__state=DraftState.PUBLISHED.value, old__state=DraftState.PROPOSED.value),
    func="""
        IF NOT EXISTS (
            SELECT 1 FROM cohort_signoff s JOIN cohort_draftrevision r ON r.id = s.revision_id
            WHERE r.draft_id = NEW.id AND r.number = NEW.revision_number AND s.outcome = 'APPROVED'
        ) THEN
            RAISE EXCEPTION 'A second clinician has not approved this revision' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    """,
)


class CriterionDraft(models.Model):
    """A criterion being changed, or made. `revision_number` is that of its newest revision, its contents now.

    `based_on` is the version that was in force when it was begun; None for a criterion never published.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    criterion = models.ForeignKey(Criterion, models.PROTECT, related_name="drafts")
    based_on = models.ForeignKey(CriterionVersion, models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=10, choices=[(s.value, s.value.title()) for s in DraftState], default="DRAFT")
    revision_number = models.PositiveIntegerField(default=0)
    reason = models.TextField(blank=True, help_text="What changes and why, as proposed.")
    begun_at = models.DateTimeField()
    begun_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["criterion"],
                condition=Q(state__in=sorted(state.value for state in OPEN_DRAFTS)),
                name="one_open_draft_a_criterion",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="draft_ended_at_and_by",
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="legal_moves",
                field="state",
                transitions=sorted((a.value, b.value) for a, after in DRAFT_TRANSITIONS.items() for b in after),
            ),
            PUBLISHED_WHEN_SIGNED,
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"Draft of {self.criterion}"


class DraftRevision(models.Model):
    """What a draft said, from when to when the next revision came. Append-only.

    `definition` is as in CriterionVersion; `code_lists` are the versions of the lists it reads.
    `is_change` is false of the first revision of a draft that copies a published version: nobody's change yet.
    """

    draft = models.ForeignKey(CriterionDraft, models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    code_lists = models.ManyToManyField(CodeListVersion, related_name="+")
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the definition and the code list versions.")
    what = models.CharField("what was changed", max_length=300)
    is_change = models.BooleanField(default=True)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["draft", "number"], name="draft_revisions_are_numbered"),
        ]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.draft}, revision {self.number}"


class SignOff(models.Model):
    """What a second clinician said of one revision of a draft. Append-only; never of one's own change."""

    revision = models.ForeignKey(DraftRevision, models.PROTECT, related_name="sign_offs")
    fingerprint = models.CharField(max_length=64, help_text="Of the revision, as it was read.")
    outcome = models.CharField(max_length=10, choices=[(o.value, o.value.title()) for o in SignOffOutcome])
    comment = models.TextField(blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(outcome="APPROVED") | ~Q(comment=""), name="declining_says_why"),
        ]
        triggers = [APPEND_ONLY, SIGNED_BY_ANOTHER]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()}: {self.revision}"


class AssuranceCase(models.Model):
    """An example person with the answer expected of a criterion. Retired, never changed.

    `records` is a list of objects with system, code, date, source, episode and value. `added_by` is
    None where it came with the product.
    """

    criterion = models.ForeignKey(Criterion, models.PROTECT, related_name="cases")
    name = models.CharField(max_length=200)
    birth_date = models.DateField()
    sex = models.CharField(max_length=1, choices=Patient.Sex)
    records = models.JSONField(default=list, blank=True)
    search_date = models.DateField()
    expected = models.BooleanField("should meet the criterion")
    why = models.TextField()
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    retired_why = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["criterion", "name"], condition=Q(retired_at=None), name="one_standing_case_of_a_name"
            ),
            models.CheckConstraint(
                condition=Q(birth_date__lte=F("search_date")), name="example_people_are_born_by_the_search"
            ),
            models.CheckConstraint(
                condition=Q(retired_at__isnull=True, retired_why="")
                | (Q(retired_at__isnull=False) & ~Q(retired_why="")),
                name="retired_cases_say_why",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="only_its_retirement_is_written", exclude=["retired_at", "retired_by", "retired_why"]
            ),
            pgtrigger.Protect(
                name="retires_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__retired_at__isnull=False)
            ),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.name
