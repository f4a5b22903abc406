"""What is done about late practices: reminders, the word to their care system, and the decision about their people."""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from smtplib import SMTPException
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from cohort.late import LatePolicy, ReminderKind, ReminderState, reminders_due
from cohort.models import LateDecision, PracticeList, Reminder, SearchRun
from cohort.policies import check_can_oversee
from cohort.queries.late import first_due_date
from shielding.accounts.models import Membership, Role

logger = logging.getLogger(__name__)


class DecisionError(Exception):
    """What was decided cannot hold; `field` is what to mend, and the message is fit to show."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@transaction.atomic
def decide_about_late(
    *, run_id: UUID, policy: LatePolicy, from_date: date | None, reason: str, by: Membership, at: datetime
) -> LateDecision:
    """Keeps what is to happen to people whom practices do not review in time, and returns it.

    `from_date` is the first day on which they are contacted: after their lists were due, and not in
    the past; where they are held back there is none. The latest decision about a run holds. Raises
    DecisionError, NotAllowed, SearchRun.DoesNotExist.
    """
    check_can_oversee(by)
    run = SearchRun.objects.select_for_update(no_key=True).get(pk=run_id)
    if not reason.strip():
        raise DecisionError("reason", "Enter why you decide this")
    if policy is LatePolicy.HOLD:
        from_date = None
    else:
        due_date, today = first_due_date(run), timezone.localtime(at).date()
        if due_date is None:
            raise DecisionError("policy", "This search has no lists, so nobody is late")
        if from_date is None:
            raise DecisionError("from_date", "Enter the day from which they are contacted")
        if from_date <= due_date:
            raise DecisionError("from_date", f"The day must be after {_words(due_date)}, when the lists are due")
        if from_date < today:
            raise DecisionError("from_date", f"The day must be {_words(today)} or later")
    return LateDecision.objects.create(
        run=run, policy=policy.value, from_date=from_date, reason=reason.strip(), at=at, by_id=by.user_id
    )


def _words(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


@dataclass(frozen=True)
class Sent:
    """How many e-mails went, could not be sent, and had nobody to go to."""

    sent: int = 0
    failed: int = 0
    nobody: int = 0


# Whoever gets the row sends it; a list that has been signed off meanwhile gives none.
_CLAIM = """
INSERT INTO cohort_reminder AS known (practice_list_id, kind, due_date, state, claimed_at, written_to)
SELECT id, %(kind)s, due_date, 'CLAIMED', %(at)s, 0 FROM cohort_practicelist
WHERE id = ANY(%(lists)s::uuid[]) AND submitted_at IS NULL
ON CONFLICT (practice_list_id, kind, due_date) DO UPDATE SET state = 'CLAIMED', claimed_at = %(at)s
WHERE known.state IN ('FAILED', 'NOBODY')
RETURNING id
"""


def send_reminders(*, now: Callable[[], datetime]) -> Sent:
    """Sends what is due today (`cohort.late.reminders_due`) and has not been sent; returns what became of it.

    A practice gets an e-mail for each list, its care system one for all lists that are newly
    escalated. No e-mail says anything about a patient, not even how many there are. Each row is
    claimed, in a statement of its own, before its e-mail goes, so that any number of workers send it
    once; a worker that dies between the two leaves it CLAIMED, for a person to ring. What failed, or
    had nobody to go to, is tried again at the next call.
    """
    found: defaultdict[str, int] = defaultdict(int)
    with_practice, with_area = _due(timezone.localtime(now()).date())
    mail = get_connection()
    for kind, practice_list in with_practice:
        to = _addresses([practice_list.practice_id], (Role.GP, Role.PRACTICE_STAFF))
        found[_send(kind, [practice_list], to, mail, at=now())] += 1
    for lists in with_area.values():
        to = _addresses([lists[0].practice.ics_id], (Role.ICS_LEAD,)) if lists[0].practice.ics_id else []
        found[_send(ReminderKind.ESCALATED, lists, to, mail, at=now())] += 1
    return Sent(found[ReminderState.SENT], found[ReminderState.FAILED], found[ReminderState.NOBODY])


def _due(
    today: date,
) -> tuple[list[tuple[ReminderKind, PracticeList]], dict[UUID | None, list[PracticeList]]]:
    """Returns the reminders due to practices, and the lists of which each care system (None: of none) is to be told."""
    done = set(
        Reminder.objects.filter(practice_list__submitted_at=None)
        .exclude(state__in=[ReminderState.FAILED, ReminderState.NOBODY])
        .values_list("practice_list_id", "kind", "due_date")
    )
    lists = (
        PracticeList.objects.filter(submitted_at=None, practice__closed_date=None)
        .select_related("practice__ics", "run")
        .order_by("due_date", "practice__name", "pk")
    )
    with_practice: list[tuple[ReminderKind, PracticeList]] = []
    with_area: defaultdict[UUID | None, list[PracticeList]] = defaultdict(list)
    for practice_list in lists:
        due_date = practice_list.due_date
        for kind in reminders_due(
            due_date,
            today,
            days_before=settings.REMIND_DAYS_BEFORE,
            escalate_after_days=settings.ESCALATE_AFTER_DAYS,
        ):
            if (practice_list.pk, kind.value, due_date) in done:
                continue
            if kind is ReminderKind.ESCALATED:
                with_area[practice_list.practice.ics_id].append(practice_list)
            else:
                with_practice.append((kind, practice_list))
    return with_practice, with_area


def _addresses(organisation_ids: Collection[UUID | None], roles: Iterable[Role]) -> list[str]:
    return list(
        Membership.objects.filter(
            organisation__in=organisation_ids, role__in=list(roles), ended_at=None, user__is_active=True
        )
        .order_by("user__email")
        .values_list("user__email", flat=True)
        .distinct()
    )


def _send(kind: ReminderKind, lists: list[PracticeList], to: list[str], mail: BaseEmailBackend, *, at: datetime) -> str:
    """Claims, writes to these people, and says what became of it; '' where others have claimed all of it."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"kind": kind.value, "at": at, "lists": [str(row.pk) for row in lists]})
        ids = [row[0] for row in cursor.fetchall()]
    if not ids:
        return ""
    claimed = Reminder.objects.filter(pk__in=ids)
    if not to:
        claimed.update(state=ReminderState.NOBODY.value)
        return ReminderState.NOBODY
    named = set(claimed.values_list("practice_list_id", flat=True))
    message = _email(kind, [row for row in lists if row.pk in named], today=timezone.localtime(at).date())
    message.to, message.connection = to, mail
    try:
        message.send()
    except (SMTPException, OSError):
        # With the ids alone: the error may hold what was sent, and to whom.
        logger.error("Reminders %s could not be sent", ids)
        claimed.update(state=ReminderState.FAILED.value)
        return ReminderState.FAILED
    claimed.update(state=ReminderState.SENT.value, sent_at=at, written_to=len(to))
    return ReminderState.SENT


_SUBJECTS = {
    ReminderKind.DUE_SOON: "Your list is due soon",
    ReminderKind.DUE_TODAY: "Your list is due today",
    ReminderKind.OVERDUE: "Your list is overdue",
    ReminderKind.ESCALATED: "Practices whose lists are overdue",
}


def _email(kind: ReminderKind, lists: list[PracticeList], *, today: date) -> EmailMessage:
    is_for_area = kind is ReminderKind.ESCALATED
    address = reverse("cohort:area") if is_for_area else reverse("cohort:submit", args=[lists[0].pk])
    body = render_to_string(
        "cohort/oversight/escalation.txt" if is_for_area else "cohort/oversight/reminder.txt",
        {"lists": lists, "today": today, "kind": kind, "address": settings.SERVICE_URL + address},
    )
    return EmailMessage(f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}{_SUBJECTS[kind]}", body)
