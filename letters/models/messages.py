"""The outbox: one row for every letter and text, and what suppliers were given."""

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from letters.models.batches import Batch, Campaign
from letters.models.suppliers import Supplier
from letters.models.words import CHANNELS, HOLD_REASONS
from letters.rules import MESSAGE_TRANSITIONS, SETTLED, DeliveryStatus, MessageState, reference

_SETTLED = [state.value for state in SETTLED]
_MOVES = sorted(f"{a.value}:{b.value}" for a, after in MESSAGE_TRANSITIONS.items() for b in after)


class HandOver(models.Model):
    """One batch file given to a supplier: its manifest's count and SHA-256. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="hand_overs")
    file_name = models.CharField(max_length=200)
    count = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.file_name


class Message(models.Model):
    """One letter or text to one person: a row of the outbox.

    The unique key is the promise that nobody is contacted twice for one purpose by one channel; a
    stopped message was never sent, so it is not in the way of another. A worker holds the row by
    `lease_token` until `lease_until`; a write with an older token changes nothing.
    `holds_checked_at` and `holds_checked_against` (the date of the person's details) are stamped by
    the statement that releases or holds it. `hand_over_key` is decided when it is released: the id
    of the one hand-over this attempt can ever be in, whoever finishes the work. `attempt` counts up when
    a failed one is tried again: suppliers know a message by `reference`, and refuse one that they have.
    `turn` says whose turn it is within a batch (fair between areas). `stop_asked`: its part of the batch
    was stopped while it was being handed over; it is stopped unless the supplier has it.
    `provider_id` is a provider's own id of what it took one by one. `delivery` is the latest that the
    supplier says of this attempt.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # The indexes below that begin with batch serve it; a campaign is most of the table.
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="messages", db_index=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="messages", db_index=False)
    patient = models.ForeignKey("cohort.Patient", models.PROTECT, related_name="messages")
    channel = models.CharField(max_length=8, choices=CHANNELS)
    state = models.CharField(max_length=12, choices=[(s.value, s.value) for s in MessageState])
    attempt = models.PositiveSmallIntegerField(default=1, db_default=1)
    turn = models.IntegerField(default=0, db_default=0)
    hold_reason = models.CharField(max_length=30, choices=HOLD_REASONS, blank=True)
    failure = models.CharField(max_length=300, blank=True)
    queued_at = models.DateTimeField()
    lease_token = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    holds_checked_at = models.DateTimeField(null=True, blank=True)
    holds_checked_against = models.DateField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    stop_asked = models.BooleanField(default=False, db_default=False)
    supplier = models.ForeignKey(
        Supplier, models.PROTECT, null=True, blank=True, related_name="messages", db_index=False
    )
    hand_over_key = models.UUIDField(null=True, blank=True)
    hand_over = models.ForeignKey(
        HandOver, models.PROTECT, null=True, blank=True, related_name="messages", db_index=False
    )
    provider_id = models.CharField(max_length=100, blank=True, db_default="")
    delivery = models.CharField(
        max_length=10, choices=[(s.value, s.value) for s in DeliveryStatus], blank=True, db_default=""
    )
    delivery_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "campaign", "channel"],
                condition=~Q(state="STOPPED"),
                name="nobody_twice_for_one_purpose",
            ),
            models.CheckConstraint(
                condition=(Q(state="HELD") & ~Q(hold_reason="")) | (~Q(state="HELD") & Q(hold_reason="")),
                name="a_hold_has_a_reason",
            ),
            models.CheckConstraint(
                condition=(Q(state="FAILED") & ~Q(failure="")) | (~Q(state="FAILED") & Q(failure="")),
                name="a_failure_has_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(state="HANDED_OVER")
                | Q(hand_over__isnull=False, hand_over=F("hand_over_key"))
                | ~Q(provider_id=""),
                name="handed_over_means_in_a_file_or_taken_by_id",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["RELEASED", "IN_DOUBT", "HANDED_OVER"])
                | Q(released_at__isnull=False, holds_checked_at__isnull=False, hand_over_key__isnull=False),
                name="released_means_holds_were_checked",
            ),
        ]
        indexes = [
            # Of the states a message rests in alone: what passes through an index costs every message.
            models.Index(fields=["batch", "state", "channel"], condition=Q(state__in=_SETTLED), name="message_settled"),
            models.Index(
                fields=["batch", "channel", "queued_at", "turn", "id"],
                condition=Q(state="WAITING"),
                name="message_queue",
            ),
            models.Index(fields=["lease_token"], condition=Q(state="MAKING"), name="message_claimed"),
            models.Index(fields=["hand_over_key"], condition=Q(state="RELEASED"), name="message_released"),
            models.Index(fields=["released_at"], condition=Q(state="IN_DOUBT"), name="message_in_doubt"),
            models.Index(
                fields=["batch", "released_at"],
                condition=Q(state="HANDED_OVER", hand_over__isnull=True),
                name="message_taken_by_call",
            ),
        ]
        triggers = [
            # Not pgtrigger's FSM: that runs a function for every row; this one for those that it refuses.
            pgtrigger.Trigger(
                name="only_legal_moves",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.state IS DISTINCT FROM NEW.state"
                    f" AND (OLD.state || ':' || NEW.state <> ALL ('{{{','.join(_MOVES)}}}')"
                    # What was not released has gone only as an attempt before.
                    "  OR NEW.state = 'HANDED_OVER' AND OLD.state IN ('WAITING', 'MAKING', 'HELD')"
                    "   AND NEW.attempt >= OLD.attempt)"
                ),
                func="RAISE EXCEPTION 'Illegal move of a message from % to %', OLD.state, NEW.state;",
            )
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.state} {self.id}"

    @property
    def reference(self) -> str:
        """What suppliers know this attempt by: `<id>-<attempt>`."""
        return reference(self.id, self.attempt)


class PastAttempt(models.Model):
    """An attempt that failed and was followed by another, or counts after all (`receipts`). Append-only."""

    message = models.ForeignKey(Message, models.PROTECT, related_name="past_attempts")
    attempt = models.PositiveSmallIntegerField()
    supplier = models.ForeignKey(Supplier, models.PROTECT, null=True, blank=True, related_name="+")
    released_at = models.DateTimeField(null=True, blank=True)
    hand_over = models.ForeignKey(HandOver, models.PROTECT, null=True, blank=True, related_name="+")
    provider_id = models.CharField(max_length=100, blank=True)
    failure = models.CharField(max_length=300)
    ended_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "attempt"], name="one_row_a_past_attempt")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return reference(self.message_id, self.attempt)


class Receipt(models.Model):
    """What a supplier said of one attempt, once each status; news that comes twice changes nothing. Append-only."""

    message = models.ForeignKey(Message, models.PROTECT, related_name="receipts")
    attempt = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=10, choices=[(s.value, s.value) for s in DeliveryStatus])
    at = models.DateTimeField(help_text="When it happened, as the supplier says.")
    received_at = models.DateTimeField()
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "attempt", "status"], name="one_receipt_a_status_and_attempt")
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.status} {reference(self.message_id, self.attempt)}"


class Settlement(models.Model):
    """What a supplier's people answered a person about an attempt in doubt: that they have it or not. Append-only."""

    message = models.ForeignKey(Message, models.PROTECT, related_name="settlements", db_index=False)
    attempt = models.PositiveSmallIntegerField()
    has_it = models.BooleanField()
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "attempt"], name="one_settlement_an_attempt")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{reference(self.message_id, self.attempt)}: {'had it' if self.has_it else 'never had it'}"
