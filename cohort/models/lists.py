"""The list: append-only facts, the entry computed from them, and each practice's list to validate."""

import uuid
from typing import Any

import pghistory
import pghistory.trigger
import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from cohort.models.criteria import APPEND_ONLY
from cohort.models.patients import Patient
from cohort.models.runs import SearchRun
from cohort.rules import (
    REVIEW_TRANSITIONS,
    UNREVIEWED,
    FactSource,
    Recheck,
    RemovalReason,
    Request,
    ReviewState,
    Strength,
)

_UNREVIEWED = sorted(state.value for state in UNREVIEWED)

RECHECKS = [
    (Recheck.REASON_NEW.value, "The search has found another reason"),
    (Recheck.REASON_GONE.value, "The search no longer finds one of the reasons"),
    (Recheck.MOVED_HERE.value, "They have registered here since another practice decided"),
    (Recheck.DETAILS_CHANGED.value, "Whether or how to contact them has changed"),
    (Recheck.HOSPITAL_DISAGREES.value, "A hospital has asked for the opposite"),
]

REMOVAL_REASONS = [
    (RemovalReason.CONDITION_NOT_PRESENT.value, "They do not have the condition"),
    (RemovalReason.CONDITION_RESOLVED.value, "They had the condition but no longer do"),
    (RemovalReason.LOW_RISK.value, "They have the condition but are not at high risk"),
    (RemovalReason.MOVED_AWAY.value, "They have moved away or left the practice"),
    (RemovalReason.DIED.value, "They have died"),
    (RemovalReason.ADDED_BY_MISTAKE.value, "They were added by mistake"),
    (RemovalReason.OTHER.value, "Another reason"),
]


#: The search's fact stands once for a person, whatever the code does; once withdrawn, it may be said again.
ONE_STANDING_ALGORITHM_FACT = pgtrigger.Trigger(
    name="one_standing_algorithm_fact",
    level=pgtrigger.Statement,
    when=pgtrigger.After,
    operation=pgtrigger.Insert,
    referencing=pgtrigger.Referencing(new="added"),  # type: ignore[no-untyped-call]
    func="""
        IF EXISTS (
            SELECT 1 FROM added JOIN cohort_listfact other USING (patient_id)
            WHERE added.source = 'ALGORITHM' AND added.request = 'ADD' AND added.id <> other.id
            AND other.source = 'ALGORITHM' AND other.request = 'ADD'
            AND NOT EXISTS (SELECT 1 FROM cohort_listfact back WHERE back.withdraws_id = other.id)
        ) THEN
            RAISE EXCEPTION 'The search has said so already, and it stands' USING ERRCODE = 'unique_violation';
        END IF;
        RETURN NULL;
    """,
)


#: Stands for the foreign keys of facts, which PostgreSQL would check row by row for each of the thousands that one
#: person says at once. What they refer to is never deleted, so that to check what comes in is enough. Planned anew
#: each time (EXECUTE): a plan made for one row is ruinous for thousands.
FACTS_REFER_TO_WHAT_IS_THERE = pgtrigger.Trigger(
    name="refer_to_what_is_there",
    level=pgtrigger.Statement,
    when=pgtrigger.After,
    operation=pgtrigger.Insert,
    referencing=pgtrigger.Referencing(new="added"),  # type: ignore[no-untyped-call]
    declare=[("missing", "BOOLEAN")],
    func="""
        EXECUTE 'SELECT EXISTS (SELECT 1 FROM added WHERE NOT EXISTS ('
            '  SELECT 1 FROM cohort_patient p WHERE p.id = added.patient_id)) OR EXISTS (SELECT 1 FROM ('
            '  SELECT DISTINCT by_id AS id FROM added WHERE by_id IS NOT NULL) a'
            '  WHERE NOT EXISTS (SELECT 1 FROM accounts_user u WHERE u.id = a.id)) OR EXISTS (SELECT 1 FROM ('
            '  SELECT DISTINCT organisation_id AS id FROM added WHERE organisation_id IS NOT NULL) a'
            '  WHERE NOT EXISTS (SELECT 1 FROM accounts_organisation o WHERE o.id = a.id)) OR EXISTS (SELECT 1 FROM ('
            '  SELECT DISTINCT run_id AS id FROM added WHERE run_id IS NOT NULL) a'
            '  WHERE NOT EXISTS (SELECT 1 FROM cohort_searchrun r WHERE r.id = a.id))' INTO missing;
        IF missing THEN
            RAISE EXCEPTION 'A fact names a person, a user, an organisation or a run that is not there'
                USING ERRCODE = 'foreign_key_violation';
        END IF;
        RETURN NULL;
    """,
)


