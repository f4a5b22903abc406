"""People on or near the list. Everybody else's records stay in the extract store."""

import uuid

import pghistory
import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from cohort.amending import Format, PreferredChannel
from cohort.rules import Channel

#: The foreign keys of flags and facts would do it, and be checked for every one that is written (ADR 15).
FLAGGED_PEOPLE_STAY = pgtrigger.Trigger(
    name="flagged_people_stay",
    when=pgtrigger.Before,
    operation=pgtrigger.Delete,
    func="""
        IF EXISTS (SELECT 1 FROM cohort_flag WHERE patient_id = OLD.id)
        OR EXISTS (SELECT 1 FROM cohort_listfact WHERE patient_id = OLD.id) THEN
            RAISE EXCEPTION 'Somebody who was flagged, or about whom a fact was said, is never deleted'
                USING ERRCODE = 'foreign_key_violation';
        END IF;
        RETURN OLD;
    """,
)


@pghistory.track(
    # A weekly extract that changes nothing but its date leaves no two million rows of history.
    pghistory.UpdateEvent(row=pghistory.Old, condition=pghistory.AnyChange(exclude=["as_at"])),
    pghistory.DeleteEvent(),
)
class Patient(models.Model):
    """A person with the details needed to reach them, as last told by an extract or mended by a practice.

    Never reach one from a view except through `cohort.queries`, which takes a scope. `id` is opaque
    and goes in URLs; the NHS number never does.
    """

    class Sex(models.TextChoices):
        FEMALE = "F", "Female"
        MALE = "M", "Male"
        OTHER = "O", "Other"
        UNKNOWN = "U", "Not known"

    class DeathStatus(models.TextChoices):
        ALIVE = "", "Alive"
        INFORMAL = "INFORMAL", "Reported dead, not registered"
        FORMAL = "FORMAL", "Death registered"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    nhs_number = models.CharField("NHS number", max_length=10, unique=True)
    given_name = models.CharField(max_length=100)
    family_name = models.CharField(max_length=100)
    birth_date = models.DateField()
    sex = models.CharField(max_length=1, choices=Sex)
    practice = models.ForeignKey("accounts.Organisation", models.PROTECT, related_name="patients", db_index=False)
    address_lines = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    postcode = models.CharField(max_length=8, blank=True)
    uprn = models.CharField("UPRN", max_length=12, blank=True)
    no_fixed_abode = models.BooleanField(default=False)
    mobile = models.CharField(max_length=20, blank=True)
    landline = models.CharField(max_length=20, blank=True)
    email = models.EmailField(blank=True)
    death_status = models.CharField(max_length=8, choices=DeathStatus, blank=True)
    death_date = models.DateField(null=True, blank=True)
    is_restricted = models.BooleanField("restricted record (PDS S flag)", default=False)
    is_invalid = models.BooleanField("record invalid", default=False)
    moved_away_code = models.CharField("PDS reason for removal", max_length=4, blank=True)
    asked_not_to_be_contacted = models.BooleanField(default=False)
    unsafe_channels = ArrayField(
        models.CharField(max_length=8, choices=[(c.value, c.value.title()) for c in Channel]), default=list, blank=True
    )
    safe_contact_instruction = models.CharField(
        max_length=300, blank=True, help_text="How to contact this person safely, without saying why."
    )
    formats_needed = ArrayField(
        models.CharField(max_length=11, choices=[(f.value, f.value.replace("_", " ").capitalize()) for f in Format]),
        default=list,
        db_default=[],
        blank=True,
    )
    language = models.CharField(max_length=15, blank=True, db_default="", help_text="BCP 47; empty for English.")
    preferred_channel = models.CharField(
        max_length=6, choices=[(c.value, c.value.title()) for c in PreferredChannel], blank=True, db_default=""
    )
    returned_address = models.TextField(
        blank=True, db_default="", help_text="The address, as printed and in capitals, that a letter came back from."
    )
    returned_at = models.DateTimeField(null=True, blank=True)
    undeliverable_mobile = models.CharField(
        max_length=20, blank=True, db_default="", help_text="The number, without spaces, that texts do not reach."
    )
    undeliverable_at = models.DateTimeField(null=True, blank=True)
    as_at = models.DateField(help_text="The date of the extract these details came from.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(nhs_number__regex=r"^[0-9]{10}$"), name="nhs_number_is_ten_digits"),
            models.CheckConstraint(
                condition=~Q(death_status="") | Q(death_date__isnull=True), name="a_death_date_has_a_death_status"
            ),
            models.CheckConstraint(
                condition=Q(returned_address="", returned_at__isnull=True)
                | (~Q(returned_address="") & Q(returned_at__isnull=False)),
                name="a_returned_address_has_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(undeliverable_mobile="", undeliverable_at__isnull=True)
                | (~Q(undeliverable_mobile="") & Q(undeliverable_at__isnull=False)),
                name="an_undeliverable_mobile_has_a_moment",
            ),
        ]
        indexes = [models.Index(fields=["practice", "family_name", "given_name"], name="patient_by_practice_and_name")]
        triggers = [FLAGGED_PEOPLE_STAY]

    def __str__(self) -> str:
        return str(self.id)
