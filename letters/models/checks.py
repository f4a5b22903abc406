"""What suppliers say they received, held against what we gave them."""

import pgtrigger
from django.db import models


class HandOverCheck(models.Model):
    """A supplier's receipt of one hand-over. `difference` is what does not match, '' where all does. Append-only.

    `key` is the hand-over's id as the supplier says it: there may be none of ours. The same receipt
    twice is one row; a later one that matches settles an earlier one that did not.
    """

    key = models.UUIDField()
    count = models.PositiveIntegerField(help_text="How many messages the supplier counted.")
    difference = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(help_text="When it was received, as the supplier says.")
    received_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "difference"], name="one_check_a_key_and_difference")]
        indexes = [models.Index(fields=["received_at"], condition=~models.Q(difference=""), name="check_of_difference")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.key}: {self.difference or 'matches'}"