class ListFact(models.Model):
    """Somebody asked for a person to be on or off the list. Append-only; a later row may withdraw one.

    `withdraws` names the fact that this row takes back; such a row asks for nothing itself.
    """

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="facts", db_index=False, db_constraint=False)
    source = models.CharField(max_length=10, choices=[(s.value, s.value) for s in FactSource])
    request = models.CharField(max_length=6, choices=[(r.value, r.value.title()) for r in Request], blank=True)
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, db_index=False, db_constraint=False
    )
    organisation = models.ForeignKey(
        "accounts.Organisation", models.PROTECT, null=True, blank=True, db_constraint=False
    )
    run = models.ForeignKey(SearchRun, models.PROTECT, null=True, blank=True, db_constraint=False)
    withdraws = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="withdrawn_by")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(request="", withdraws__isnull=False) | (~Q(request="") & Q(withdraws__isnull=True)),
                name="a_fact_asks_or_withdraws",
            ),
            models.CheckConstraint(
                condition=~Q(source="ALGORITHM") | Q(run__isnull=False), name="an_algorithm_fact_has_a_run"
            ),
        ]
        indexes = [models.Index(fields=["patient", "at"], name="fact_patient_at")]
        triggers = [APPEND_ONLY, ONE_STANDING_ALGORITHM_FACT, FACTS_REFER_TO_WHAT_IS_THERE]

    def __str__(self) -> str:
        return f"{self.source} {self.request or 'WITHDRAW'} {self.patient_id}"


