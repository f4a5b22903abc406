"""What the centre oversees: each signing off and reopening, reminders, and what happens to the unreviewed."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from cohort.late import REMINDER_TRANSITIONS, LatePolicy, ReminderKind, ReminderState
from cohort.models.criteria import APPEND_ONLY
from cohort.models.lists import PracticeList
from cohort.models.runs import SearchRun

LATE_POLICIES = [(LatePolicy.HOLD.value, "Hold them back"), (LatePolicy.CONTACT.value, "Contact them anyway")]


class ListSignOff(models.Model):
    """A GP signed a list off or opened it again, and how it stood then. Append-only.

    `not_told` are those removed whom no clinician had told, `open_queries` the people about whom a
    question was open.
    """

    class Act(models.TextChoices):
        SIGNED_OFF = "SIGNED_OFF", "Signed off"
        REOPENED = "REOPENED", "Reopened"

    practice_list = models.ForeignKey(PracticeList, models.PROTECT, related_name="sign_offs")
    act = models.CharField(max_length=10, choices=Act)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300, blank=True)
    confirmed = models.PositiveIntegerField()
    removed = models.PositiveIntegerField()
    added = models.PositiveIntegerField()
    not_told = models.PositiveIntegerField()
    open_queries = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(act="SIGNED_OFF", reason="") | (Q(act="REOPENED") & ~Q(reason="")),
                name="a_reopening_has_a_reason",
            )
        ]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.get_act_display()} {self.practice_list_id}"


class LateDecision(models.Model):
    """What somebody decided is to happen to the people of one search whom practices do not review in time.

    Append-only: the latest row of a run holds, and without one they are held back. Where they are to
    be contacted, `from_date` is the first day of it (UK).
    """

    run = models.ForeignKey(SearchRun, models.PROTECT, related_name="late_decisions")
    policy = models.CharField(
        max_length=7,
        choices=LATE_POLICIES,
    )
    from_date = models.DateField(null=True, blank=True)
    reason = models.CharField(max_length=500)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(policy="CONTACT", from_date__isnull=False) | Q(policy="HOLD", from_date__isnull=True),
                name="contact_has_a_first_day",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="a_late_decision_has_a_reason"),
        ]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.policy} {self.run_id}"


class Reminder(models.Model):
    """One e-mail about one list that is due: claimed before it is sent, so that nobody is sent it twice.

    A list whose due date moves, because it was opened again, may be reminded anew. `written_to` is
    how many people the e-mail went to.
    """

    practice_list = models.ForeignKey(PracticeList, models.PROTECT, related_name="reminders", db_index=False)
    kind = models.CharField(
        max_length=10,
        choices=[
            (ReminderKind.DUE_SOON.value, "Due soon"),
            (ReminderKind.DUE_TODAY.value, "Due today"),
            (ReminderKind.OVERDUE.value, "Overdue"),
            (ReminderKind.ESCALATED.value, "Told the care system"),
        ],
    )
    due_date = models.DateField(help_text="That of the list when it was sent.")
    state = models.CharField(max_length=7, choices=[(s.value, s.value.capitalize()) for s in ReminderState])
    claimed_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    written_to = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice_list", "kind", "due_date"], name="one_reminder_of_a_kind"),
            models.CheckConstraint(
                condition=Q(state="SENT", sent_at__isnull=False, written_to__gt=0)
                | (~Q(state="SENT") & Q(sent_at__isnull=True, written_to=0)),
                name="sent_means_to_somebody",
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="legal_moves",
                field="state",
                transitions=sorted((a.value, b.value) for a, after in REMINDER_TRANSITIONS.items() for b in after),
            ),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.practice_list_id}"
