"""Search runs and what they found: flags with evidence for high risk, counts for the vulnerable.

A flag is an interval of runs, so that a run writes only what differs from the one before.
"""

import uuid

import pghistory
import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from cohort.models.criteria import APPEND_ONLY, CodeListVersion, CriterionVersion
from cohort.models.extracts import Extract
from cohort.models.patients import Patient
from cohort.rules import RUN_TRANSITIONS, RunKind, RunState

#: Stands for the foreign keys of flags and evidence, which PostgreSQL would check row by row: half of the time a
#: national landing takes. What they refer to is never deleted, so that to check what comes in is enough.
#: Planned anew each time (EXECUTE): a plan made for a few rows is ruinous for millions.
FLAGS_REFER_TO_WHAT_IS_THERE = pgtrigger.Trigger(
    name="refer_to_what_is_there",
    level=pgtrigger.Statement,
    when=pgtrigger.After,
    operation=pgtrigger.Insert,
    referencing=pgtrigger.Referencing(new="added"),  # type: ignore[no-untyped-call]
    declare=[("missing", "BIGINT")],
    func="""
        EXECUTE 'SELECT (SELECT count(*) FROM added WHERE NOT EXISTS ('
            '  SELECT 1 FROM cohort_patient p WHERE p.id = added.patient_id)) + (SELECT count(*) FROM ('
            '  SELECT DISTINCT criterion_version_id AS id FROM added) a'
            '  WHERE NOT EXISTS (SELECT 1 FROM cohort_criterionversion v WHERE v.id = a.id)) + (SELECT count(*) FROM ('
            '  SELECT DISTINCT run_id AS id FROM added) a'
            '  WHERE NOT EXISTS (SELECT 1 FROM cohort_searchrun r WHERE r.id = a.id))' INTO missing;
        IF missing > 0 THEN
            RAISE EXCEPTION 'Flags name a person, a criterion or a run that is not there'
                USING ERRCODE = 'foreign_key_violation';
        END IF;
        RETURN NULL;
    """,
)
EVIDENCE_REFERS_TO_WHAT_IS_THERE = pgtrigger.Trigger(
    name="refer_to_what_is_there",
    level=pgtrigger.Statement,
    when=pgtrigger.After,
    operation=pgtrigger.Insert,
    referencing=pgtrigger.Referencing(new="added"),  # type: ignore[no-untyped-call]
    declare=[("missing", "BIGINT")],
    func="""
        EXECUTE 'SELECT (SELECT count(*) FROM added WHERE NOT EXISTS ('
            '  SELECT 1 FROM cohort_flag f WHERE f.id = added.flag_id)) + (SELECT count(*) FROM ('
            '  SELECT DISTINCT code_list_version_id AS id FROM added WHERE code_list_version_id IS NOT NULL) a'
            '  WHERE NOT EXISTS (SELECT 1 FROM cohort_codelistversion v WHERE v.id = a.id))' INTO missing;
        IF missing > 0 THEN
            RAISE EXCEPTION 'Evidence names a flag or a code list that is not there'
                USING ERRCODE = 'foreign_key_violation';
        END IF;
        RETURN NULL;
    """,
)

ACTIVE_RUN_STATES = [RunState.QUEUED.value, RunState.RUNNING.value]


