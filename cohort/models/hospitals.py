"""What hospital units send: lists, their rows with what became of each, and the tokens of the API."""

import uuid

import pghistory
import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from cohort.long_lists import LIST_TRANSITIONS, Failure, ListState
from cohort.matching import ROW_TRANSITIONS, RowState
from cohort.models.lists import ListFact
from cohort.models.patients import Patient
from cohort.rules import Request

_TAKEN = [RowState.TAKEN.value, RowState.SAID_ALREADY.value]


class HospitalList(models.Model):
    """A list of a unit's patients: read (WAITING), matched (CHECKED), asked to be sent (SENDING), then SENT.

    Its requests count once it is SENT. A long list is matched and sent by a worker; until it is matched, its good
    rows are in `waiting`. `tries` are those since it was asked for, the one that goes on included; where the last of
    them fails too, the list is FAILED and `failure` says why.

    `errors` are the rows that could not be read: line, column and reason of each problem. `rejected`
    are those rows as they came, to be downloaded, mended and sent again. A list that was not sent
    is deleted after a while; one that was is never deleted. `idempotency_key` is the API's.
    """

    class Via(models.TextChoices):
        UPLOAD = "UPLOAD", "Uploaded"
        API = "API", "By the API"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    unit = models.ForeignKey("accounts.Organisation", models.PROTECT, related_name="hospital_lists")
    via = models.CharField(max_length=6, choices=Via)
    state = models.CharField(max_length=7, choices=[(s.value, s.value.title()) for s in ListState])
    checked_at = models.DateTimeField()
    checked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When it was asked for.")
    sent_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    sha256 = models.CharField(max_length=64, help_text="Of what was sent.")
    idempotency_key = models.CharField(max_length=100, null=True, blank=True)  # noqa: DJ001 - many have none
    waiting = models.JSONField(default=list, db_default=[], blank=True)
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    tried_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(
        max_length=10, choices=[(f.value, f.value.title()) for f in Failure], blank=True, default="", db_default=""
    )
    errors = models.JSONField(default=list, blank=True)
    rejected = models.JSONField(default=list, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["unit", "idempotency_key"], name="one_list_per_idempotency_key"),
            models.CheckConstraint(
                condition=Q(state__in=["SENDING", "SENT"], sent_at__isnull=False, sent_by__isnull=False)
                | Q(state__in=["WAITING", "CHECKED"], sent_at__isnull=True, sent_by__isnull=True)
                | Q(state="FAILED", sent_at__isnull=True, sent_by__isnull=True)
                | Q(state="FAILED", sent_at__isnull=False, sent_by__isnull=False),
                name="hospital_list_sent_at_and_by",
            ),
            models.CheckConstraint(
                condition=(Q(state="FAILED") & ~Q(failure="")) | (~Q(state="FAILED") & Q(failure="")),
                name="a_failed_list_says_why",
            ),
        ]
        indexes = [models.Index(fields=["unit", "-checked_at"], name="hospital_list_by_unit")]
        triggers = [
            pgtrigger.FSM(
                name="legal_moves",
                field="state",
                transitions=sorted((a.value, b.value) for a, after in LIST_TRANSITIONS.items() for b in after),
            ),
            pgtrigger.Protect(
                name="sent_lists_stay",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__state="SENT"),
            ),
        ]

    def __str__(self) -> str:
        return f"List of {self.unit} {self.checked_at:%Y-%m-%d %H:%M}"


class HospitalRow(models.Model):
    """One request of a list, as the unit wrote it, and what became of it.

    `matched_number` is whom the match, or a person, says it is about; `candidates` are those a person
    may choose among. Their details stay in the extract store. TAKEN and SAID_ALREADY rows name the
    fact that holds the request; where that is withdrawn, so is the row.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    hospital_list = models.ForeignKey(HospitalList, models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(help_text="The line of the file, or the place in what the API was sent.")
    request = models.CharField(max_length=6, choices=[(r.value, r.value.title()) for r in Request])
    nhs_number = models.CharField(max_length=10, blank=True)
    given_name = models.CharField(max_length=100)
    family_name = models.CharField(max_length=100)
    birth_date = models.DateField()
    postcode = models.CharField(max_length=8, blank=True)
    reason = models.CharField(max_length=300)
    disease_group = models.CharField(max_length=100, blank=True)
    medicine = models.CharField(max_length=200, blank=True, help_text="One that only the hospital prescribes.")
    state = models.CharField(max_length=12, choices=[(s.value, s.value) for s in RowState])
    candidates = models.JSONField(default=list, blank=True)
    matched_number = models.CharField(max_length=10, blank=True)
    patient = models.ForeignKey(Patient, models.PROTECT, null=True, blank=True, related_name="hospital_rows")
    fact = models.ForeignKey(ListFact, models.PROTECT, null=True, blank=True, related_name="hospital_rows")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hospital_list", "number"], name="one_row_per_number"),
            models.CheckConstraint(
                condition=Q(state__in=_TAKEN, patient__isnull=False, fact__isnull=False)
                | (~Q(state__in=_TAKEN) & Q(patient__isnull=True, fact__isnull=True)),
                name="a_row_taken_has_a_fact",
            ),
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True, decided_by__isnull=True)
                | Q(decided_at__isnull=False, decided_by__isnull=False),
                name="row_decided_at_and_by",
            ),
        ]
        indexes = [models.Index(fields=["hospital_list", "state", "number"], name="hospital_row_by_state")]
        triggers = [
            pgtrigger.FSM(
                name="legal_moves",
                field="state",
                transitions=sorted((a.value, b.value) for a, after in ROW_TRANSITIONS.items() for b in after),
            ),
            pgtrigger.Protect(
                name="taken_rows_stay",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__fact__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"Row {self.number} of {self.hospital_list_id}"


@pghistory.track(exclude=["digest", "last_used_at"])
class UnitToken(models.Model):
    """What a unit's computer signs in to the API with: kept only as a SHA-256, and shown once.

    It works under `membership`, that of a service user of the unit, until it expires or is revoked.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    membership = models.ForeignKey("accounts.Membership", models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=100, help_text="Which computer it is for.")
    digest = models.CharField(max_length=64, unique=True)
    begins = models.CharField("begins with", max_length=8, help_text="Its first characters, to tell tokens apart.")
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by__isnull=True)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="token_revoked_at_and_by",
            ),
        ]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.begins}… ({self.name})"
