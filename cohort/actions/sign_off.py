"""A GP signs the practice's list off, or opens it again. Each time is kept (`ListSignOff`)."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from cohort import policies
from cohort.actions.decisions import ListSubmitted
from cohort.models import ListSignOff, PracticeList
from cohort.queries.sign_off import counts
from shielding.accounts.models import Membership


class PeopleLeft(Exception):
    """A list with people still to review is not signed off; `count` says how many."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} people are still to review")
        self.count = count


class NotSignedOff(Exception):
    """The list is open already."""


class ReasonNeeded(Exception):
    """A list is opened again for a reason, in words."""


@transaction.atomic
def submit_list(*, list_id: UUID, by: Membership, at: datetime) -> PracticeList:
    """Signs a list off and returns it. Raises PeopleLeft, ListSubmitted, NotAllowed, PracticeList.DoesNotExist.

    Of two GPs at once one signs off and the other is told ListSubmitted.
    """
    policies.check_can_submit(by)
    practice_list = lock_list(list_id, by)
    if practice_list.submitted_at is not None:
        raise ListSubmitted
    found = counts(by, list_id)
    if left := found.pop("to_review"):
        raise PeopleLeft(left)
    practice_list.submitted_at = at
    practice_list.submitted_by_id = by.user_id
    practice_list.save(update_fields=["submitted_at", "submitted_by"])
    ListSignOff.objects.create(
        practice_list=practice_list, act=ListSignOff.Act.SIGNED_OFF, at=at, by_id=by.user_id, **found
    )
    return practice_list


@transaction.atomic
def open_again(*, list_id: UUID, reason: str, by: Membership, at: datetime) -> PracticeList:
    """Takes the signing off of a list back and returns the list; nobody's decision changes.

    `letters.actions.lists.reopen_list` is for people's use: it makes sure that nobody on the list has
    been written to. A list whose due date is near or past gets `settings.REOPENED_LIST_DAYS` more,
    so that nobody on it counts as late at once. Raises ReasonNeeded, NotSignedOff, NotAllowed,
    PracticeList.DoesNotExist.
    """
    policies.check_can_submit(by)
    if not reason.strip():
        raise ReasonNeeded
    practice_list = lock_list(list_id, by)
    if practice_list.submitted_at is None:
        raise NotSignedOff
    found = counts(by, list_id)
    del found["to_review"]
    practice_list.submitted_at = practice_list.submitted_by = None
    soonest = timezone.localtime(at).date() + timedelta(days=settings.REOPENED_LIST_DAYS)
    practice_list.due_date = max(practice_list.due_date, soonest)
    practice_list.save(update_fields=["submitted_at", "submitted_by", "due_date"])
    ListSignOff.objects.create(
        practice_list=practice_list,
        act=ListSignOff.Act.REOPENED,
        at=at,
        by_id=by.user_id,
        reason=reason.strip(),
        **found,
    )
    return practice_list


def lock_list(list_id: UUID, by: Membership) -> PracticeList:
    """Returns the practice's list as it is now, locked. Raises PracticeList.DoesNotExist."""
    return PracticeList.objects.select_for_update(no_key=True).get(pk=list_id, practice_id=by.organisation_id)