@pghistory.track()
class SearchRun(models.Model):
    """One central search over the newest extracts. At most one is queued or running at a time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=10, choices=[(s.value, s.value.title()) for s in RunState], default="QUEUED")
    search_date = models.DateField(help_text="Ages and windows are counted from here.")
    kind = models.CharField(
        max_length=11, choices=[(k.value, k.value.title()) for k in RunKind], default="FULL", db_default="FULL"
    )
    kind_reason = models.CharField(max_length=300, blank=True, db_default="", help_text="Why it is of that kind.")
    since = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, help_text="The run that an incremental one starts from."
    )
    extracts = models.ManyToManyField(Extract, related_name="runs")
    criteria = models.ManyToManyField(CriterionVersion, related_name="runs")
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True)
    stale_sources_reason = models.CharField(max_length=300, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    percent = models.PositiveSmallIntegerField(default=0)
    doing = models.CharField("what it is doing", max_length=100, blank=True)
    error = models.TextField(blank=True)
    people_searched = models.BigIntegerField(null=True, blank=True)
    people_flagged = models.BigIntegerField(null=True, blank=True)
    people_not_searched = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="Found before, and in no file of patients now: their flags stayed as they were.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=Q(state__in=ACTIVE_RUN_STATES), name="one_search_at_a_time"
            ),
            models.CheckConstraint(condition=Q(percent__lte=100), name="percent_is_at_most_100"),
            models.CheckConstraint(
                condition=Q(kind="INCREMENTAL", since__isnull=False) | Q(kind="FULL", since__isnull=True),
                name="an_incremental_run_starts_from_another",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            pgtrigger.FSM(
                name="legal_moves",
                field="state",
                transitions=sorted((a.value, b.value) for a, after in RUN_TRANSITIONS.items() for b in after),
            ),
        ]

    def __str__(self) -> str:
        return f"Search of {self.search_date}"


class Flag(models.Model):
    """One criterion of the high-risk tier that one person meets, on the same evidence, from one run to another.

    It stands from `run`, which first found it, until `ended_in`, which found it no longer or on other
    evidence; while it stands, `ended_in` is null. That alone is ever written, once.
    """

    run = models.ForeignKey(SearchRun, models.PROTECT, related_name="flags", db_constraint=False)
    ended_in = models.ForeignKey(
        SearchRun, models.PROTECT, null=True, blank=True, related_name="ended_flags", db_index=False
    )
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="flags", db_constraint=False)
    criterion_version = models.ForeignKey(
        CriterionVersion, models.PROTECT, related_name="flags", db_index=False, db_constraint=False
    )
    fingerprint = models.BigIntegerField(db_default=0, help_text="Of the evidence, as the search engine makes it.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "criterion_version"], condition=Q(ended_in=None), name="one_standing_flag"
            )
        ]
        indexes = [
            models.Index(fields=["ended_in"], condition=Q(ended_in__isnull=False), name="flag_ended_in"),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="only_its_end_is_written", exclude=["ended_in"]),
            pgtrigger.Protect(
                name="ends_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__ended_in__isnull=False)
            ),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            FLAGS_REFER_TO_WHAT_IS_THERE,
        ]

    def __str__(self) -> str:
        return f"{self.patient_id} met {self.criterion_version_id}"


class Evidence(models.Model):
    """One record that made somebody meet a criterion: the answer to "why am I on the list?". Append-only.

    `code` is empty where the evidence is the person's age or sex; `detail` then says it.
    """

    flag = models.ForeignKey(Flag, models.PROTECT, related_name="evidence", db_constraint=False)
    clause = models.CharField(max_length=200, help_text="The clause of the criterion, in plain English.")
    system = models.CharField(max_length=10, blank=True)
    code = models.CharField(max_length=20, blank=True)
    term = models.CharField(max_length=300, blank=True)
    event_date = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=10, blank=True)
    detail = models.CharField(max_length=200, blank=True)
    code_list_version = models.ForeignKey(
        CodeListVersion, models.PROTECT, null=True, blank=True, db_index=False, db_constraint=False
    )

    class Meta:
        verbose_name_plural = "evidence"
        triggers = [APPEND_ONLY, EVIDENCE_REFERS_TO_WHAT_IS_THERE]

    def __str__(self) -> str:
        return f"{self.system} {self.code}"


class SearchCount(models.Model):
    """How many people of a practice met a criterion in a run. For the vulnerable this is all that is kept."""

    run = models.ForeignKey(SearchRun, models.PROTECT, related_name="counts")
    criterion_version = models.ForeignKey(CriterionVersion, models.PROTECT)
    practice = models.ForeignKey("accounts.Organisation", models.PROTECT)
    people = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "criterion_version", "practice"], name="one_count_per_practice")
        ]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.people} people"


class SearchAttrition(models.Model):
    """How far one clause of a criterion narrows it down in a run. Append-only.

    `path` says where the clause is in the rule: "" is the whole rule, "0.1" the second part of its
    first part. `people` meet the clause; `remaining` meet it and those before it among its siblings,
    where all must be met.
    """

    run = models.ForeignKey(SearchRun, models.PROTECT, related_name="attrition")
    criterion_version = models.ForeignKey(CriterionVersion, models.PROTECT)
    number = models.PositiveIntegerField(help_text="The clause's place in the order of the rule, from 0.")
    path = models.CharField(max_length=50, blank=True)
    label = models.TextField()
    people = models.PositiveIntegerField()
    remaining = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "criterion_version", "number"], name="one_attrition_per_clause")
        ]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.people} people"


class SearchCombination(models.Model):
    """How many people met exactly these criteria in a run, of both tiers. Append-only."""

    run = models.ForeignKey(SearchRun, models.PROTECT, related_name="combinations")
    criterion_versions = ArrayField(models.UUIDField())
    people = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "criterion_versions"], name="one_count_per_combination")]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.people} people"


class SearchGroup(models.Model):
    """How many people of an age band and sex met a criterion in a run. Append-only."""

    run = models.ForeignKey(SearchRun, models.PROTECT, related_name="groups")
    criterion_version = models.ForeignKey(CriterionVersion, models.PROTECT)
    age_band = models.CharField(max_length=10)
    sex = models.CharField(max_length=10, blank=True)
    people = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "criterion_version", "age_band", "sex"], name="one_count_per_age_band_and_sex"
            )
        ]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.people} people"
