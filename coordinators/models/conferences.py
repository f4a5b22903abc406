"""Case conferences: a practice and a local authority, the people they talk about, and what they agree.

Every row that people change has a `version`, which `coordinators.actions.conferences` raises by one with
each change: whoever saves says which version they saw, so that nothing is overwritten unseen.
"""

import uuid

import pghistory
import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from coordinators.conference_rules import (
    ACTION_TRANSITIONS,
    CONFERENCE_TRANSITIONS,
    ActionState,
    AgendaReason,
    ConferenceState,
    Side,
)
from coordinators.models.care import NEEDS

SIDES = [(Side.PRACTICE.value, "GP practice"), (Side.COUNCIL.value, "Council")]
AGENDA_REASONS = [
    (AgendaReason.OPEN_NEED.value, "Waits for help from the council"),
    (AgendaReason.UNMET_NEED.value, "The council could not help with something they need"),
    (AgendaReason.NOT_REACHED.value, "The last three tries did not reach them"),
    (AgendaReason.NO_PHONE.value, "No phone number known"),
    (AgendaReason.AGE.value, "Aged 80 or over"),
]
ACTION_STATES = [
    (ActionState.OPEN.value, "Open"),
    (ActionState.DONE.value, "Done"),
    (ActionState.NOT_DONE.value, "Will not be done"),
]

#: Closing and agreeing take the conference's lock one after the other, so that no action is left behind.
NOTHING_LEFT_OPEN = pgtrigger.Trigger(
    name="nothing_left_open",
    when=pgtrigger.Before,
    operation=pgtrigger.Update,
    condition=pgtrigger.Q(old__state="HELD", new__state="CLOSED"),
    func="""
        IF EXISTS (
            SELECT 1 FROM coordinators_agreedaction action
            JOIN coordinators_agendaitem item ON item.id = action.item_id
            WHERE item.conference_id = NEW.id AND action.state = 'OPEN'
        ) THEN
            RAISE EXCEPTION 'A case conference with open actions is not closed' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    """,
)
AGREED_AT_A_MEETING = pgtrigger.Trigger(
    name="agreed_at_a_meeting",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert,
    func="""
        PERFORM 1 FROM coordinators_conference conference
        JOIN coordinators_agendaitem item ON item.conference_id = conference.id
        JOIN coordinators_participant owner ON owner.conference_id = conference.id
        WHERE item.id = NEW.item_id AND owner.id = NEW.owner_id AND conference.state = 'HELD'
        FOR SHARE OF conference;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'Actions are agreed at a meeting, by those who take part' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    """,
)