@pghistory.track()
class PracticeList(models.Model):
    """The list one practice was asked to validate after one search, and when it is due."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(SearchRun, models.PROTECT, related_name="practice_lists")
    practice = models.ForeignKey("accounts.Organisation", models.PROTECT, related_name="practice_lists")
    due_date = models.DateField()
    submitted_at = models.DateTimeField(null=True, blank=True)
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "practice"], name="one_list_per_run_and_practice"),
            models.CheckConstraint(
                condition=Q(submitted_at__isnull=True, submitted_by__isnull=True)
                | Q(submitted_at__isnull=False, submitted_by__isnull=False),
                name="list_submitted_at_and_by",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.practice} due {self.due_date}"


def _because_is_about_them(name: str, operation: pgtrigger.Operation) -> pgtrigger.Trigger:
    """Returns a trigger that stands for a foreign key, and asks more: the fact behind a standing is of the same person.

    Facts are never deleted, so that to check what is written is enough; PostgreSQL checks a key row by row.
    """
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=pgtrigger.Referencing(new="written"),  # type: ignore[no-untyped-call]
        declare=[("wrong", "BOOLEAN")],
        func="""
            EXECUTE 'SELECT EXISTS (SELECT 1 FROM written w LEFT JOIN cohort_listfact f ON f.id = w.because_id'
                ' WHERE w.because_id IS NOT NULL AND w.patient_id IS DISTINCT FROM f.patient_id)' INTO wrong;
            IF wrong THEN
                RAISE EXCEPTION 'The fact behind a standing is not there, or of somebody else'
                    USING ERRCODE = 'foreign_key_violation';
            END IF;
            RETURN NULL;
        """,
    )


class _PlannedAnew(pghistory.trigger.Event):  # type: ignore[misc]
    """A plan that PostgreSQL kept from one row would compare every old row of thousands with every new one."""

    def get_func(self, model: Any) -> pgtrigger.Func:
        body = super().get_func(model).func.removesuffix("RETURN NULL;")  # type: ignore[no-untyped-call]
        return pgtrigger.Func(f"EXECUTE $history${body}$history$; RETURN NULL;")  # type: ignore[no-untyped-call]


class UpdatedTogether(pghistory.UpdateEvent):  # type: ignore[misc]
    """History written once for each UPDATE, however many rows it changes: for each row, it took half of its time."""

    level = pgtrigger.Statement

    def add_event_trigger(self, event_model: Any) -> None:
        """Registers the trigger, as pghistory does."""
        event = _PlannedAnew(  # type: ignore[no-untyped-call]
            event_model=event_model,
            label=self.label,
            name=self.trigger_name,
            row=self.row,
            operation=self.operation,
            condition=self.condition,
            level=self.level,
        )
        pgtrigger.register(event)(event_model.pgh_tracked_model)


@pghistory.track(
    UpdatedTogether(row=pghistory.Old),
    pghistory.DeleteEvent(),
    exclude=["sort_key"],  # made from what has a history of its own
)
class ListEntry(models.Model):
    """One person's standing: on the list or not (computed from the facts), and the practice's review.

    One row per person, whose id it shares. What refers to others has an index only where it is searched by: each
    index more is written with every decision. `is_on_list` is written only by
    `cohort.actions.facts.recompute` and by landing. `recheck` says why somebody who was decided is to
    be looked at once more; the next decision empties it.
    """

    patient = models.OneToOneField(Patient, models.PROTECT, primary_key=True, related_name="entry")
    is_on_list = models.BooleanField()
    because = models.ForeignKey(
        ListFact, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, db_constraint=False
    )
    changed_at = models.DateTimeField(help_text="When they last came on or went off the list.")
    is_flagged = models.BooleanField(help_text="A search has ever flagged them.")
    practice_list = models.ForeignKey(
        PracticeList, models.PROTECT, null=True, blank=True, related_name="entries", db_index=False
    )
    review_state = models.CharField(
        max_length=10, choices=[(s.value, s.value.replace("_", " ").capitalize()) for s in ReviewState]
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, db_index=False)
    removal_reason = models.CharField(max_length=30, choices=REMOVAL_REASONS, blank=True)
    removal_detail = models.CharField(max_length=300, blank=True)
    is_patient_told = models.BooleanField(null=True, blank=True, help_text="Has the person been told of the removal?")
    listed_at = models.DateTimeField(null=True, blank=True, help_text="When they came onto this practice's list.")
    strength = models.CharField(
        max_length=8,
        choices=[(s.value, s.value.title()) for s in Strength],
        blank=True,
        default="",
        db_default="",
        help_text="How strong the search's evidence is; empty where it finds nothing.",
    )
    sort_key = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="Their place on a page: strength, then name. See cohort.actions.order.",
    )
    recheck = models.CharField(max_length=20, choices=RECHECKS, blank=True, default="", db_default="")
    recheck_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "list entries"
        constraints = [
            models.CheckConstraint(
                condition=Q(review_state__in=_UNREVIEWED, reviewed_at__isnull=True, reviewed_by__isnull=True)
                | (~Q(review_state__in=_UNREVIEWED) & Q(reviewed_at__isnull=False, reviewed_by__isnull=False)),
                name="entry_reviewed_at_and_by",
            ),
            models.CheckConstraint(
                condition=(Q(review_state="REMOVED") & ~Q(removal_reason="") & Q(is_patient_told__isnull=False))
                | (~Q(review_state="REMOVED") & Q(removal_reason="", removal_detail="", is_patient_told__isnull=True)),
                name="a_removal_has_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(is_flagged=True) | ~Q(review_state__in=_UNREVIEWED),
                name="only_flagged_people_wait_for_review",
            ),
            models.CheckConstraint(
                condition=~Q(review_state="LAPSED", is_on_list=True), name="lapsed_people_are_off_the_list"
            ),
            models.CheckConstraint(
                condition=Q(recheck="", recheck_at__isnull=True) | (~Q(recheck="") & Q(recheck_at__isnull=False)),
                name="entry_recheck_and_at",
            ),
        ]
        indexes = [
            models.Index(fields=["practice_list", "review_state", "sort_key", "patient"], name="entry_in_order"),
            models.Index(
                fields=["review_state", "changed_at"], condition=Q(is_on_list=True), name="entry_on_list_by_state"
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="legal_moves",
                field="review_state",
                transitions=sorted((a.value, b.value) for a, after in REVIEW_TRANSITIONS.items() for b in after),
            ),
            _because_is_about_them("made_for_a_fact_about_them", pgtrigger.Insert),
            _because_is_about_them("changed_for_a_fact_about_them", pgtrigger.Update),
        ]

    def __str__(self) -> str:
        return str(self.patient_id)