@pghistory.track()
class Conference(models.Model):
    """A meeting of a practice with the local authority of some of its patients."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice = models.ForeignKey("accounts.Organisation", models.PROTECT, related_name="conferences")
    local_authority = models.ForeignKey("places.LocalAuthority", models.PROTECT, related_name="conferences")
    starts_at = models.DateTimeField()
    place = models.CharField(max_length=200, help_text="A room, or how to join by phone or video.")
    state = models.CharField(max_length=10, choices=[(s.value, s.value.title()) for s in ConferenceState])
    version = models.PositiveIntegerField(default=1)
    planned_at = models.DateTimeField()
    planned_by = models.ForeignKey("accounts.Membership", models.PROTECT, related_name="+")
    held_at = models.DateTimeField(null=True, blank=True, help_text="When it was said to have been held.")
    held_by = models.ForeignKey("accounts.Membership", models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When it was closed or cancelled.")
    ended_by = models.ForeignKey("accounts.Membership", models.PROTECT, null=True, blank=True, related_name="+")
    cancel_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["HELD", "CLOSED"], held_at__isnull=False, held_by__isnull=False)
                | Q(state__in=["PLANNED", "CANCELLED"], held_at__isnull=True, held_by__isnull=True),
                name="conference_held_at_and_by",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["CLOSED", "CANCELLED"], ended_at__isnull=False, ended_by__isnull=False)
                | Q(state__in=["PLANNED", "HELD"], ended_at__isnull=True, ended_by__isnull=True),
                name="conference_ended_at_and_by",
            ),
            models.CheckConstraint(
                condition=(Q(state="CANCELLED") & ~Q(cancel_reason="")) | (~Q(state="CANCELLED") & Q(cancel_reason="")),
                name="a_cancelled_conference_has_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["practice", "starts_at"], name="conference_by_practice"),
            models.Index(fields=["local_authority", "starts_at"], name="conference_by_authority"),
        ]
        triggers = [
            pgtrigger.FSM(
                name="legal_moves",
                field="state",
                transitions=sorted((a.value, b.value) for a, after in CONFERENCE_TRANSITIONS.items() for b in after),
            ),
            NOTHING_LEFT_OPEN,
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.id}"


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Participant(models.Model):
    """Somebody who takes part for one side: a user of ours, or a name typed in.

    `came` is None until the attendance is taken. Whoever owns an action stays, whether they came or not.
    """

    conference = models.ForeignKey(Conference, models.PROTECT, related_name="participants")
    side = models.CharField(max_length=10, choices=SIDES)
    name = models.CharField(max_length=200)
    job = models.CharField(max_length=100, blank=True)
    membership = models.ForeignKey("accounts.Membership", models.PROTECT, null=True, blank=True, related_name="+")
    came = models.BooleanField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conference", "side", "name", "job"], name="a_participant_is_named_once"),
            models.UniqueConstraint(
                fields=["conference", "membership"],
                condition=Q(membership__isnull=False),
                name="a_user_takes_part_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.job}" if self.job else self.name


@pghistory.track()
class AgendaItem(models.Model):
    """One person on the agenda. `needs` and `needs_detail` are read by both sides.

    Taken off by hand, the row stays; put on again, it is the same row. `reasons` are those that held when
    they were put on, none for somebody whom only a person thought of.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conference = models.ForeignKey(Conference, models.PROTECT, related_name="items")
    patient = models.ForeignKey("cohort.Patient", models.PROTECT, related_name="agenda_items")
    reasons = ArrayField(models.CharField(max_length=20, choices=AGENDA_REASONS), default=list, blank=True)
    added_at = models.DateTimeField()
    added_by = models.ForeignKey("accounts.Membership", models.PROTECT, related_name="+")
    removed_at = models.DateTimeField(null=True, blank=True)
    removed_by = models.ForeignKey("accounts.Membership", models.PROTECT, null=True, blank=True, related_name="+")
    needs = ArrayField(models.CharField(max_length=20, choices=NEEDS), default=list, blank=True)
    needs_detail = models.CharField(max_length=1000, blank=True, help_text="Only what both sides must know.")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conference", "patient"], name="once_on_an_agenda"),
            models.CheckConstraint(
                condition=Q(removed_at__isnull=True, removed_by__isnull=True)
                | Q(removed_at__isnull=False, removed_by__isnull=False),
                name="agenda_item_removed_at_and_by",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.patient_id} at {self.conference_id}"


@pghistory.track()
class ConferenceNote(models.Model):
    """What one side wrote down about a person for itself. The other side never reads it."""

    item = models.ForeignKey(AgendaItem, models.PROTECT, related_name="notes")
    side = models.CharField(max_length=10, choices=SIDES)
    text = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)
    written_at = models.DateTimeField()
    written_by = models.ForeignKey("accounts.Membership", models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "side"], name="one_note_of_a_side")]

    def __str__(self) -> str:
        return f"{self.side} on {self.item_id}"


@pghistory.track()
class AgreedAction(models.Model):
    """What was agreed about a person, who does it, and by when. Both sides read it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    item = models.ForeignKey(AgendaItem, models.PROTECT, related_name="actions")
    what = models.CharField(max_length=300)
    owner = models.ForeignKey(Participant, models.PROTECT, related_name="actions")
    due_date = models.DateField()
    state = models.CharField(max_length=10, choices=ACTION_STATES)
    agreed_at = models.DateTimeField()
    agreed_by = models.ForeignKey("accounts.Membership", models.PROTECT, related_name="+")
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey("accounts.Membership", models.PROTECT, null=True, blank=True, related_name="+")
    outcome = models.CharField(max_length=300, blank=True, help_text="What was done, or why it will not be.")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="OPEN", settled_at__isnull=True, settled_by__isnull=True, outcome="")
                | (~Q(state="OPEN") & ~Q(outcome="") & Q(settled_at__isnull=False, settled_by__isnull=False)),
                name="action_settled_at_by_and_how",
            )
        ]
        indexes = [models.Index(fields=["due_date"], condition=Q(state="OPEN"), name="open_action_by_due_date")]
        triggers = [
            pgtrigger.FSM(
                name="legal_moves",
                field="state",
                transitions=sorted((a.value, b.value) for a, after in ACTION_TRANSITIONS.items() for b in after),
            ),
            AGREED_AT_A_MEETING,
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.id}"


class ActionProgress(models.Model):
    """How far somebody has come with an action. Append-only: a mistake is mended by another entry."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    action = models.ForeignKey(AgreedAction, models.PROTECT, related_name="progress")
    at = models.DateTimeField()
    by = models.ForeignKey("accounts.Membership", models.PROTECT, related_name="+")
    text = models.CharField(max_length=300)

    class Meta:
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.action_id} at {self.at:%Y-%m-%d %H:%M}"
